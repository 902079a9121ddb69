// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A text of Markdown, also while it grows: preact owns the box, md/nodes.js what is in it.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { lexer } from "../md/lex.js";
import { finish, nodesOf } from "../md/nodes.js";
import { copyText } from "./parts.jsx";
import { t } from "./strings.js";

const around = {
	labels: {
		copy: t("code.copy"), code: t("code.code"), table: t("code.table"),
		image: t("code.image"), done: t("code.done"), open: t("code.open"),
		more: t("code.more"),
	},
	async onCopy(text, button) {
		if (!await copyText(text)) return;
		button.textContent = t("item.copied");
		setTimeout(() => { button.textContent = t("code.copy"); }, 2000);
	},
};

/* Replace what changed; the text of an unchanged block keeps its selection. */
function show(box, { from, blocks }) {
	while (box.childNodes.length > from) box.lastChild.remove();
	const nodes = blocks.map((block) => nodesOf(block, around));
	box.append(...nodes);
}

/** @param {{text: string, isGrowing: boolean}} props */
export function Markdown({ text, isGrowing }) {
	const box = useRef();
	const lex = useRef();
	const frame = useRef(0);
	lex.current ??= lexer();
	useLayoutEffect(() => {
		if (!isGrowing) {
			cancelAnimationFrame(frame.current);
			frame.current = 0;
			show(box.current, lex.current.end(text));
			for (const node of box.current.childNodes) finish(node);
			return;
		}
		/* At most one rendering per frame, of the newest text. */
		lex.current.text = text;
		frame.current ||= requestAnimationFrame(() => {
			frame.current = 0;
			if (box.current) show(box.current, lex.current.feed(lex.current.text));
		});
	}, [text, isGrowing]);
	useEffect(() => () => cancelAnimationFrame(frame.current), []);
	return <div class="prose" dir="auto" ref={box} />;
}
