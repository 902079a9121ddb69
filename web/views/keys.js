// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Keys of the whole page. Those without Ctrl or Alt do nothing while one types.
import { model } from "./model.js";

const isTyping = (node) => node?.matches?.("input, textarea, select, [contenteditable]");

function move(step) {
	const items = [...document.querySelectorAll(".transcript .item")];
	if (!items.length) return;
	const here = document.activeElement?.closest?.(".item");
	const at = here ? items.indexOf(here) + step : step < 0 ? items.length - 1 : 0;
	const next = items[Math.max(0, Math.min(items.length - 1, at))];
	next.focus({ preventScroll: true });
	next.scrollIntoView({ block: "nearest" });
}

function withControl(e) {
	if (e.key === ".") {
		if (model.chat.value?.turn.value.isRunning) model.chat.value.interrupt();
	} else if (e.key.toLowerCase() === "k") {
		model.isSideOpen.value = true;
		requestAnimationFrame(() => document.getElementById("search")?.focus());
	} else if (e.shiftKey && e.key.toLowerCase() === "o") {
		model.newChat();
	} else {
		return;
	}
	e.preventDefault();
}

function plain(e) {
	if (isTyping(e.target) || document.querySelector("dialog[open]")) return;
	if (e.key === "/") {
		e.preventDefault();
		model.composer?.focus();
	} else if (e.key === "?") {
		model.dialog.value = "keys";
	} else if (e.key === "Escape") {
		model.isSideOpen.value = false;
		model.isPaneOpen.value = false;
	}
}

/** Listen to the keys. */
export function listen() {
	addEventListener("keydown", (e) => {
		if (e.defaultPrevented || e.isComposing || model.route.value.name === "board") return;
		if ((e.ctrlKey || e.metaKey) && !e.altKey) return withControl(e);
		if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
			e.preventDefault();
			return move(e.key === "ArrowUp" ? -1 : 1);
		}
		if (e.key === "Escape" && e.target.id === "search") model.isSideOpen.value = false;
		if (!e.ctrlKey && !e.altKey && !e.metaKey) plain(e);
	});
}
