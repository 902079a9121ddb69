// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Plain http by a name: WebCrypto is not there, so the page signs without it, and seals. A name
// that is not the server's is told, with the setting that would make it one.
import { hasAnswer, say, status } from "./chat.mjs";
import { story } from "../test/story.mjs";

const at = (name) => {
	const url = new URL(process.env.STORY_URL);
	url.hostname = name;
	return url.href;
};

await story(async ({ visitor, is, like, until, shot }) => {
	const known = await visitor("the page by a name of the server", { url: at("agent.test") });
	const page = await known.open("/");
	is(await page.evaluate(() => Boolean(globalThis.crypto?.subtle)), false,
		"a page by plain http has no WebCrypto");
	await say(page, "echo sealed");
	await until(() => hasAnswer(page, /^sealed$/), "a page without WebCrypto signs and seals");
	await page.getByRole("button", { name: "Details" }).click();
	like(await page.locator("aside.pane").innerText(), /sealed end to end/,
		"the page says that its connection is sealed");
	like(await page.locator("body").innerText(), /plain http/, "the page warns of plain http");
	await shot(page, "sealed");
	await page.reload();
	await until(async () => /ready/.test(await status(page)), "a sealed page can be reloaded");

	const foreign = await visitor("the page by a foreign name", { url: at("other.test") });
	foreign.allow(/WebSocket connection to|status of 403/);
	const lost = await foreign.open("/");
	await say(lost, "echo lost").catch(() => {});
	await until(async () => /allowed_hosts/.test(await lost.locator("body").innerText()),
		"a page by a foreign name says which setting is missing");
}, { args: ["--host-resolver-rules=MAP *.test 127.0.0.1"] });
