#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# Playwright 1.61.1 (npm playwright-core) with Debian's Chromium (seen with 156): a page that the
# test sets offline keeps the WebSocket that it has open, and loses nothing of it.
#
# context.setOffline(true), which is the emulation of the developer tools, makes navigator.onLine
# false and fails each new request. The WebSocket that is open already is only held: it stays open,
# what either side says meanwhile is delivered when the context is online again, and no "close"
# comes. So a story that tests with it how a client comes back after a loss passes without any
# reconnection; the line has to be cut elsewhere, such as in a proxy of the test.
#
# Expected: the open WebSocket breaks, as it does when a network goes: "close" with 1006, and what
# was on its way is lost.
# Seen: readyState 1 and no close; what the page and the server sent while offline arrives after
# the return.
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
command -v chromium >/dev/null || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund playwright-core@1.61.1 ws@8.23.0 >/dev/null || exit 2

cat >look.mjs <<'EOF'
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { WebSocketServer } from "ws";

const http = createServer((req, res) => res.end("<!doctype html><title>echo</title>"));
const heard = []; // by the server
let peer;
new WebSocketServer({ server: http }).on("connection", (ws) => {
	peer = ws;
	ws.on("message", (m) => { heard.push(String(m)); ws.send(`echo of ${m}`); });
});
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const address = `127.0.0.1:${http.address().port}`;

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox"] });
console.log(`Chromium ${browser.version()}`);
const context = await browser.newContext();
const page = await context.newPage();
await page.goto(`http://${address}/`);
await page.evaluate((to) => new Promise((done) => {
	globalThis.closes = 0;
	globalThis.got = [];
	globalThis.ws = new WebSocket(`ws://${to}/`);
	ws.onmessage = ({ data }) => got.push(data);
	ws.onclose = () => closes++;
	ws.onopen = done;
}), address);

const look = async () => JSON.stringify({ heard, ...await page.evaluate(async () => ({
	fetched: await fetch("/", { cache: "no-store" }).then(() => "works", () => "fails"),
	onLine: navigator.onLine, got, readyState: ws.readyState, closes })) });
await context.setOffline(true);
await page.evaluate(() => ws.send("from the page"));
peer.send("from the server");
await page.waitForTimeout(3000);
const offline = await look();
await context.setOffline(false);
await page.waitForTimeout(2000);
const again = await look();
console.log("offline:     ", offline);
console.log("online again:", again);
await browser.close();
http.close();
const { onLine, fetched, readyState } = JSON.parse(offline);
const { got, closes } = JSON.parse(again);
const isSo = !onLine && fetched === "fails" && readyState === 1 && closes === 0
	&& got.includes("from the server") && got.includes("echo of from the page");
process.exit(isSo ? 0 : 1);
EOF
timeout 60 node look.mjs
