// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Output of terminals to nodes: colours by classes, no inline style. Loaded when the first
// text with escape sequences is shown.
import Anser from "anser";
import { visibleNodes } from "./marks.js";

// Titles, links, cursor movements and other sequences that are no colours.
const OTHER = /\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[P^_X][^\u001b]*\u001b\\|\[[0-9;?<=>]*[ -/]*[A-HJ-ln-~]|[()][0-9A-B]|[=>78DEHMNOZc])/g;

// A progress line is written again and again after a carriage return: its last state stays.
const lastStates = (text) => text.replace(/\r+\n/g, "\n")
	.replace(/^.*\r(?=[^\n])/gm, "").replace(/\r/g, "");

function classesOf(part) {
	const classes = [];
	if (part.fg?.startsWith("ansi-")) classes.push(`${part.fg}-fg`);
	if (part.bg?.startsWith("ansi-")) classes.push(`${part.bg}-bg`);
	for (const name of part.decorations ?? []) classes.push(`ansi-${name}`);
	return classes.filter((name) => /^ansi-[a-z0-9-]+$/.test(name)).join(" ");
}

/**
 * Nodes of a terminal's output.
 *
 * @param {string} text with escape sequences
 * @returns {(Node|string)[]} for append()
 */
export function ansiNodes(text) {
	const nodes = [];
	const clean = lastStates(text.replace(OTHER, ""));
	for (const part of Anser.ansiToJson(clean, { use_classes: true, remove_empty: true })) {
		const classes = classesOf(part);
		const inner = visibleNodes(part.content);
		if (!classes) {
			nodes.push(...inner);
			continue;
		}
		const span = document.createElement("span");
		span.className = classes;
		span.append(...inner);
		nodes.push(span);
	}
	return nodes;
}
