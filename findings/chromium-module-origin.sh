#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Debian's Chromium (seen with 156), driven by Playwright 1.61.1 (npm playwright-core): of the
# files of one page, all from its own origin, module scripts and their preloads are requested with
# an Origin header, and style sheets, images and classic scripts without one.
#
# A server that keeps foreign web pages away by Origin, as those of agents on a local network
# have to (a page by another host name has another Origin), therefore answers such a page with its
# style, and 403 for its scripts: it looks half alive. Firewalls that take an Origin header on a GET
# for a request across origins make the same mistake.
#
# Expected: a GET of the page's own origin has no Origin header, or all of its parts have one.
# Seen: Origin with <script type="module"> and <link rel="modulepreload">; none with <link
# rel="stylesheet">, <img> and <script>. Sec-Fetch-Site is same-origin for all of them.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
command -v chromium >/dev/null || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund playwright-core@1.61.1 >/dev/null || exit 2

cat >look.mjs <<'EOF'
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const PAGE = `<!doctype html><title>parts</title>
<link rel="stylesheet" href="style.css"><link rel="modulepreload" href="preload.js">
<script src="classic.js"></script><script type="module" src="module.js"></script>
<img src="image.svg" alt="">`;
const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };
const seen = {};
const http = createServer((req, res) => {
	const [, name, end] = /^\/(?:(\w+)\.(\w+))?/.exec(req.url);
	if (name) seen[name] = [req.headers.origin ? "Origin" : "none", req.headers["sec-fetch-site"]];
	res.setHeader("content-type", name ? TYPES[end] ?? "image/x-icon" : "text/html");
	res.end(name ? "" : PAGE);
});
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox"] });
console.log(`Chromium ${browser.version()}`);
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${http.address().port}/`, { waitUntil: "networkidle" });
await browser.close();
http.close();
const parts = ["style", "image", "classic", "module", "preload"];
for (const part of parts) console.log(part.padEnd(8), ...seen[part]);
const have = parts.map((part) => seen[part][0]).join(" ");
const isSame = parts.every((part) => seen[part][1] === "same-origin");
process.exit(have === "none none none Origin Origin" && isSame ? 0 : 1);
EOF
timeout 60 node look.mjs
