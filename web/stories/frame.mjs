// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// HTML of the agent in frame.html: it runs, and reaches nothing.
import { story } from "../test/story.mjs";

const HTML = `<!doctype html><title>board</title><style>p { color: rgb(1, 2, 3) }</style>
<p id="seen" style="margin: 7px">figures</p><script>
const says = { origin: self.origin, refused: [] };
addEventListener("securitypolicyviolation", (e) => says.refused.push(e.effectiveDirective));
says.style = getComputedStyle(document.querySelector("p")).color;
says.margin = getComputedStyle(document.querySelector("p")).marginTop;
try { localStorage.x = 1; says.storage = "there"; } catch (e) { says.storage = e.name; }
try { says.parent = parent.document.title; } catch (e) { says.parent = e.name; }
try { document.cookie = "a=b"; says.cookie = "there"; } catch (e) { says.cookie = e.name; }
Promise.allSettled([fetch("info"), fetch("http://other.invalid/"),
	new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no;
		i.src = "http://other.invalid/x.png"; })])
	.then((all) => { says.network = all.map((r) => r.status); parent.postMessage(says, "*"); });
<\/script>`;

await story(async ({ open, allow, is, ok }) => {
	allow(/other\.invalid|connect-src|Fetch API cannot load|Refused to connect|Content Security Policy/);
	const page = await open("/");
	const says = await page.evaluate((html) => new Promise((done) => {
		addEventListener("message", ({ data, source }) => {
			if (source === frame.contentWindow) done(data);
		});
		const frame = document.createElement("iframe");
		frame.title = "page of the agent";
		frame.setAttribute("sandbox", "allow-scripts");
		frame.src = "frame.html";
		frame.onload = () => frame.contentWindow.postMessage(html, "*");
		document.querySelector("main, #app").append(frame);
	}), HTML);
	is(says.style, "rgb(1, 2, 3)", "HTML of the agent has its styles");
	is(says.margin, "7px", "HTML of the agent has its inline styles");
	is(says.storage, "SecurityError", "HTML of the agent has no storage");
	is(says.cookie, "SecurityError", "HTML of the agent has no cookies");
	is(says.parent, "SecurityError", "HTML of the agent cannot read the page");
	is(says.origin, "null", "HTML of the agent has an origin of its own");
	is(says.network, ["rejected", "rejected", "rejected"], "HTML of the agent has no network");
	is(says.refused.sort(), ["connect-src", "connect-src", "img-src"],
		"the policy of the frame keeps HTML of the agent from the network");
	ok(await page.frames().at(-1).locator("#seen").isVisible(), "HTML of the agent is seen");
});
