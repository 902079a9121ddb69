// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A turn of many steps while the page is reloaded, its network is cut, workers are killed and
// the server is restarted: each step is seen once, in order.
import { field, hasAnswer, prompts, say, status, steps, upTo } from "./chat.mjs";
import { lineTo } from "../test/line.mjs";
import { story } from "../test/story.mjs";

const line = await lineTo(process.env.STORY_URL);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

await story(async ({ open, allow, is, until, tell }) => {
	// The browser itself writes of connections that break.
	allow(/WebSocket connection to|net::ERR_/);

	const page = await open("/");
	const stream = async (n, ms, meanwhile) => {
		await say(page, `stream ${n} ${ms}`);
		await until(async () => (await steps(page)).length > 3, `a turn of ${n} steps begins`);
		await meanwhile();
		await until(() => hasAnswer(page, new RegExp(`^Streamed ${n} steps\\.$`)),
			`a turn of ${n} steps comes to its end`);
		const seen = await steps(page);
		is(seen.slice(-n), upTo(n), `each of ${n} steps is shown once, in order`);
		return seen.length;
	};

	await stream(30, 50, () => page.reload());
	is(await prompts(page), ["stream 30 50"], "a page reloaded during a turn shows its prompt once");

	await stream(60, 30, async () => {
		for (let i = 0; i < 4; i++) {
			line.cut();
			await pause(300);
		}
	});

	await stream(200, 20, async () => {
		for (let i = 0; i < 3; i++) {
			await tell("kill_worker");
			await pause(1000);
		}
	});

	line.down();
	await until(async () => !/ready/.test(await status(page)), "the page says that it has no connection");
	await say(page, "echo after the cut");
	await until(async () => (await prompts(page)).includes("echo after the cut"),
		"what is written without a connection is shown");
	line.up();
	await until(() => hasAnswer(page, /^after the cut$/),
		"what was written without a connection is sent when it is back");
	is((await prompts(page)).filter((text) => text === "echo after the cut").length, 1,
		"what was written without a connection is sent once");

	await field(page).fill("a draft");
	await tell("restart");
	await until(async () => /ready/.test(await status(page)), "the page comes back to a restarted server");
	is(await field(page).inputValue(), "a draft", "a draft survives the restart of the server");
	await say(page, "echo again");
	await until(() => hasAnswer(page, /^again$/), "a restarted server answers");
	await page.reload();
	await until(async () => {
		await page.getByRole("log").evaluate((node) => { node.scrollTop = 0; });
		return (await prompts(page)).length === 5;
	}, "a reader who scrolls up finds all that was said before the restart");
	line.close();
}, { url: line.url });
