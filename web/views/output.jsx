// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What tools are given and what they return: commands, changes, JSON, output of terminals.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { visibleNodes } from "../md/marks.js";
import { size } from "./format.js";
import { Shown } from "./parts.jsx";
import { t } from "./strings.js";

// Longer output is shown by its head and tail first.
const FOLD_MAX = 32 * 1024;
const HEAD = 16 * 1024;
const TAIL = 8 * 1024;
// Even then in slices, since one node of megabytes stops the page.
const SLICE = 256 * 1024;

const HAS_ESCAPES = /[\u001b\r]/;

function pretty(text) {
	if (!/^\s*[{[]/.test(text) || text.length > FOLD_MAX) return text;
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return text;
	}
}

/** A box of text as it is, with colours where it has escape sequences. */
export function Pre({ text, label, class: name = "" }) {
	const box = useRef();
	useLayoutEffect(() => {
		const node = box.current;
		if (!HAS_ESCAPES.test(text)) {
			node.replaceChildren(...visibleNodes(text));
			return undefined;
		}
		let isGone = false;
		import("../md/ansi.js").then(({ ansiNodes }) => {
			if (!isGone) node.replaceChildren(...ansiNodes(text));
		}, () => node.replaceChildren(...visibleNodes(text)));
		return () => { isGone = true; };
	}, [text]);
	return <pre ref={box} class={name} dir="auto" tabIndex={0} role="region" aria-label={label} />;
}

/** The output of a tool. @param {{text: string}} props */
export function Output({ text }) {
	const [shown, setShown] = useState(0);
	const label = t("item.result");
	if (!text) return <p class="hint">{t("item.noResult")}</p>;
	if (text.length <= FOLD_MAX) return <Pre text={pretty(text)} label={label} />;
	if (!shown) return (
		<>
			<Pre text={text.slice(0, HEAD)} label={label} />
			<div class="row">
				<span class="hint grow">
					{t("item.cut", { size: size(text.length - HEAD - TAIL) })}</span>
				<button type="button" class="small" onClick={() => setShown(SLICE)}>
					{t("item.showAll", { size: size(text.length) })}</button>
			</div>
			<Pre text={text.slice(-TAIL)} label={label} />
		</>
	);
	return (
		<>
			<Pre text={text.slice(0, shown)} label={label} />
			{shown < text.length && (
				<button type="button" class="small" onClick={() => setShown(shown + SLICE)}>
					{t("code.more")}</button>
			)}
		</>
	);
}

// Of a message, so much is shown first.
const TEXT_MAX = 4000;
const TEXT_SLICE = 64 * 1024;

/** Text that somebody wrote, shown in slices when it is long. @param {{text: string}} props */
export function LongText({ text, class: name = "" }) {
	const [shown, setShown] = useState(TEXT_MAX);
	return (
		<div class={name} dir="auto">
			{text.slice(0, shown)}
			{shown < text.length && <>…{" "}
				<button type="button" class="quiet small" onClick={() => setShown(shown + TEXT_SLICE)}>
					{t("item.showMore", { size: size(text.length) })}</button></>}
		</div>
	);
}

const textOf = (args, ...names) => names.map((name) => args[name])
	.find((value) => typeof value === "string");

function Change({ before, after }) {
	const lines = (text, sign, name) => text && text.replace(/\n$/, "").split("\n").slice(0, 500)
		.map((line) => <span class={name}>{sign} <Shown text={line} />{"\n"}</span>);
	return (
		<pre tabIndex={0} role="region" aria-label={t("item.change")}>
			{lines(before, "−", "diff-del")}{lines(after, "+", "diff-add")}
		</pre>
	);
}

/** The arguments of a tool: a command, a change of a file, or JSON. @param {{args: *}} props */
export function Arguments({ args }) {
	if (args === undefined || args === null) return null;
	const isObject = typeof args === "object" && !Array.isArray(args);
	const command = isObject && textOf(args, "command", "cmd", "script");
	const path = isObject && textOf(args, "path", "file_path", "filename", "file");
	const before = isObject && textOf(args, "old_string", "old_text", "old_str");
	const after = isObject && textOf(args, "new_string", "new_text", "new_str", "content");
	if (typeof command === "string") {
		const { command: _c, cmd: _d, script: _s, ...rest } = args;
		return (
			<div>
				<h4>{t("item.command")}</h4>
				<Pre text={command} label={t("item.command")} class="said" />
				{Object.keys(rest).length > 0 && <p class="hint mono"><Shown
					text={JSON.stringify(rest).slice(0, 500)} /></p>}
			</div>
		);
	}
	if (path && typeof after === "string") return (
		<div>
			<h4 class="mono"><Shown text={path} /></h4>
			<Change before={before || ""} after={after} />
		</div>
	);
	const text = typeof args === "string" ? args : JSON.stringify(args, null, 2);
	if (text === "{}") return null;
	return (
		<div>
			<h4>{t("item.arguments")}</h4>
			<Pre text={text.slice(0, SLICE)} label={t("item.arguments")} />
		</div>
	);
}

const KINDS = [
	["terminal", /shell|bash|command|exec|terminal|run|process/i],
	["edit", /edit|write|patch|replace|create_file/i],
	["file", /file|read|list|dir|folder/i],
	["search", /search|grep|glob|find|query/i],
	["globe", /web|browser|fetch|http|url|page|weather/i],
	["plan", /plan|todo/i],
	["image", /image|picture|screenshot/i],
];

/** The icon of a tool, by its name. @param {string} name @returns {string} */
export const toolIcon = (name) => KINDS.find(([, form]) => form.test(name))?.[0] ?? "tool";

/** One line about a call. @param {object} args @returns {string} */
export function summaryOf(args) {
	if (!args || typeof args !== "object") return String(args ?? "").slice(0, 200);
	const known = textOf(args, "command", "cmd", "path", "file_path", "query", "pattern", "url");
	const text = known ?? Object.values(args)
		.map((value) => typeof value === "string" ? value : JSON.stringify(value)).join(", ");
	return String(text).replace(/\s+/g, " ").slice(0, 200);
}
