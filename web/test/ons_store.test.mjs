// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_COMMANDS, OnsStore } from "../board/ons_store.js";

let n = 0;
const message = (type, payload, id = `x-${++n}`) => ({ type, id, timestamp: 1, payload });

const listed = (id, more) => ({ agentId: id, name: `name of ${id}`, type: "CLAUDE",
	status: "ONLINE", version: "1", capabilities: [], lastHeartbeat: "2026-01-01T00:00:00.000Z",
	...more });

function withAgents(...all) {
	const store = new OnsStore({ now: () => 1000 });
	store.fold(message("DASHBOARD_CONNECTED", { agents: all }));
	return store;
}

// What the server says of one command, in its order.
const story = (id) => [
	message("ACK", { messageId: "m", commandId: id }),
	message("COMMAND_STATUS", { commandId: id, agentId: "a", status: "QUEUED" }, "msg-1-0"),
	message("COMMAND_STATUS", { commandId: id, agentId: "a", status: "EXECUTING",
		startedAt: 500 }, "msg-2-0"),
	message("TERMINAL_STREAM", { commandId: id, agentId: "a", content: "one\n",
		streamType: "STDOUT" }, "msg-3-0"),
	message("TERMINAL_STREAM", { commandId: id, agentId: "a", content: "two\n",
		streamType: "STDERR" }, "msg-4-0"),
	message("COMMAND_STATUS", { commandId: id, agentId: "a", status: "FAILED", exitCode: 3,
		completedAt: 900 }, "msg-5-0"),
	message("COMMAND_COMPLETE", { commandId: id, agentId: "a", status: "FAILED", exitCode: 3,
		error: "it broke" }, "msg-5-1"),
];

test("a list replaces the agents, and statuses change them", () => {
	const store = withAgents(listed("a"), listed("b"));
	store.fold(message("AGENT_STATUS", { agentId: "b", status: "BUSY", queuedCommands: 2,
		activityState: "PROCESSING", lastPing: "2026-01-02T00:00:00.000Z" }));
	assert.deepEqual(store.sortedAgents().map((a) => [a.id, a.status, a.queued]),
		[["b", "busy", 2], ["a", "online", 0]]);
	assert.equal(store.agents.get("b").seen, Date.UTC(2026, 0, 2));
	store.fold(message("DASHBOARD_CONNECTED", { agents: [listed("b", { status: "DISCONNECTED" })] }));
	assert.deepEqual([...store.agents.keys()], ["b"]);
	assert.equal(store.agents.get("b").status, "offline");
});

test("a command goes through its states and keeps what it wrote", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	for (const m of story("c")) store.fold(m);
	assert.deepEqual([it.state, it.exitCode, it.error, it.startedAt, it.endedAt],
		["failed", 3, "it broke", 500, 900]);
	assert.deepEqual(it.output.lines.map((l) => [l.stream, l.text]), [["out", "one"], ["err", "two"]]);
});

test("a command that is told again from its start is neither doubled nor set back", () => {
	for (let cut = 0; cut <= 7; cut++) {
		const store = withAgents(listed("a"));
		const it = store.add({ id: "c", agent: "a", text: "make" });
		const all = story("c");
		for (const m of [...all.slice(0, cut), ...all]) store.fold(m);
		assert.equal(it.output.text(), "one\ntwo\n", `cut after ${cut}`);
		assert.equal(it.state, "failed");
	}
});

test("a gap and output of the agent itself are no repetition", () => {
	const store = withAgents(listed("a"));
	store.add({ id: "c", agent: "a", text: "make" });
	const piece = (id, content) => message("TERMINAL_STREAM", { commandId: "c", agentId: "a",
		content, streamType: "STDERR" }, id);
	for (const m of [piece("msg-9-0", "a\n"), piece("msg-0-0", "gap\n"), piece("msg-0-0", "gap\n"),
		piece("msg-10-0", "b\n")]) store.fold(m);
	assert.equal(store.commands.get("c").output.text(), "a\ngap\ngap\nb\n");
	store.fold(message("TERMINAL_STREAM", { commandId: "agent-session-a", agentId: "a",
		content: "hello\n", streamType: "STDOUT" }));
	assert.equal(store.commands.get("agent-session-a").kind, "stream");
	assert.deepEqual(store.running().map((c) => c.id), ["c"]);
});

