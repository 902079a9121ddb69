// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Two tabs of one person, and a phone.
import { field, hasAnswer, prompts, say, status } from "./chat.mjs";
import { PHONE, story } from "../test/story.mjs";

await story(async ({ open, visitor, is, ok, until, shot }) => {
	const one = await open("/");
	await say(one, "ask Which colour?|red|blue");
	await until(() => one.getByRole("radio", { name: "red" }).isVisible(), "the first tab is asked");
	const two = await open("/" + new URL(one.url()).hash);
	await until(() => two.getByRole("radio", { name: "red" }).isVisible(),
		"the second tab shows the question of a running turn");
	await field(one).fill("half a sent");
	await field(one).focus();
	await two.getByRole("radio", { name: "blue" }).check();
	await two.getByRole("button", { name: "Send answer" }).click();
	for (const [page, name] of [[one, "first"], [two, "second"]]) {
		await until(() => hasAnswer(page, /\bblue\b/), `the ${name} tab shows the answer`);
		await until(async () => await page.getByRole("radio").count() === 0,
			`the question is closed in the ${name} tab`);
	}
	is(await field(one).inputValue(), "half a sent", "what is being written in the other tab stays");
	ok(await field(one).evaluate((node) => node === document.activeElement),
		"the focus stays where it was when the other tab answers");
	await say(two, "echo from two");
	await until(() => hasAnswer(one, /^from two$/), "a prompt of the other tab is answered in both");
	is((await prompts(one)).length, 2, "a prompt of the other tab is shown once");

	const phone = await visitor("the page on a phone", PHONE);
	const small = await phone.open("/");
	await say(small, "stream 12 30");
	await until(() => hasAnswer(small, /^Streamed 12 steps\.$/), "a turn runs on a phone");
	is(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
		"the page does not scroll sideways on a phone");
	const sizes = await small.evaluate(() => [...document.querySelectorAll("button")]
		.filter((node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
		.map((node) => [node.ariaLabel ?? node.innerText, node.getBoundingClientRect()])
		.filter(([, { width, height }]) => width > 0 && (width < 44 || height < 44))
		.map(([name, { width, height }]) => `${name}: ${width} x ${height}`));
	is(sizes, [], "buttons on a phone are at least 44 pixels high and wide");
	await shot(small, "phone");
	await small.getByRole("button", { name: "Chats" }).click();
	await until(() => small.getByRole("button", { name: "New chat" }).first().isVisible(),
		"the chats open on a phone");
	await shot(small, "phone-chats");
});
