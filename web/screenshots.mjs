// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// screenshots.mjs [FOLDER]: take pictures of the main states of the page (doc/screenshots).
// They show the scenes of test/fixtures/fake.js, so that they need no server and no luck.
import { chromium } from "playwright-core";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveScenes } from "./test/scenes.mjs";

const top = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(top, "../doc/screenshots");

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const SHOWN_MS = 500;
/** No picture may be larger. */
const MAX = 60_000;

/** Name of the picture, scene, device, colours. */
const PICTURES = [
	["welcome", "empty", DESKTOP, "light"],
	["answer", "answered", DESKTOP, "light"],
	["answer-dark", "answered", DESKTOP, "dark"],
	["working", "running", DESKTOP, "light"],
	["approval", "approval", DESKTOP, "light"],
	["question", "ask", PHONE, "light"],
	["review", "review", PHONE, "dark"],
	["working-phone", "running", PHONE, "dark"],
	["answer-phone", "answered", PHONE, "light"],
	["refused", "refused", PHONE, "light"],
	["code", "code", PHONE, "dark"],
	["offline", "lost", PHONE, "light"],
];

// WebP is half of PNG here; playwright-core writes only PNG and JPEG.
async function picture(page) {
	const devtools = await page.context().newCDPSession(page);
	const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 82 });
	return Buffer.from(data, "base64");
}

const { url, close } = await serveScenes();
const browser = await chromium.launch(
	{ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
await mkdir(folder, { recursive: true });
for (const [name, scene, device, colorScheme] of PICTURES) {
	const context = await browser.newContext({ ...device, colorScheme, locale: "en-GB",
		reducedMotion: "reduce" });
	const page = await context.newPage();
	await page.goto(`${url}#/s/${scene}`);
	await page.waitForTimeout(SHOWN_MS);
	const bytes = await picture(page);
	if (bytes.length > MAX) throw new Error(`${name} has ${bytes.length} bytes, over ${MAX}`);
	await writeFile(join(folder, `${name}.webp`), bytes);
	console.log(`${name}.webp ${bytes.length}`);
	await context.close();
}
await browser.close();
close();
