// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Servers that do not take everybody: the page says why, and what one can do.
import { field, hasAnswer, say, status } from "./chat.mjs";
import { story } from "../test/story.mjs";

await story(async ({ open, visitor, allow, is, like, until, tell, checkAccess, shot }) => {
	// The browser itself writes of requests that are refused, as the list of sessions is.
	allow(/status of 403/);

	// ---- strict ----
	await tell("serve", "strict");
	const page = await open("/");
	await until(() => page.getByRole("heading", { name: "demo does not let you in" }).isVisible(),
		"a strict server is explained");
	await checkAccess(page, "a page that is not admitted");
	await shot(page, "strict");
	const [address] = (await page.locator("main").innerText()).match(/0x[0-9a-f]{64}/) ?? [];
	like(address, /^0x/, "a page that is not admitted shows the whole address to send");
	await tell("list", address);
	await page.getByRole("button", { name: "Try again" }).click();
	await until(() => field(page).isVisible(), "a caller who was listed meanwhile comes in");
	await say(page, "echo listed");
	await until(() => hasAnswer(page, /^listed$/), "a caller who is listed is answered");
	await page.close();

	// ---- a code ----
	await tell("serve", "code");
	const guest = await visitor("the page of a guest");
	guest.allow(/status of 403/, /WebSocket|ERR_/);
	const door = await guest.open("/");
	const code = door.getByLabel("Invite code");
	await until(() => code.isVisible(), "a server that wants a code asks for it");
	await checkAccess(door, "a page that asks for a code");
	await shot(door, "code");
	await code.fill("wrong");
	await door.getByRole("button", { name: "Continue" }).click();
	await until(async () => await code.isVisible()
		&& /invalid|wrong|not/i.test(await door.getByRole("alert").innerText()),
		"a wrong code is refused in place");
	await code.fill("let-me-in");
	await door.getByRole("button", { name: "Continue" }).click();
	await until(() => field(door).isVisible(), "the right code opens the chat");
	await say(door, "echo inside");
	await until(() => hasAnswer(door, /^inside$/), "a caller who came in by a code is answered");
	await door.reload();
	await until(async () => /ready/.test(await status(door)), "a code is asked for only once");
	await door.close();

	// ---- a clock that is wrong, storage that is forbidden ----
	await tell("serve", "signed");
	const late = await visitor("the page on a device whose clock is wrong");
	await late.context.addInitScript(() => {
		const Real = Date;
		const ahead = 10 * 60_000;
		globalThis.Date = class extends Real {
			constructor(...given) { super(...(given.length ? given : [Real.now() + ahead])); }
			static now() { return Real.now() + ahead; }
		};
	});
	const clock = await late.open("/");
	await say(clock, "echo in time");
	await until(() => hasAnswer(clock, /^in time$/), "a clock that is 10 minutes ahead keeps nobody out");

	const still = await visitor("the page whose browser refuses changes of the history");
	await still.context.addInitScript(() => {
		history.pushState = history.replaceState = () => {
			throw new DOMException("too often", "SecurityError");
		};
	});
	const same = await still.open("/");
	await say(same, "echo same address");
	await until(() => hasAnswer(same, /^same address$/), "a page whose address stays works");

	const bare = await visitor("the page without storage");
	await bare.context.addInitScript(() => {
		for (const name of ["indexedDB", "localStorage", "sessionStorage"]) {
			Object.defineProperty(globalThis, name,
				{ get() { throw new DOMException("storage is forbidden", "SecurityError"); } });
		}
	});
	const memory = await bare.open("/");
	await say(memory, "echo remembered");
	await until(() => hasAnswer(memory, /^remembered$/), "a page without storage works");
	like(await memory.locator("body").innerText(), /stores nothing/,
		"a page without storage says that it keeps nothing");
});
