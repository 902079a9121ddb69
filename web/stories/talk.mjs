// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// From the first visit to the first answer, and all that an agent may ask.
import { readFile } from "node:fs/promises";
import { answers, field, hasAnswer, prompts, say, status } from "./chat.mjs";
import { story } from "../test/story.mjs";

await story(async ({ open, url, is, ok, like, until, checkAccess, shot }) => {
	const page = await open("/");
	await until(() => page.getByRole("heading", { level: 1, name: "demo" }).isVisible(),
		"the page shows the name of the agent");
	await until(() => field(page).evaluate((node) => node === document.activeElement),
		"a first visit has the focus in the field");
	await page.getByRole("button", { name: "What is 42 * 17?" }).click();
	is(await field(page).inputValue(), "What is 42 * 17?", "an example fills the field");
	like(page.url(), /^[^#]*(?:#\/?(?:new)?)?$/, "a visit alone makes no session");
	await field(page).press("Enter");
	await until(() => hasAnswer(page, /^The result of 42 \* 17 is 714\.$/),
		"the first prompt is answered");
	like(page.url(), /#\/s\/[\w-]+$/, "a session has an address");
	is(await prompts(page), ["What is 42 * 17?"], "the prompt is shown once");
	await until(async () => /ready/.test(await status(page)), "the page is ready after a turn");

	await page.locator("main details.step").first().locator("summary").click();
	await until(async () => /714/.test(await page.locator("main details.step").first().innerText()),
		"a tool call opens to its result");
	await checkAccess(page, "a page with an answer");

	await say(page, "ask Which colour?|red|blue");
	await until(async () => /waiting for you/.test(await status(page)), "the page says that it waits");
	await checkAccess(page, "a page with a question");
	await page.getByRole("radio", { name: "red" }).check();
	await page.getByRole("button", { name: "Send answer" }).click();
	await until(() => hasAnswer(page, /\bred\b/), "a chosen answer reaches the agent");

	await say(page, "approve shell");
	await until(() => page.getByRole("heading", { name: /May demo use shell/ }).isVisible(),
		"an approval is asked for");
	await checkAccess(page, "a page with an approval");
	await page.getByRole("button", { name: "Allow once" }).click();
	await until(async () => (await answers(page)).length === 3, "an approved tool runs");

	await say(page, "plan dig|build");
	await page.getByRole("button", { name: /^Ask for changes/ }).click();
	await page.getByRole("textbox", { name: "What to change" }).fill("paint it, too");
	await page.getByRole("button", { name: "Send changes" }).click();
	await until(() => hasAnswer(page, /paint it, too/), "a review of a plan reaches the agent");

	await say(page, "sleep 60000");
	await page.getByRole("button", { name: "Stop" }).click();
	await until(async () => /ready/.test(await status(page)), "a turn can be stopped");

	await say(page, "fail on purpose");
	await until(() => page.getByRole("button", { name: "Try again" }).isVisible(),
		"a failed turn can be tried again");
	await shot(page, "talk");

	const seen = [await prompts(page), await answers(page)];
	await page.reload();
	await until(async () => (await prompts(page)).length === seen[0].length
		&& (await answers(page)).length === seen[1].length, "a reload shows the whole conversation");
	is([await prompts(page), await answers(page)], seen, "a reload shows it as it was");

	const [id] = page.url().match(/[\w-]+$/);
	const plain = await open(`/#/s/${id.replaceAll("-", "")}`);
	await until(async () => (await prompts(plain)).length === seen[0].length,
		"a chat opens by its UUID without dashes");
	await until(async () => /ready/.test(await status(plain)),
		"a chat by its UUID without dashes is ready");
	is(await plain.locator(".notice").allInnerTexts(), [],
		"the page warns of nothing at a chat by its UUID without dashes");
	await plain.close();

	for (const [item, pattern] of [["Export as Markdown", /^## You\n\nWhat is 42/m],
		["Export as JSON", /"type": "tool_result"/]]) {
		const saved = page.waitForEvent("download");
		await page.getByRole("button", { name: /^Actions for What is 42/ }).click();
		await page.getByRole("menuitem", { name: item }).click();
		like(await readFile(await (await saved).path(), "utf8"), pattern,
			`"${item}" saves the whole conversation`);
	}

	await page.getByRole("button", { name: "New chat" }).first().click();
	await until(async () => (await prompts(page)).length === 0, "a new chat is empty");
	ok(!page.url().includes("/s/"), "a new chat has no session yet");
	await until(() => field(page).evaluate((node) => node === document.activeElement),
		"a new chat has the focus in its field");
	const me = page.getByRole("button", { name: /^0x/ }).first();
	await me.click();
	await page.getByRole("dialog").getByRole("heading").first().waitFor();
	await page.keyboard.press("Escape");
	await until(() => me.evaluate((node) => node === document.activeElement),
		"a dialog that is closed gives the focus back");
	await say(page, "echo once more");
	await until(() => hasAnswer(page, /^once more$/), "a chat after another one is answered");
	is(await field(page).inputValue(), "", "a message of a chat after another one leaves the field");
	like(page.url(), /#\/s\/[\w-]+$/, "a chat after another one has an address");

	await page.getByRole("button", { name: "New chat" }).first().click();
	await field(page).fill("not said yet");
	const isKept = async () => await field(page).inputValue() === "not said yet";
	await page.goBack();
	await until(async () => (await prompts(page)).length === 1, "the way back is the chat before");
	await page.goForward();
	await until(isKept, "the way forward leads to what was typed in a new chat");
	await page.reload();
	await until(isKept, "a reload keeps what was typed in a new chat");
	await field(page).press("Enter");
	await until(async () => (await answers(page)).length === 1, 
		"what was typed before a reload can be said after it");
	await page.goBack();
	await until(async () => (await prompts(page)).length === 0 && !await field(page).inputValue(),
		"the way back from a chat leads to a new one");

	await page.goto("about:blank");
	await page.goto(new URL("#/s/%E0%A4%A", url).href);
	await until(async () => /ready|not admitted/.test(await status(page)),
		"a link that was cut opens the page");
});
