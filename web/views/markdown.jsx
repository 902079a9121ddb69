// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A text of Markdown, also while it grows: preact owns the box, md/nodes.js what is in it.
// Until md/ is loaded, the text is shown as it is.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
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

const md = signal(null);
let loading = null;

/** Load what shows Markdown; an agent's text will come soon. */
export function loadMarkdown() {
	loading ??= import("../md/markdown.js").then((file) => { md.value = file; },
		() => { loading = null; });
}

// Replace what changed; the text of an unchanged block keeps its selection.
function show(box, { nodesOf }, { from, blocks }) {
	while (box.childNodes.length > from) box.lastChild.remove();
	box.append(...blocks.map((block) => nodesOf(block, around)));
}

// The box with its text, by what was loaded.
class Shown {
	#frame = 0;

	constructor(box, kit) {
		Object.assign(this, { box, kit, lex: kit.lexer() });
		box.replaceChildren();
	}

	/** At most one rendering per frame, of the newest text. */
	grow(text) {
		this.text = text;
		this.#frame ||= requestAnimationFrame(() => {
			this.#frame = 0;
			show(this.box, this.kit, this.lex.feed(this.text));
		});
	}

	end(text) {
		this.stop();
		show(this.box, this.kit, this.lex.end(text));
		for (const node of this.box.childNodes) this.kit.finish(node);
	}

	stop() {
		cancelAnimationFrame(this.#frame);
		this.#frame = 0;
	}
}

/** @param {{text: string, isGrowing: boolean}} props */
export function Markdown({ text, isGrowing }) {
	const box = useRef();
	const shown = useRef(null);
	const kit = md.value;
	useLayoutEffect(() => {
		if (!kit) {
			loadMarkdown();
			box.current.textContent = text;
			return;
		}
		shown.current ??= new Shown(box.current, kit);
		if (isGrowing) shown.current.grow(text);
		else shown.current.end(text);
	}, [text, isGrowing, kit]);
	useEffect(() => () => shown.current?.stop(), []);
	return <div class={`prose ${kit ? "" : "plain"}`} dir="auto" ref={box} />;
}
