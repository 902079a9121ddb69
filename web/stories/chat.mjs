// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What stories do in a chat, and how they read it. Only what people see counts: roles, names
// and texts, and the keys of items where each has to be there once.

/** The field for messages. */
export const field = (page) => page.getByRole("textbox", { name: /^Message to/ });

/** Write a message and send it. */
export async function say(page, text) {
	await field(page).fill(text);
	await page.getByRole("button", { name: /^(Send|Add)$/ }).click();
}

/** The texts of the agent's answers, oldest first. */
export const answers = (page) => page.locator("main .prose").allInnerTexts();

/** What people said, oldest first. */
export const prompts = (page) => page.locator("main .bubble").allInnerTexts();

/** Whether an answer of the agent matches. */
export const hasAnswer = async (page, pattern) => (await answers(page)).some((text) => pattern.test(text));

/** The word beside the dot at the top. */
export const status = (page) => page.locator("header .status").innerText();

/** The steps of the demo agent's "stream", by their numbers, in the order of the page. */
export async function steps(page) {
	await page.evaluate(() => {
		for (const group of document.querySelectorAll("main .item:not([data-key]) > details"))
			group.open = true;
	});
	return page.evaluate(() => [...document.querySelectorAll("main .item[data-key*=':tool:']")]
		.map((item) => Number(item.dataset.key.match(/-(\d+)$/)?.[1])));
}

/** 0, 1, ... n - 1: each step once, in order. */
export const upTo = (n) => [...Array(n).keys()];
