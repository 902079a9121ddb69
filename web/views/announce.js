// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What a screen reader is told by itself: finished texts of the agent, questions at once, and
// changes of the state at most every two seconds. Tokens are not told.
import { effect } from "@preact/signals";
import { keyOf } from "./items.jsx";
import { model, status } from "./model.js";
import { questionLine } from "./question.jsx";
import { t } from "./strings.js";

const SAID_MAX = 400;
const STATE_MS = 2000;

function lastText(pages) {
	for (let i = pages.length - 1; i >= 0; i--)
		for (let j = pages[i].length - 1; j >= 0; j--)
			if (pages[i][j].kind === "agent") return pages[i][j];
	return null;
}

/** Begin. */
export function announce() {
	let said = null;
	let asked = null;
	let chat = null;
	effect(() => {
		const now = model.chat.value;
		if (!now) return;
		const item = lastText(now.pages.value);
		// What was there when the chat was opened is read, not announced.
		const isFirst = chat !== now || !now.turn.value.isRunning && said === null;
		if (item && !item.isStreaming && keyOf(item) !== said) {
			said = keyOf(item);
			if (!isFirst) model.polite.value = t("say.done",
				{ agent: model.agentName.peek(), text: item.text.slice(0, SAID_MAX) });
		}
		chat = now;
	});
	effect(() => {
		const question = model.chat.value?.question.value;
		if (question && keyOf(question) !== asked) model.urgent.value = t("say.ask",
			{ agent: model.agentName.peek(), text: questionLine(question) });
		asked = question ? keyOf(question) : null;
	});
	let timer = 0;
	effect(() => {
		const { text } = status.value;
		clearTimeout(timer);
		timer = setTimeout(() => { model.polite.value = text; }, STATE_MS);
	});
}
