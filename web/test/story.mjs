// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A story: what people see of a running server, in Debian's Chromium. A file of stories/ runs
// one; t/lib/Page.pm starts it with the server's URL and reads what it prints (TAP).
//
//	await story(async ({ open, is, ok, until, tell }) => {
//		const page = await open("/");              // a page of playwright-core
//		await page.getByRole("textbox").fill("hello");
//		await until(() => page.getByText("hello").isVisible(), "the prompt is shown");
//		await tell("kill_worker");                 // a command of the Perl side
//	});
//
// At its end a story checks each page that it opened: no message on the console, no error, no
// report of the content security policy, no request to another host, and no serious finding
// of axe-core. The policy stays in force: axe runs in a world of its own, beside the page's.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = Number(process.env.TEST_PATIENCE) || 1;
const WAIT_MS = 15_000 * PATIENCE;
const STEP_MS = 50;

const CHROMIUM = "/usr/bin/chromium";
const ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic"];

/** Sizes to open pages with. */
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// ---- what is printed ----

let printed = 0;
let failed = 0;

function comment(text) {
	for (const line of String(text).split("\n")) console.log(`# ${line}`);
}

/** Check that value is true; title is a sentence about behaviour. */
function ok(value, title, why) {
	printed++;
	if (!value) failed++;
	console.log(`${value ? "" : "not "}ok ${printed} - ${title.replaceAll("#", "\\#")}`);
	if (!value && why !== undefined) comment(why);
	return Boolean(value);
}

/** Check that two values are the same, as JSON. */
function is(got, want, title) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
	return ok(a === b, title, `got ${a}\nwant ${b}`);
}

/** Check that a text matches. */
function like(got, pattern, title) {
	return ok(pattern.test(String(got)), title, `got ${got}\nwant ${pattern}`);
}

/** Check that something becomes true, within a deadline; it may throw until then. */
async function until(isSo, title) {
	const end = Date.now() + WAIT_MS;
	for (let error; ; await new Promise((done) => setTimeout(done, STEP_MS))) {
		const answer = await Promise.resolve().then(isSo).catch((e) => { error = e; return false; });
		if (answer) return ok(true, title);
		if (Date.now() > end) return ok(false, title, error ? error.message : "it never came true");
	}
}

// ---- the Perl side ----

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/**
 * Have the Perl side of the story do something: "kill_worker", "stop", or what that story has.
 * @returns what it answers
 */
async function tell(command, ...args) {
	console.log(`!${JSON.stringify([command, ...args])}`);
	const { value, done } = await answers.next();
	if (done) throw new Error(`nobody answers ${command}`);
	const { error, result } = JSON.parse(value);
	if (error) throw new Error(`${command}: ${error}`);
	return result;
}

// ---- what a page does that it should not ----

/** What is wrong with one visitor's pages; texts by kind. */
class Watch {
	constructor(origin) {
		this.origin = origin;
		this.allowed = [];
		this.found = { console: [], errors: [], violations: [], foreign: [] };
	}

	note(kind, text) {
		if (!this.allowed.some((pattern) => pattern.test(text))) this.found[kind].push(text);
	}

	noteRequest(url) {
		const { protocol, host } = new URL(url);
		if (["data:", "blob:", "about:"].includes(protocol)) return;
		if (host !== new URL(this.origin).host) this.note("foreign", url);
	}

	async attach(context) {
		await context.exposeBinding("__storyViolation", (_, text) => this.note("violations", text));
		await context.addInitScript(() => {
			document.addEventListener("securitypolicyviolation", (event) => globalThis.__storyViolation(
				`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`));
		});
		context.on("request", (request) => this.noteRequest(request.url()));
		context.on("page", (page) => this.attachPage(page));
	}

	attachPage(page) {
		page.on("console", (message) => {
			if (["error", "warning", "assert"].includes(message.type()))
				this.note("console", `${message.text()} (${message.location().url})`);
		});
		page.on("pageerror", (error) => this.note("errors", error.stack ?? String(error)));
		page.on("websocket", (socket) => this.noteRequest(socket.url()));
	}

	check(who) {
		const none = (kind, title) => ok(!this.found[kind].length, title, this.found[kind].join("\n"));
		none("console", `the console of ${who} has no messages`);
		none("errors", `${who} has no uncaught errors`);
		none("violations", `${who} breaks no rule of its content security policy`);
		none("foreign", `${who} makes no request to another host`);
	}
}

