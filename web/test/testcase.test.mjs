// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { perl, testCase } from "../board/testcase.js";

test("values survive the way to Perl and back", () => {
	const values = ["a'b\\c", "$x @y \"q\"\n\t", "日本 \u202e 🎉", "#{[1]}", 12, 1.5, null, [1, ["x"]],
		{ a: 1, "b-c": { d: "e" } }];
	const script = `use JSON::PP; print JSON::PP->new->utf8->canonical->allow_nonref->encode(${
		perl(values)});`;
	assert.deepEqual(JSON.parse(execFileSync("perl", ["-e", script], { encoding: "utf8" })), values);
});

const rows = [
	{ pos: 1, turn: 1, type: "input", prompt: "ask Which?|red|green" },
	{ pos: 2, turn: 1, type: "start" },
	{ pos: 3, turn: 1, type: "user_input" },
	{ pos: 4, turn: 1, type: "ask_user", question: "Which?" },
	{ pos: 5, turn: 1, type: "answer", kind: "ask_user", answer: "green", question: 4 },
	{ pos: 6, turn: 1, type: "assistant", content: "You answered: green" },
	{ pos: 7, turn: 1, type: "done", result: "You answered: green" },
	{ pos: 8, turn: 2, type: "input", prompt: "fail it's me" },
	{ pos: 9, turn: 2, type: "failed", message: "no" },
];

test("a session becomes a script: what was asked is awaited before its answer is sent", () => {
	const script = testCase("tour", rows);
	const lines = script.split("\n");
	const at = (text) => lines.findIndex((line) => line.includes(text));
	assert.ok(at("[qw(user_input ask_user)]") > at("ask Which?|red|green"));
	assert.ok(at("ASK_USER_RESPONSE") > at("[qw(user_input ask_user)]"));
	assert.ok(at("[qw(assistant OUTPUT)]") > at("ASK_USER_RESPONSE"));
	assert.ok(at("'fail it\\'s me'") > at("# turn 2"));
	assert.ok(at("[qw(ERROR)]") > at("# turn 2"));
});

test("a session's script is Perl", () => {
	const lib = `${process.env.TOP_SRCDIR ?? ".."}/t/lib`;
	execFileSync("perl", ["-c", `-I${lib}`], { input: testCase("x\n'; die", rows),
		cwd: new URL("..", import.meta.url), stdio: ["pipe", "pipe", "pipe"] });
});
