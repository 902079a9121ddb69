// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A session as a text to keep or to show: its rows as JSON, or its items as Markdown.
import { NO_ITEMS, foldAll, itemsOf } from "./items.js";

/**
 * @param {{id: string, title: string, rows: object[]}} session
 * @returns {string}
 */
export function sessionAsJson({ id, title, rows }) {
	return JSON.stringify({ session_id: id, title, exported: new Date().toISOString(), rows },
		null, "\t") + "\n";
}

// A fence that is longer than any in the text.
function fenced(text, language = "") {
	const longest = Math.max(2, ...Array.from(text.matchAll(/`{3,}/g), ([run]) => run.length));
	const fence = "`".repeat(longest + 1);
	return `${fence}${language}\n${text.replace(/\n$/, "")}\n${fence}`;
}

const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
const quoted = (text) => text.split("\n").map((line) => `> ${line}`.trimEnd()).join("\n");

function tool({ name, args, status, result }) {
	const parts = [`**Tool ${name}** (${status})`];
	if (args && Object.keys(args).length) parts.push(fenced(textOf(args), "json"));
	if (result !== undefined) parts.push(fenced(textOf(result)));
	return parts.join("\n\n");
}

const answered = (item, said) => [quoted(item.text || item.tool),
	item.answer === undefined ? "No answer." : `Answer: ${said(item.answer)}`].join("\n\n");

const verdict = ({ approved, scope, feedback }) => (approved ? "yes" : "no")
	+ (approved && scope === "session" ? ", for this session" : "")
	+ (feedback ? `: ${feedback}` : "");

const WRITERS = {
	user: (item) => `## You\n\n${item.text}${item.images?.length
		? `\n\n(${item.images.length} images)` : ""}`,
	agent: (item) => `## Agent\n\n${item.text}`,
	thinking: (item) => quoted(item.text),
	tool,
	question: (item) => answered(item, textOf),
	approval: (item) => `**May ${item.tool} run?**\n\n${answered(item, verdict)}`,
	review: (item) => answered(item, textOf),
	plan: (item) => item.entries.map((entry) =>
		`- [${entry.status === "completed" ? "x" : " "}] ${entry.content}`).join("\n"),
	files: (item) => `Files: ${item.files.map((file) => file.name ?? file.path).join(", ")}`,
	image: () => "(an image)",
	terminal: (item) => fenced(item.text),
	error: (item) => `**Failed:** ${item.message} (${item.reason})`,
};

/**
 * @param {{id: string, title: string, rows: object[]}} session
 * @returns {string}
 */
export function sessionAsMarkdown({ id, title, rows }) {
	const parts = itemsOf(foldAll(NO_ITEMS, rows)).map((item) => WRITERS[item.kind]?.(item))
		.filter(Boolean);
	return [`# ${title || id}`, ...parts].join("\n\n") + "\n";
}
