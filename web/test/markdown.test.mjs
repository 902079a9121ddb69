// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { lexer, MARKDOWN_MAX } from "../md/lex.js";
import { hostNote, isImage, isSafe } from "../md/links.js";
import { pieces } from "../md/marks.js";

const TEXT = `# Title

A *first* paragraph with \`code\` and [a link](https://example.org/).
It has two lines.

- one
- two

  with a paragraph
  - nested

1. first
2. second

> a quote
> - with a list

| a | b |
|---|:-:|
| 1 | 2 |

\`\`\`c
int main(void)

{ return 0; }
\`\`\`

<div>html</div>

Setext
======

See [the note][n] and ~~this~~.

[n]: https://example.org/note "Note"

***

    indented

The end.
`;

const strip = (blocks) => blocks.map(({ type, raw, tokens }) => ({ type, raw, tokens }));

function follow(text, cuts) {
	const one = lexer();
	let blocks = [];
	for (const cut of cuts) {
		const { from, blocks: next } = one.feed(text.slice(0, cut));
		blocks = [...blocks.slice(0, from), ...next];
	}
	const { from, blocks: next } = one.end(text);
	return [...blocks.slice(0, from), ...next];
}

test("blocks of a text that grew by characters equal those of the text at once", () => {
	const whole = strip(lexer().end(TEXT).blocks);
	assert.equal(whole.length, 13);
	assert.deepEqual(strip(follow(TEXT, [...TEXT].map((_, i) => i + 1))), whole);
});

test("blocks of texts that grew by random pieces equal those of the texts at once", () => {
	let seed = 7;
	const random = (n) => (seed = (seed * 48271) % 0x7fffffff) % n;
	const parts = TEXT.split(/(?<=\n)/);
	for (let round = 0; round < 300; round++) {
		let text = "";
		for (let i = random(20); i >= 0; i--) text += parts[random(parts.length)];
		const cuts = [];
		for (let at = random(9); at < text.length; at += 1 + random(30)) cuts.push(at);
		assert.deepEqual(strip(follow(text, cuts)), strip(lexer().end(text).blocks),
			JSON.stringify(text));
	}
});

test("a growing text shows no half of emphasis, and no heading before its line ends", () => {
	const one = lexer();
	assert.equal(one.feed("word **").blocks[0].raw, "word ");
	assert.equal(one.feed("word **bold**").blocks[0].raw, "word **bold");
	assert.equal(one.end("word **bold**").blocks[0].tokens[1].type, "strong");
	const two = lexer();
	assert.equal(two.feed("Total\n==").blocks[0].type, "paragraph");
	assert.equal(two.feed("Total\n==\n").blocks[0].type, "heading");
});

test("lines of a plain text stay lines", () => {
	const [{ tokens }] = lexer().end("one\ntwo").blocks;
	assert.deepEqual(tokens.map(({ type }) => type), ["text", "br", "text"]);
});

test("only the last two blocks of a growing text are read again", () => {
	const one = lexer();
	const text = Array.from({ length: 100 }, (_, i) => `Paragraph ${i}.`).join("\n\n");
	one.feed(text);
	const { from, blocks } = one.feed(text + " More");
	assert.equal(from, 99, "and the one that did not change is left alone");
	assert.equal(blocks.length, 1);
});

test("a text that does not begin like the one before is read from its beginning", () => {
	const one = lexer();
	one.feed("a\n\nb\n\nc");
	assert.deepEqual(strip(one.feed("x").blocks), strip(lexer().end("x").blocks));
});

test("texts that cost the library minutes, or are too long or deep, are shown as written", () => {
	const dense = lexer().end("_a_".repeat(60000)).blocks;
	assert.equal(dense[0].tokens[0].type, "text");
	assert.equal(dense[0].tokens.length, 1);
	assert.equal(lexer().end("~a~~".repeat(50000)).blocks[0].tokens.length, 1);
	assert.equal(lexer().end("x".repeat(MARKDOWN_MAX + 1)).blocks[0].type, "plain");
	let depth = 0;
	for (let at = lexer().end(">".repeat(5000) + " x").blocks; at; at = at[0].tokens) depth++;
	assert.ok(depth <= 53, `depth ${depth}`);
	assert.equal(lexer().end("- ".repeat(5000) + "x").blocks.length, 1);
	assert.equal(lexer().end("*a **b ".repeat(9000)).blocks.length, 1);
});

test("links of unsafe schemes, with hidden characters or a user's name are not made", () => {
	for (const url of ["https://example.org/a?b#c", "http://[::1]:8000/", "#part",
		"mailto:a@example.org", "HTTPS://EXAMPLE.ORG"])
		assert.ok(isSafe(url), url);
	for (const url of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
		" javascript:alert(1)", "\u0001javascript:alert(1)", "data:text/html,x", "vbscript:x",
		"//example.org", "/local", "file:///etc/passwd", "blob:https://x/1", "ftp://x/",
		"https://user@example.org/", "https://exa\u202emple.org", "https:\\\\x", "", null])
		assert.ok(!isSafe(url), String(url));
});

test("the host of a link is told when its text looks like another address", () => {
	assert.equal(hostNote("https://bank.example/", "https://evil.example/x"), "evil.example");
	assert.equal(hostNote("bank.example", "https://evil.example/x"), "evil.example");
	assert.equal(hostNote("www.bank.example/login", "https://evil.example/"), "evil.example");
	assert.equal(hostNote("bank.example", "https://bank.example/x"), "");
	assert.equal(hostNote("click here", "https://evil.example/x"), "");
	assert.equal(hostNote("a@b.example", "mailto:a@b.example"), "");
});

test("only raster images within the text are shown", () => {
	assert.ok(isImage("data:image/png;base64,iVBORw0KGgo="));
	for (const url of ["data:image/svg+xml;base64,PHN2Zz4=", "data:text/html;base64,PGI+",
		"https://example.org/a.png", "data:image/png,raw", ""])
		assert.ok(!isImage(url), url);
});

test("characters that cannot be seen, or turn text around, are named", () => {
	assert.deepEqual(pieces("rm \u202egpj.exe\u0007\t\n").map((p) => p.text),
		["rm ", "U+202E", "gpj.exe", "U+0007", "\t\n"]);
	assert.deepEqual(pieces("👩‍🚀 é"), [{ text: "👩‍🚀 é", isMark: false }]);
	assert.equal(pieces("\u{e0041}")[0].text, "U+E0041");
});
