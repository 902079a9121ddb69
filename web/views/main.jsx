// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import { openHost } from "../store/host.js";
import { mount } from "./mount.jsx";

// A proxy may serve the page below a path of its own.
const base = new URL(".", document.baseURI).href.replace(/\/$/, "");

const host = openHost({
	base,
	channel: "BroadcastChannel" in globalThis ? new BroadcastChannel("co-hostd") : undefined,
});
addEventListener("online", () => host.wake());
addEventListener("pageshow", ({ persisted }) => persisted && host.wake());
addEventListener("pagehide", () => host.sleep());
document.addEventListener("visibilitychange", () =>
	document.hidden ? host.sleep() : host.wake());
mount(host);
