// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// measure.mjs URL ROUNDS: what the page costs in Debian's Chromium, beside a server whose agent
// understands "tokens N" (an answer of N pieces) and "rows N" (N events); bench/page starts it.
// Prints one JSON object: what was measured, in bytes, milliseconds and MB.
import { chromium } from "playwright-core";

const [url, rounds] = [process.argv[2], Number(process.argv[3] ?? 15)];
const TOKENS = 10_000;
const ROWS = 10_000;
const FRAMES = 300;
const SCROLL_PX = 60;
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true,
	hasTouch: true };

/** Networks of the browser's own throttle: kilobits and milliseconds. */
const NETWORKS = {
	none: null,
	"9 Mb/s, 40 ms": { kbps: 9000, latency: 40 },
	"1.6 Mb/s, 150 ms": { kbps: 1600, latency: 150 },
};

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic",
		"--enable-precise-memory-info"] });

function median(values) {
	const sorted = values.toSorted?.((a, b) => a - b) ?? [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)];
}

function quantile(values, q) {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** A page of a new visitor with its developer tools. */
async function visit(options = {}) {
	const context = await browser.newContext({ ...PHONE, ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(120_000);
	const tools = await context.newCDPSession(page);
	await tools.send("Network.enable");
	await tools.send("Performance.enable");
	return { context, page, tools };
}

/** Count the bytes of all replies, with their heads, and the requests. */
function meter(tools) {
	const count = { bytes: 0, requests: 0 };
	tools.on("Network.requestWillBeSent", () => { count.requests++; });
	tools.on("Network.loadingFinished", ({ encodedDataLength }) => {
		count.bytes += encodedDataLength;
	});
	return count;
}

const ready = (page) => page.waitForFunction(() => document.querySelector("#field")
	&& /ready/.test(document.querySelector("header .status")?.textContent));

async function say(page, text) {
	await page.locator("#field").fill(text);
	await page.getByRole("button", { name: "Send" }).click();
}

const answered = (page, text) => page.waitForFunction((wanted) =>
	[...document.querySelectorAll("main .prose")].some((node) => node.textContent.includes(wanted)),
text);

async function metrics(tools) {
	const { metrics } = await tools.send("Performance.getMetrics");
	return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

// ---- bytes ----

async function firstVisit(encoding) {
	const { context, page, tools } = await visit(
		{ extraHTTPHeaders: { "accept-encoding": encoding } });
	const count = meter(tools);
	await page.goto(url);
	await ready(page);
	await page.waitForTimeout(1000);
	const opened = { ...count };
	await say(page, "tokens 10");
	await answered(page, "end of 10");
	await page.waitForTimeout(500);
	const talked = { ...count };
	const again = meter(tools);
	await page.reload();
	await ready(page);
	await page.waitForTimeout(500);
	await context.close();
	return { opened, talked, again };
}

// ---- usable ----

/** Milliseconds from the navigation to the frame in which the field takes text. */
async function usable(network) {
	const { context, page, tools } = await visit();
	await page.addInitScript(() => {
		const seen = new MutationObserver(() => {
			const field = document.querySelector("#field");
			if (!field || field.disabled) return;
			seen.disconnect();
			requestAnimationFrame(() => setTimeout(() => { globalThis.__usable = performance.now(); }));
		});
		seen.observe(document, { childList: true, subtree: true });
	});
	await tools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
	if (network) await tools.send("Network.emulateNetworkConditions", { offline: false,
		latency: network.latency, downloadThroughput: network.kbps * 125,
		uploadThroughput: network.kbps * 125 });
	await page.goto(url);
	const ms = await (await page.waitForFunction(() => globalThis.__usable)).jsonValue();
	await context.close();
	return ms;
}

// ---- streaming ----

async function streaming(rate) {
	const { context, page, tools } = await visit();
	await page.goto(url);
	await ready(page);
	await say(page, "tokens 10");
	await answered(page, "end of 10");
	await tools.send("Emulation.setCPUThrottlingRate", { rate });
	const before = await metrics(tools);
	await say(page, `tokens ${TOKENS}`);
	await answered(page, `end of ${TOKENS}`);
	const after = await metrics(tools);
	await context.close();
	return (after.TaskDuration - before.TaskDuration) * 1000 / TOKENS;
}

// ---- many rows ----

async function scrolling() {
	const { context, page, tools } = await visit();
	await page.goto(url);
	await ready(page);
	await say(page, `rows ${ROWS}`);
	await answered(page, `end of ${ROWS}`);
	await page.waitForTimeout(1000);
	const frames = await page.evaluate(([n, px]) => new Promise((done) => {
		const log = document.querySelector("[role=log]");
		const times = [];
		let last = performance.now();
		const step = (now) => {
			times.push(now - last);
			last = now;
			log.scrollTop -= px;
			if (times.length < n) requestAnimationFrame(step);
			else done(times.slice(1));
		};
		requestAnimationFrame(step);
	}), [FRAMES, SCROLL_PX]);
	await tools.send("HeapProfiler.collectGarbage");
	const { JSHeapUsedSize, Nodes } = await metrics(tools);
	await context.close();
	return { p50: quantile(frames, 0.5), p99: quantile(frames, 0.99),
		late: frames.filter((ms) => ms > 34).length, frames: frames.length,
		heap_mb: JSHeapUsedSize / 1e6, nodes: Nodes };
}

const figures = { bytes: {}, usable: {}, streaming: {} };
for (const encoding of ["br", "gzip"]) figures.bytes[encoding] = await firstVisit(encoding);
for (const name of Object.keys(NETWORKS)) figures.usable[name] = [];
for (let i = 0; i < rounds; i++)
	for (const [name, network] of Object.entries(NETWORKS))
		figures.usable[name].push(await usable(network));
for (const rate of [1, 4]) figures.streaming[rate] = await streaming(rate);
figures.scrolling = await scrolling();
for (const [name, all] of Object.entries(figures.usable))
	figures.usable[name] = { median: median(all), least: Math.min(...all), most: Math.max(...all) };
console.log(JSON.stringify(figures));
await browser.close();
