// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A session as a test: its inputs and answers are sent again, and the events that follow are
// compared with those of then. In the form of the stories in t/. Pure.

// Answers of people -> the frame that they send.
const ANSWERS = {
	ask_user: (answer) => ({ type: "ASK_USER_RESPONSE", answer }),
	approval_needed: (answer) => ({ type: "APPROVAL_RESPONSE", ...answer }),
	plan_review: (answer) => ({ type: "PLAN_REVIEW_RESPONSE", message: answer }),
};

// Rows that clients of other kinds are not sent, or whose number differs from run to run.
const SILENT = new Set(["start", "checkpoint", "assistant_delta"]);

/** A value as Perl. */
export function perl(value) {
	if (value === null || value === undefined) return "undef";
	if (value === true || value === false) return `JSON::PP::${value}`;
	if (typeof value === "number") return String(value);
	if (Array.isArray(value)) return `[${value.map(perl).join(", ")}]`;
	if (typeof value === "object")
		return `{ ${Object.entries(value).filter(([, v]) => v !== undefined)
			.map(([k, v]) => `${/^[a-z_]\w*$/i.test(k) ? k : perl(k)} => ${perl(v)}`)
			.join(", ")} }`;
	const text = String(value);
	if (!/[^\x20-\x7e]/.test(text)) return `'${text.replace(/[\\']/g, "\\$&")}'`;
	return `"${text.replace(/[\\"$@]/g, "\\$&").replace(/\n/g, "\\n").replace(/\t/g, "\\t")
		.replace(/[^\x20-\x7e]/gu, (c) => `\\x{${c.codePointAt(0).toString(16)}}`)}"`;
}

// The lines of one turn. What was asked is awaited before its answer is sent.
function turnOf(turn, rows) {
	const lines = ["", `# turn ${turn}`];
	let expected = [];
	const send = (frame) => lines.push(`$ws->send_json(${perl(frame)});`);
	const expect = (last) => {
		lines.push(`is_deeply upto('${last}'), [qw(${[...expected, last].join(" ")})],`,
			`    'turn ${turn} has the same events up to ${last}';`);
		expected = [];
	};
	for (const row of rows) {
		switch (row.type) {
		case "input":
			send({ type: "INPUT", prompt: row.prompt, images: row.images });
			break;
		case "more_input":
			send({ type: "INPUT", prompt: row.prompt });
			break;
		case "interrupt":
			send({ type: "INTERRUPT" });
			break;
		case "answer": {
			const asked = expected.lastIndexOf(row.kind);
			if (asked >= 0) {
				const after = expected.splice(asked + 1);
				expected.pop();
				expect(row.kind);
				expected = after;
			}
			if (ANSWERS[row.kind]) send(ANSWERS[row.kind](row.answer));
			break;
		}
		case "done":
			expect("OUTPUT");
			lines.push(`is $all[-1]{result}, ${perl(row.result)}, 'turn ${turn} has the same result';`);
			break;
		case "failed":
			expect("ERROR");
			break;
		default:
			if (!SILENT.has(row.type)) expected.push(row.type);
		}
	}
	return lines;
}

/**
 * A test that plays rows again.
 * @param {string} id of the session
 * @param {object[]} rows oldest first
 * @returns {string} a script for t/
 */
export function testCase(id, rows) {
	const turns = new Map();
	for (const row of rows) {
		if (!turns.has(row.turn)) turns.set(row.turn, []);
		turns.get(row.turn).push(row);
	}
	return [`#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# The session ${id.replace(/[^\x20-\x7e]/g, "?")}, played again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";

use CoHost;
use JSON::PP ();
use Test::More;

my $host = CoHost->start;
my $ws = $host->ws(session => {});
my @all;

# The types of the events up to one of this type; pieces of text and acknowledgements apart.
sub upto {
	@all = $ws->all_until(@_);
	return [grep { !/_ACK$|^assistant_delta$/ } map { $_->{type} } @all];
}`,
	...[...turns].flatMap(([turn, all]) => turnOf(turn, all)),
	"",
	"$host->stop;",
	"done_testing;",
	""].join("\n");
}
