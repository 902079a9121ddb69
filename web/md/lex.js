// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Markdown to blocks, also while the text still grows. Only the last two blocks of a growing
// text are read again, so that a long answer costs per token what a short one costs.
//
// A block is a token of marked's lexer ({type, raw, ...}). No HTML is made here: md/nodes.js
// makes nodes of blocks. No document is used, so that Node.js can run the tests.
import { Lexer } from "marked";

/** Texts with more UTF-16 units are not read as Markdown. */
export const MARKDOWN_MAX = 256 * 1024;

/** Deeper nesting (of quotes, lists, emphasis) is shown as it was written. */
const NESTING_MAX = 50;

// marked's time grows with the square of the number of these in one paragraph: "_a_" 60,000
// times takes a minute. Nobody writes paragraphs that have as many.
const DELIMITERS_MAX = 1000;

/** A run at the end that the next token may complete. */
const OPEN_RUN = /[*_~`[]{1,80}$/;

/** A last line that would make a heading of the paragraph above. */
const UNDERLINE = /\n {0,3}(?:=+|-+)[ \t]*$/;

function isDense(text) {
	let n = 0;
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i);
		if ((c === 0x5f || c === 0x7e || c === 0x2a) && ++n > DELIMITERS_MAX) return true;
	}
	return false;
}

class BoundedLexer extends Lexer {
	#depth = 0;

	#deeper(src, tokens, read) {
		if (this.#depth >= NESTING_MAX) {
			tokens.push({ type: "text", raw: src, text: src });
			return tokens;
		}
		this.#depth++;
		try {
			return read();
		} finally {
			this.#depth--;
		}
	}

	blockTokens(src, tokens = [], ...rest) {
		return this.#deeper(src, tokens, () => super.blockTokens(src, tokens, ...rest));
	}

	inlineTokens(src, tokens = []) {
		if (isDense(src)) {
			tokens.push({ type: "text", raw: src, text: src });
			return tokens;
		}
		return this.#deeper(src, tokens, () => super.inlineTokens(src, tokens));
	}
}

const plain = (text) => ({ type: "plain", raw: text, text });

function lex(text, links) {
	// Many agents write plain text, whose lines would run together.
	const lexer = new BoundedLexer({ gfm: true, breaks: true });
	Object.assign(lexer.tokens.links, links);
	try {
		return { tokens: lexer.lex(text), links: lexer.tokens.links };
	} catch {
		return { tokens: [plain(text)], links };
	}
}

const isVisible = (token) => token.type !== "space" && token.type !== "def";

function settled(text) {
	const cut = text.replace(OPEN_RUN, "").replace(UNDERLINE, "");
	return cut.trim() ? cut : text;
}

/**
 * Read the Markdown of one text.
 *
 * @returns {{feed: function(string): {from: number, blocks: object[]},
 *	end: function(string): {from: number, blocks: object[]}}}
 *	feed(text) takes all of the text so far; end(text) all of it, finished. Both return
 *	the blocks from number "from" (0, 1, ...) on, which replace those returned before;
 *	blocks before it are unchanged. A text over MARKDOWN_MAX is one block of type "plain".
 */
export function lexer() {
	let text = "";
	let marks = []; // where each visible block begins, its type and text: {at, type, raw}
	let links = {};
	let hasLinks = false;

	function reset() {
		marks = [];
		links = {};
		hasLinks = false;
	}

	function read(next) {
		if (!next.startsWith(text)) reset();
		text = next;
		if (next.length > MARKDOWN_MAX) {
			reset();
			return { from: 0, blocks: [plain(next)] };
		}
		const from = Math.max(0, marks.length - 2);
		let at = from ? marks[from].at : 0;
		const read = lex(next.slice(at), links);
		links = read.links;
		hasLinks ||= read.tokens.some((token) => token.type === "def");
		const old = marks.splice(from);
		for (const token of read.tokens) {
			if (isVisible(token)) marks.push({ at, type: token.type, raw: token.raw });
			at += token.raw.length;
		}
		const n = unchanged(old, marks.slice(from));
		return { from: from + n, blocks: read.tokens.filter(isVisible).slice(n) };
	}

	// How many blocks that were read again are as they were.
	function unchanged(old, now) {
		let n = 0;
		if (hasLinks) return n;
		while (n < old.length && n < now.length && old[n].raw === now[n].raw
			&& old[n].type === now[n].type) n++;
		return n;
	}

	const clean = (next) => next.replace(/\r\n?/g, "\n");
	return {
		feed: (next) => read(settled(clean(next))),
		end(next) {
			// A link may be defined after it was used, or was not one before its line ended.
			if (hasLinks) reset();
			return read(clean(next));
		},
	};
}
