// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import { render } from "preact";

const root = document.getElementById("app");
const part = location.pathname.split("/").at(-1);

if (part === "agents" || part === "dashboard") {
	const { Board } = await import("../board/board.jsx");
	root.replaceChildren();
	render(<Board part={part} />, root);
} else {
	render(<h1>co-hostd</h1>, root);
}