/** The serious and critical findings of axe-core about a page as it is now. */
async function findings(page) {
	const devtools = await page.context().newCDPSession(page);
	try {
		const { frameTree } = await devtools.send("Page.getFrameTree");
		const { executionContextId: contextId } = await devtools.send("Page.createIsolatedWorld",
			{ frameId: frameTree.frame.id, worldName: "axe" });
		const run = async (expression) => {
			const { result, exceptionDetails } = await devtools.send("Runtime.evaluate",
				{ expression, contextId, awaitPromise: true, returnByValue: true });
			if (exceptionDetails)
				throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
			return result.value;
		};
		await run(`${await axeSource};0`);
		const violations = await run("axe.run(document, { resultTypes: ['violations'] })"
			+ ".then(({ violations }) => violations)");
		return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
			.map(({ id, help, nodes }) => `${id}: ${help}\n`
				+ nodes.map(({ html }) => `  ${html}`).slice(0, 5).join("\n"));
	} finally {
		await devtools.detach();
	}
}

// ---- the story ----

class Visitor {
	constructor(name, context, watch, url) {
		Object.assign(this, { name, context, watch, url });
	}

	/** Open a path of the server; returns a page of playwright-core. */
	async open(path = "/") {
		const page = await this.context.newPage();
		page.setDefaultTimeout(WAIT_MS);
		await page.goto(new URL(path, this.url).href);
		return page;
	}

	/** Expect messages on the console, or requests, that match. */
	allow(...patterns) {
		this.watch.allowed.push(...patterns);
	}

	async finish() {
		for (const page of this.context.pages()) await checkAccess(page, this.name);
		this.watch.check(this.name);
		await this.context.close();
	}
}

/** Check what axe-core says about a page as it is now; who says which page it is. */
async function checkAccess(page, who = "the page") {
	const found = await findings(page);
	ok(!found.length, `${who} has no serious finding of axe-core`, found.join("\n"));
}

// Save a screenshot if the environment has STORY_SHOTS, a folder; with STORY_SHOTS_WEBP in a form
// that is half as large, which playwright-core does not write.
async function shot(page, name) {
	if (!process.env.STORY_SHOTS) return;
	const file = join(process.env.STORY_SHOTS, name);
	if (!process.env.STORY_SHOTS_WEBP) {
		await page.screenshot({ path: `${file}.png` });
		return;
	}
	const devtools = await page.context().newCDPSession(page);
	const { data } = await devtools.send("Page.captureScreenshot", { format: "webp", quality: 82 });
	await writeFile(`${file}.webp`, Buffer.from(data, "base64"));
	await devtools.detach();
}

/**
 * Run a story and end the process: status 0 if everything in it was as it should be.
 *
 * fn gets {url, browser, open, visitor, allow, ok, is, like, until, tell, shot, checkAccess,
 * comment}. open(path) opens a page of the first visitor; visitor(name, options) makes another
 * one, who has a browser profile of his own; options are those of a context of playwright-core,
 * such as PHONE, DESKTOP or {colorScheme: "dark"}. allow(...patterns) says which messages and
 * requests of the first visitor are expected.
 * @param {function(object): Promise<void>} fn
 * @param {object} [options] {args: more arguments of the browser, visitor: options of the first
 *	visitor, url: instead of the server's}
 */
export async function story(fn, options = {}) {
	const url = options.url ?? process.env.STORY_URL;
	if (!url) throw new Error("STORY_URL is missing: t/lib/Page.pm runs stories");
	const browser = await chromium.launch(
		{ executablePath: CHROMIUM, args: [...ARGUMENTS, ...options.args ?? []] });
	const visitors = [];
	const visitor = async (name, more) => {
		const context = await browser.newContext({ ...DESKTOP, locale: "en-GB", ...more });
		const watch = new Watch(more?.url ?? url);
		await watch.attach(context);
		visitors.push(new Visitor(name, context, watch, more?.url ?? url));
		return visitors.at(-1);
	};
	try {
		const first = await visitor("the page", options.visitor);
		await fn({ url, browser, visitor, ok, is, like, until, tell, shot, checkAccess, comment,
			open: (path) => first.open(path), allow: (...patterns) => first.allow(...patterns) });
		for (const each of visitors) await each.finish();
	} catch (error) {
		ok(false, "the story comes to its end", error.stack);
		for (const page of visitors.flatMap(({ context }) => context.pages())) {
			await shot(page, "failed").catch(() => {});
			comment(await page.locator("body").innerText({ timeout: 1000 }).catch(String));
		}
	}
	await browser.close();
	console.log(`1..${printed}`);
	process.exit(failed ? 1 : 0);
}
