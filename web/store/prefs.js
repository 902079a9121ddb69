// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What this browser prefers, as signals that are kept.
import { signal } from "@preact/signals-core";

/** Names and first values. */
const PREFS = {
	/** "auto", "light" or "dark" */
	theme: "auto",
	/** whether connections are sealed also where they need not be */
	seal: false,
	/** whether details of finished steps are open */
	details: false,
};

/**
 * Signals of all preferences; the kept values come a moment later, and other tabs' changes
 * when they are made.
 * @param {{disk: Promise<object>, channel?: BroadcastChannel}} o
 * @returns {Object<string, Signal>}
 */
export function openPrefs({ disk, channel }) {
	const prefs = {};
	for (const [name, first] of Object.entries(PREFS)) {
		const pref = signal(first);
		let known = first; // what is kept, or is about to be
		const learn = (value) => {
			if (typeof value !== typeof first) return;
			known = value;
			pref.value = value;
		};
		disk.then(async (d) => {
			const kept = await d.get("prefs", name);
			if (pref.value === known) learn(kept);
		});
		pref.subscribe(async (value) => {
			if (value === known) return;
			known = value;
			channel?.postMessage({ pref: name, value });
			await (await disk).put("prefs", name, value);
		});
		channel?.addEventListener("message", ({ data }) => {
			if (data?.pref === name) learn(data.value);
		});
		prefs[name] = pref;
	}
	return prefs;
}
