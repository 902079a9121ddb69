// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CHARS, MAX_LINE, MAX_LINES, Output } from "../board/ons_output.js";

const texts = (o) => o.lines.map((l) => l.text);

test("pieces that end anywhere make whole lines", () => {
	const o = new Output();
	for (const piece of ["a", "b\nc", "\n\nd"]) o.append(piece, false);
	assert.deepEqual(texts(o), ["ab", "c", "", "d"]);
	assert.deepEqual(o.lines.map((l) => l.n), [1, 2, 3, 4]);
	assert.equal(o.text(), "ab\nc\n\nd\n");
});

test("stdout and stderr are on lines of their own", () => {
	const o = new Output();
	o.append("out", false);
	o.append("err\n", true);
	o.append("more\n", false);
	assert.deepEqual(o.lines.map((l) => [l.stream, l.text]),
		[["out", "out"], ["err", "err"], ["out", "more"]]);
});

test("a carriage return writes the line anew, and CRLF is a line end", () => {
	const o = new Output();
	o.append("10 %\r20 %\r", false);
	assert.deepEqual(texts(o), ["20 %"]);
	o.append("30 %\r\ndone\r\n", false);
	assert.deepEqual(texts(o), ["30 %", "done"]);
});

test("a line knows the colours that were on before it", () => {
	const o = new Output();
	o.append("\x1b[1;31mred\nstill\x1b[0m\nplain\n", false);
	assert.deepEqual(o.lines.map((l) => l.sgr), ["", "\x1b[1;31m", ""]);
	o.append("\x1b[32ma\nb\x1b[0;34mc\nd", false);
	assert.deepEqual(o.lines.slice(3).map((l) => l.sgr), ["", "\x1b[32m", "\x1b[0;34m"]);
});

test("what the server says is missing is marked", () => {
	const o = new Output();
	o.append("a\n[co-hostd: 12 events are missing here: they were not read in time]\nb\n", true);
	assert.deepEqual(o.lines.map((l) => l.isGap), [false, true, false]);
});

test("the oldest lines go first, and are counted", () => {
	const o = new Output();
	const total = MAX_LINES * 3;
	for (let i = 1; i <= total; i++) o.append(`${i}\n`, false);
	assert.ok(o.lines.length <= MAX_LINES * 1.1);
	assert.equal(o.nDropped + o.lines.length, total);
	assert.equal(o.lines[0].text, String(o.nDropped + 1));
	assert.equal(o.lines[0].n, o.nDropped + 1);
	assert.equal(o.lines.at(-1).text, String(total));
});

test("lines of any length are bounded in memory", () => {
	const o = new Output();
	o.append("x".repeat(3 * MAX_CHARS), false);
	assert.ok(o.lines.every((l) => l.text.length <= 2 * MAX_LINE));
	assert.ok(o.chars <= MAX_CHARS * 1.1);
	assert.equal(o.chars, o.lines.reduce((sum, l) => sum + l.text.length, 0));
	assert.ok(o.nDropped > 0);
});
