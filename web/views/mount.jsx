// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import { render } from "preact";
import { announce } from "./announce.js";
import { App } from "./app.jsx";
import { listen } from "./keys.js";
import { model } from "./model.js";

/** Show the page. @param {object} backend what the model asks, see model.js */
export function mount(backend) {
	model.start(backend);
	const root = document.getElementById("app");
	root.replaceChildren();
	render(<App />, root);
	listen();
	announce();
}