test("a refusal ends its command and says why", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	store.fold(message("ERROR", { code: "ROUTING_FAILED", message: "Failed to route",
		details: { reason: "no such agent is connected", commandId: "c" } }));
	assert.deepEqual([it.state, it.error], ["refused", "no such agent is connected"]);
});

test("a question waits until its command ends", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	store.fold(message("TERMINAL_STREAM", { commandId: "c", agentId: "a", content: "? Sure?\n",
		streamType: "STDOUT", question: { kind: "ask_user", text: "Sure?", options: [] } }, "msg-2-0"));
	assert.equal(it.question.text, "Sure?");
	store.fold(message("COMMAND_COMPLETE", { commandId: "c", status: "CANCELLED" }, "msg-3-0"));
	assert.equal(it.question, null);
});

test("a question that another client has answered does not wait any more", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	const status = (answered, id) => message("COMMAND_STATUS", { commandId: "c", status: "EXECUTING",
		answered }, id);
	store.fold(message("TERMINAL_STREAM", { commandId: "c", content: "? Sure?\n",
		question: { kind: "ask_user", text: "Sure?" } }, "msg-2-0"));
	store.fold(status("plan_review", "msg-3-0"));
	assert.ok(it.question);
	store.fold(status("ask_user", "msg-4-0"));
	assert.equal(it.question, null);
});

test("an answer is no command of its own, and one that came too late is told", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	it.question = { kind: "ask_user", text: "Sure?" };
	store.addAnswer("yes-1", "c", "yes");
	for (const m of story("yes-1")) store.fold(m);
	assert.deepEqual([...store.commands.keys()], ["c"]);
	assert.deepEqual([it.question, it.answered], [null, { text: "yes", failure: "" }]);
	store.fold(message("ERROR", { code: "ROUTING_FAILED", message: "x",
		details: { reason: "does not wait", commandId: "yes-1" } }));
	assert.equal(it.answered.failure, "does not wait");
	assert.equal(it.state, "sending");
});

test("a queue gives commands their positions", () => {
	const store = withAgents(listed("a"));
	const it = store.add({ id: "c", agent: "a", text: "make" });
	store.fold(message("QUEUE_UPDATE", { agentId: "a", queueSize: 3,
		queued: [{ commandId: "c", position: 2, priority: "normal" }] }));
	assert.deepEqual([it.position, store.agents.get("a").queued], [2, 3]);
});

test("commands that have ended make room, and those that run stay", () => {
	const store = withAgents(listed("a"));
	store.add({ id: "runs", agent: "a", text: "x" });
	for (let i = 0; i < MAX_COMMANDS + 50; i++)
		store.add({ id: `c${i}`, agent: "a", text: "x", state: "completed" });
	assert.equal(store.commands.size, MAX_COMMANDS);
	assert.ok(store.commands.has("runs"));
});

test("an emergency stop is said, and its reach leaves out the hosted agent", () => {
	const store = withAgents(listed("a", { status: "BUSY" }), listed("b", { status: "DISCONNECTED" }),
		listed("custom-0123abcd", { type: "CUSTOM" }));
	store.add({ id: "c", agent: "a", text: "make" });
	assert.deepEqual(store.reach(), { agents: 1, busy: 1, commands: 1 });
	store.fold(message("EMERGENCY_STOP", { triggeredBy: "bob", reason: "fire", agentsStopped: 2,
		commandsCancelled: 5 }));
	assert.deepEqual(store.banner, { by: "bob", reason: "fire", nAgents: 2, nCommands: 5, at: 1000 });
});

test("garbage of a server changes nothing but a count", () => {
	const store = withAgents(listed("a"));
	for (const odd of [null, 7, "x", {}, { type: "ACK" }, message("X", { commandId: 3 }),
		message("TERMINAL_STREAM", { commandId: {} }), message("DASHBOARD_CONNECTED", 5),
		message("QUEUE_UPDATE", { agentId: "nobody", queued: 1 })]) store.fold(odd);
	assert.equal(store.commands.size, 0);
	assert.deepEqual([...store.agents.keys()], ["a"]);
	assert.ok(store.nOdd > 0);
});
