// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A story about stories: a page that does what it should not, whose checks have to fail.
import { createServer } from "node:http";
import { story } from "../test/story.mjs";

const PAGE = `<!doctype html><html lang="en"><head><title>bad</title>
<script src="bad.js"></script></head>
<body><img src="http://other.invalid/x.png"><button></button></body></html>`;
const SCRIPT = `console.error("something to read");
setTimeout(() => { throw new Error("nobody catches this"); });
try { document.documentElement.innerHTML = "x"; } catch { }`;

const server = createServer((request, response) => {
	response.setHeader("content-security-policy", "default-src 'self'; img-src *; "
		+ "require-trusted-types-for 'script'; trusted-types 'none'");
	response.setHeader("content-type", request.url === "/bad.js" ? "text/javascript" : "text/html");
	response.end(request.url === "/bad.js" ? SCRIPT : PAGE);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

await story(async ({ open }) => {
	const page = await open("/");
	await page.waitForLoadState("networkidle");
}, { url: `http://127.0.0.1:${server.address().port}` });
