// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Characters that change how others look, or that cannot be seen, are made visible where
// people decide by what they read: commands, arguments, names, output of tools.

// Controls except tab and newline, bidirectional overrides and isolates, invisible spaces, and
// "tag" characters. Joiners (U+200C, U+200D) are needed by scripts and emoji.
const HIDDEN = new RegExp(
	"[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f" +
	"\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|[\\u{e0000}-\\u{e007f}]", "gu");

const name = (c) => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

/**
 * Split text at characters that one would not see.
 *
 * @param {string} text
 * @returns {{text: string, isMark: boolean}[]} a mark's text is its name, as "U+202E"
 */
export function pieces(text) {
	const all = [];
	let at = 0;
	for (const { 0: c, index } of text.matchAll(HIDDEN)) {
		if (index > at) all.push({ text: text.slice(at, index), isMark: false });
		all.push({ text: name(c), isMark: true });
		at = index + c.length;
	}
	if (at < text.length) all.push({ text: text.slice(at), isMark: false });
	return all;
}

/**
 * Nodes of text, with hidden characters as marked signs.
 *
 * @param {string} text
 * @returns {(Node|string)[]} for append()
 */
export function visibleNodes(text) {
	return pieces(text).map(({ text: piece, isMark }) => {
		if (!isMark) return piece;
		const sign = document.createElement("span");
		sign.className = "hidden-char";
		sign.textContent = piece;
		return sign;
	});
}
