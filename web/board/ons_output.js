// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What one command wrote, as lines: bounded, with the colours that are on where a line begins.
// Pure: no document, no socket.

/** The most lines that are kept of one command; the oldest go first. */
export const MAX_LINES = 20000;

/** The most characters that are kept of one command. */
export const MAX_CHARS = 4 * 1024 * 1024;

/** The most characters of one line: a longer one goes on in the next. */
export const MAX_LINE = 16 * 1024;

const MAX_SGR = 200;
const SGR = /\x1b\[([\d;:]*)m/g;
const GAP = /^\[co-hostd: \d+ (events|pieces of output) are missing here/;

// The escape sequences whose effect is on after this text.
function colourAfter(before, text) {
	let on = before;
	for (const [sequence, codes] of text.matchAll(SGR)) {
		if (/^[0;:]*$/.test(codes)) on = "";
		else if (/^0+;/.test(codes)) on = sequence;
		else on = (on + sequence).slice(-MAX_SGR);
	}
	// A cut in the middle of a sequence would show its end as text.
	const from = on.indexOf("\x1b");
	return from < 0 ? "" : on.slice(from);
}

/**
 * The lines of a command. A line is {text, sgr, stream, isGap, n}: text may have escape
 * sequences, sgr are those that were on before it, stream is "out" or "err", isGap that the
 * server says here that something is missing, n its number from 1 on.
 */
export class Output {
	constructor() {
		this.lines = [];
		this.nDropped = 0;
		this.version = 0;
		this.chars = 0;
		this.isOpen = false; // the last line has no end yet
		this.sgr = { out: "", err: "" };
	}

	#push(stream) {
		this.lines.push({ text: "", sgr: this.sgr[stream], stream, isGap: false,
			n: this.nDropped + this.lines.length + 1 });
		this.isOpen = true;
	}

	// A carriage return begins the line anew, as a progress bar does.
	#write(text, stream) {
		let last = this.lines[this.lines.length - 1];
		if (!this.isOpen || last.stream !== stream || last.text.length >= MAX_LINE) {
			this.#push(stream);
			last = this.lines[this.lines.length - 1];
		}
		const before = last.text.length;
		text.split("\r").forEach((part, i) => {
			if (i) last.willReturn = true;
			if (!part) return;
			last.text = last.willReturn ? part : last.text + part;
			last.willReturn = false;
		});
		last.isGap = GAP.test(last.text);
		this.chars += last.text.length - before;
		this.sgr[stream] = colourAfter(this.sgr[stream], text);
	}

	// Not for each line: to move all others would cost more than the line.
	#cut() {
		if (this.lines.length < MAX_LINES * 1.1 && this.chars < MAX_CHARS * 1.1) return;
		let n = Math.max(0, this.lines.length - MAX_LINES);
		for (let i = 0; i < n; i++) this.chars -= this.lines[i].text.length;
		while (this.chars > MAX_CHARS && n < this.lines.length - 1)
			this.chars -= this.lines[n++].text.length;
		this.lines.splice(0, n);
		this.nDropped += n;
	}

	/**
	 * Add a piece of what was written.
	 * @param {string} text
	 * @param {boolean} isError whether it was written to stderr
	 */
	append(text, isError) {
		const stream = isError ? "err" : "out";
		const pieces = text.split("\n");
		for (let i = 0; i < pieces.length; i++) {
			const isEnded = i < pieces.length - 1;
			let piece = pieces[i];
			if (isEnded && piece.endsWith("\r")) piece = piece.slice(0, -1);
			if (!piece && !isEnded) break;
			do {
				this.#write(piece.slice(0, MAX_LINE), stream);
				piece = piece.slice(MAX_LINE);
			} while (piece);
			if (isEnded) {
				this.lines[this.lines.length - 1].willReturn = false;
				this.isOpen = false;
			}
			this.#cut();
		}
		this.version++;
	}

	/** All that is kept, as one text; with the escape sequences. */
	text() {
		return this.lines.map((l) => l.text).join("\n") + (this.lines.length ? "\n" : "");
	}
}
