// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The client from npm, unmodified, and the page's modules tell the same stories at one server:
// what both sign, what both send and what both show is the same.
//
//	NODE_HOME=FOLDER node compare.mjs URL
//
// FOLDER has the package connectonion in its node_modules.
import { createRequire } from "node:module";
import process from "node:process";
import WebSocket from "ws";
import { CopyingTables, until } from "./kit.mjs";
import { canonical } from "../oip/canonical.js";
import { identityOfSeed } from "../identity/key.js";
import { Disk } from "../store/disk.js";
import { openHost } from "../store/host.js";

const [url] = process.argv.slice(2);
const require = createRequire(`${process.env.NODE_HOME}/package.json`);
const { connect, address } = require("connectonion");
const PATIENCE = Number(process.env.TEST_PATIENCE || 1);
const HOST = (await (await fetch(`${url}/info`)).json()).address;
const PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk"
	+ "YAAAAAYAAjCB0C8AAAAASUVORK5CYII=";
const HELLO = "data:text/plain;base64,aGVsbG8K";

function same(got, wanted, name) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
	console.log(`${a === b ? "ok" : "not ok"} - ${name}`);
	if (a !== b) console.log(`# page ${a}\n# npm  ${b}`);
}

/** A class of sockets that notes what is sent. */
function listening(Base, sent) {
	return class extends Base {
		send(text) {
			sent.push(JSON.parse(text));
			return super.send(text);
		}
	};
}

// ---- the stories: what is said, and what questions are answered ----

const YES = { approved: true, scope: "once" };
const NO = { approved: false, mode: "reject_soft", feedback: "not now" };
const STORIES = {
	"an answer": [{ prompt: "echo hello" }],
	"letters beyond ASCII": [{ prompt: "echo Zoë 你好 👋🏽 \u2028\u007f\"\\" }],
	"a tool": [{ prompt: "calculate 6 * 7" }],
	"thoughts": [{ prompt: "think 3" }],
	"a question": [{ prompt: "ask Which?|red|green", answer: "green" }],
	"an approval": [{ prompt: "approve bash", answer: YES }],
	"a refusal": [{ prompt: "approve bash", answer: NO }],
	"a plan": [{ prompt: "plan one|two", answer: "go on" }],
	"steps of several turns": [{ prompt: "stream 3" }, { prompt: "My name is Zoë" },
		{ prompt: "What is my name?" }],
	"an image and a file": [{ prompt: "look", images: [PNG], file: "a.txt" }],
};

// ---- the client from npm ----

const RESPONSES = {
	ask_user: (answer) => ({ type: "ASK_USER_RESPONSE", answer }),
	approval_needed: (answer) => ({ type: "APPROVAL_RESPONSE", ...answer }),
	plan_review: (message) => ({ type: "PLAN_REVIEW_RESPONSE", message }),
};

async function byNpm(story, keys) {
	const sent = [];
	const agent = connect(HOST, { directUrl: url, keys, relayUrl: "ws://127.0.0.1:1",
		wsCtor: listening(require("ws"), sent) });
	for (const { prompt, answer, images, file } of story) {
		const known = agent.ui.length;
		const done = agent.input(prompt, { timeoutMs: 60_000 * PATIENCE, images,
			files: file && [{ name: file, dataUrl: HELLO }] });
		if (answer !== undefined) {
			const asked = await until(() =>
				agent.ui.slice(known).find((item) => RESPONSES[item.type]), "a question");
			agent.send(RESPONSES[asked.type](answer));
		}
		await done;
	}
	return { sent, shown: agent.ui.map(npmItem).filter(Boolean) };
}

function npmItem(item) {
	switch (item.type) {
	case "user": return ["user", item.content];
	case "agent": return ["agent", item.content];
	// Without a text it is a call of a model.
	case "thinking": return item.content ? ["thinking", item.content] : null;
	case "tool_call": return ["tool", item.name, item.args, item.status === "done", item.result];
	case "ask_user": return ["question", item.text, item.options, item.multi_select];
	case "approval_needed": return ["approval", item.tool, item.arguments];
	case "plan_review": return ["review", item.plan_content];
	case "tool_blocked": return ["blocked", item.message];
	case "files_received": return ["files", item.files.map((file) => file.name)];
	default: return ["unknown", item.type];
	}
}

// ---- the page ----

async function byPage(story, identity) {
	const sent = [];
	const tables = new CopyingTables();
	await tables.put("identity", "own", identity);
	const store = openHost({ base: url, disk: Promise.resolve(new Disk(tables)),
		WebSocket: listening(WebSocket, sent) });
	const chat = store.open(null);
	const items = () => chat.pages.value.flat();
	for (const [i, { prompt, answer, images, file }] of story.entries()) {
		chat.send({ prompt, images, files: file && [{ name: file, data: HELLO }] });
		if (answer !== undefined)
			chat.answer(await until(() => chat.question.value, "a question"), answer);
		await until(() => items().filter((item) => item.kind === "end").length > i, "the end");
	}
	store.close();
	return { sent, shown: items().map(pageItem).filter(Boolean) };
}

function pageItem(item) {
	switch (item.kind) {
	case "user": return ["user", item.text];
	case "agent": return ["agent", item.text];
	case "thinking": return ["thinking", item.text];
	case "tool": return ["tool", item.name, item.args, item.status === "success", item.result];
	case "question": return ["question", item.text, item.options, item.isMulti];
	case "approval": return ["approval", item.tool, item.args];
	case "review": return ["review", item.text];
	case "files": return ["files", item.files.map((file) => file.name)];
	case "note": return [item.what, item.text];
	default: return null; // the end and the plan, which the other does not show
	}
}

// ---- what was sent ----

// What both say alike: not who, when and under which name.
function meaning(frame) {
	const { type, payload = {} } = frame;
	const { prompt, images, files, answer, approved, scope, mode, feedback, message }
		= { ...frame, ...payload };
	return { type, prompt, images, files, answer, approved, scope, mode, feedback, message };
}

const said = (sent) => sent.filter(({ type }) => type !== "PONG").map(meaning);

for (const [name, story] of Object.entries(STORIES)) {
	const keys = address.generate();
	const identity = await identityOfSeed(new Uint8Array(keys.privateKey));
	const tables = new CopyingTables();
	await identityOfSeed(new Uint8Array(keys.privateKey), tables);
	const [page, npm] = [await byPage(story, await tables.get("identity", "own")),
		await byNpm(story, keys)];
	same(identity.address, keys.address, `${name}: the address of the key is the same`);
	same(page.shown, npm.shown, `${name}: the items are the same`);
	same(said(page.sent), said(npm.sent), `${name}: the frames say the same`);
	const frames = [...page.sent, ...npm.sent].filter((frame) => frame.signature);
	const ours = await Promise.all(frames.map(({ payload }) => identity.sign(canonical(payload))));
	same(ours, frames.map((frame) => frame.signature), `${name}: signatures by the page`);
	same(page.sent.filter(({ payload }) => payload).map(({ payload }) =>
		address.sign(keys, canonical(payload))), page.sent.filter(({ payload }) => payload)
		.map((frame) => frame.signature), `${name}: signatures by npm's client`);
}
console.log("# the end");
process.exit(0);
