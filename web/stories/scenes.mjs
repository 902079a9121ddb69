// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Every state of the page (test/fixtures/fake.js), each in one of four forms: it says what it
// should, fits the screen, and can be used by everybody (axe-core). What people do in them asks
// the backend for the right thing.
import { serveScenes } from "../test/scenes.mjs";
import { DESKTOP, PHONE, story } from "../test/story.mjs";

const FORMS = {
	"a light desktop": { ...DESKTOP, colorScheme: "light" },
	"a dark phone": { ...PHONE, colorScheme: "dark" },
	"a narrow window": { viewport: { width: 320, height: 568 }, reducedMotion: "reduce" },
	"a dark desktop": { ...DESKTOP, colorScheme: "dark" },
};

/** Scene, form, what it says. */
const SCENES = [
	["empty", "a narrow window", "What can ops-agent do for you?"],
	["answered", "a light desktop", "Two of the 14 failures"],
	["running", "a dark phone", "The first deployment is"],
	["approval", "a narrow window", "May ops-agent use shell?"],
	["ask", "a dark desktop", "Where should I deploy first?"],
	["several", "a light desktop", "Which services may I restart?"],
	["review", "a dark phone", "Do you approve this plan?"],
	["records", "a dark desktop", "This did not work"],
	["refused", "a dark phone", "ops-agent does not let you in"],
	["code", "a narrow window", "An invite code is needed"],
	["lost", "a light desktop", "will be sent when the connection is back"],
	["rtl", "a dark phone", "ירושלים"],
];

const scenes = await serveScenes();

await story(async ({ visitor, is, ok, until, checkAccess }) => {
	const pages = new Map();
	for (const [form, options] of Object.entries(FORMS)) {
		const one = await visitor(form, { ...options, url: scenes.url });
		pages.set(form, await one.open("/"));
	}
	// Scenes are shown one after another in the same pages, as chats are.
	const open = async (scene, form = "a light desktop") => {
		const page = pages.get(form);
		await page.evaluate((name) => { location.hash = `#/s/${name}`; }, scene);
		await page.waitForFunction((name) => globalThis.model?.chat.value?.id === name, scene);
		return page;
	};
	const calls = (page) => page.evaluate(() => globalThis.calls.splice(0));

	for (const [scene, form, text] of SCENES) {
		const page = await open(scene, form);
		await until(() => page.locator("main").getByText(text).first().isVisible(),
			`the scene "${scene}" says "${text}" on ${form}`);
		is(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true,
			`the scene "${scene}" does not scroll sideways on ${form}`);
		await checkAccess(page, `the scene "${scene}" on ${form}`);
	}

	const bad = await open("bad");
	await until(() => bad.locator(".prose").isVisible(), "texts full of attacks are shown");
	is(await bad.evaluate(() => [...document.querySelectorAll(
		".transcript script, .transcript img, .prose svg, a[href^=javascript]")].length), 0,
		"no script, picture or link is made of texts full of attacks");
	await until(() => bad.locator(".host-note", { hasText: "evil.example" }).isVisible(),
		"the host of a link that claims to lead elsewhere is told");
	is(await bad.locator(".hidden-char").first().innerText(), "U+202E",
		"a character that turns text around is a sign");

	const garbage = await open("garbage");
	await until(() => garbage.getByText("The end.").isVisible(),
		"malformed items do not hide well-formed ones");

	const approval = await open("approval");
	await approval.locator("#field").fill("yes");
	await approval.keyboard.press("Enter");
	is(await calls(approval), [["send", "yes", 0, []]], "Enter in the field permits nothing");
	await approval.getByRole("button", { name: "No…" }).click();
	await until(() => approval.getByLabel("No, but go on").evaluate((node) =>
		node === document.activeElement), "the focus goes to the ways to refuse");
	await approval.getByLabel("No, explain first").check();
	await approval.getByLabel("What it should know").fill("Keep the logs");
	await approval.getByRole("button", { name: "Refuse" }).click();
	is(await calls(approval), [["answer", "approval",
		{ approved: false, mode: "reject_explain", feedback: "Keep the logs" }]],
		"a refusal has its way and its reason");
	ok(await approval.evaluate(() => document.activeElement.matches(".item")),
		"the focus stays with a question that was answered");
	ok(await approval.getByRole("button", { name: "Refuse" }).isDisabled(),
		"a question is answered once");

	const several = await open("several");
	await several.getByLabel("api").check();
	await several.getByLabel("mailer").check();
	await several.getByRole("button", { name: "Send answer" }).click();
	is(await calls(several), [["answer", "question", ["api", "mailer"]]],
		"several options are one answer");
	await several.locator("#field").fill("only at night");
	await several.keyboard.press("Enter");
	await several.getByRole("button", { name: "In addition" }).click();
	is(await calls(several), [["send", "only at night", 0, []]],
		"a text beside a question can be sent as an addition");

	const keys = await open("running");
	await keys.locator("body").press("/");
	ok(await keys.locator("#field").evaluate((node) => node === document.activeElement),
		"/ goes to the message field");
	await keys.keyboard.press("Escape");
	is(await calls(keys), [], "Esc does not stop a turn");
	await keys.keyboard.press("Control+.");
	is(await calls(keys), [["interrupt"]], "Ctrl+. stops a turn");
	await keys.locator(".scroll").focus();
	await keys.keyboard.press("?");
	await until(() => keys.getByRole("dialog").isVisible(), "? lists the keys");
	await checkAccess(keys, "the list of keys");
	await keys.keyboard.press("Escape");
	await until(async () => !await keys.getByRole("dialog").isVisible(), "Esc closes the list of keys");
	await keys.keyboard.press("Alt+ArrowUp");
	ok(await keys.evaluate(() => document.activeElement.matches(".item")),
		"Alt+Up goes to an item");

	const files = await open("empty");
	const picker = files.locator("input[type=file]");
	await picker.setInputFiles([{ name: "big.bin", mimeType: "application/octet-stream",
		buffer: Buffer.alloc(1024 * 1024 + 1) }, { name: "a.txt", mimeType: "text/plain",
		buffer: Buffer.from("hello") }]);
	await until(() => files.getByText(/big\.bin has .* at most/).isVisible(),
		"a file over the limit is refused, with the limit, before it is sent");
	await files.locator("#field").fill("read it");
	await files.keyboard.press("Enter");
	is(await calls(files), [["send", "read it", 0, ["a.txt"]]], "files within the limit go with the message");

	const list = await open("answered");
	await list.getByRole("button", { name: /Actions for Letter/ }).click();
	await list.getByRole("menuitem", { name: "Rename" }).click();
	await list.getByLabel("Title of the chat").fill("Rent");
	await list.keyboard.press("Enter");
	await list.getByRole("button", { name: /Actions for Import/ }).click();
	await list.getByRole("menuitem", { name: "Delete" }).click();
	await list.getByRole("button", { name: "Undo" }).click();
	is(await calls(list), [["rename", "answered", "Rent"], ["remove", "records"],
		["undo", "records"]], "chats are renamed and deleted, and deleting is undone");
	await list.getByRole("button", { name: /^66|0x669c/ }).click();
	await until(() => list.getByRole("dialog").isVisible(), "the dialog about the key opens");
	await checkAccess(list, "the dialog about the key");
	await list.keyboard.press("Escape");
}, { url: scenes.url });
scenes.close();
