// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Refusals as reason words, which views have texts for, and what a machine does with them.
import { CLOSE_SILENT } from "./line.js";

/**
 * Why something is not as one wants it.
 * @typedef {object} Why
 * @property {string} word one of WORDS
 * @property {string} message what the server said, or we say
 * @property {number|string} [code]
 * @property {number} [retryAfterMs] when the server wants the same frame again
 */

/** Reason words, with what a person can do about each. */
export const WORDS = {
	forbidden: "ask the owner of the agent to list this address",
	blocked: "ask the owner of the agent; this address, or this network, is blocked",
	clock: "set the clock of this device",
	address: "reload: the agent has another address than this page believes",
	seal: "use https, or ask the owner why the connection cannot be sealed",
	held: "begin a session of your own: somebody else holds this one",
	limit: "wait: too much was asked in too short a time",
	budget: "wait until the budget is renewed, or ask the owner for more",
	busy: "wait: the server is full or restarts",
	large: "send less: the message is larger than the server takes",
	files: "send it when the turn has ended: files cannot join a running one",
	reused: "send it again as another input",
	stale: "nothing: the question was answered, or its turn is over",
	idle: "nothing: no turn runs",
	gone: "look at the list of sessions, or import the identity that it belongs to",
	deleted: "begin another session",
	damaged: "ask the owner to look at the log of the server",
	offline: "look at the network of this device",
	unreachable: "wait, or ask the owner whether the server runs",
	silent: "wait: the line gives no sign of life",
	restart: "wait: the server restarts",
	lost: "wait: the connection was lost",
	garbage: "reload; if it stays, the server is not what this page is made for",
	other: "read what the server says",
};

const RULES = [
	["clock", /signature expired|SEAL is stale/],
	["blocked", /^forbidden: (blocked|blacklisted)/],
	["held", /^forbidden: nobody owns this session/],
	["forbidden", /^forbidden/],
	["address", /wrong recipient|addressed to another host/],
	["seal", /^seal refused|^sealed frame rejected|cannot seal|sealed peer/],
	["budget", /^budget used up/],
	["reused", /^input_id reused/],
	["stale", /unknown or stale approval/],
	["idle", /^interrupt requires/],
	["damaged", /damaged/],
];

// How long to wait, as the server says: neither a loop without a rest nor for ever.
const retryMs = (ms) => (Number.isFinite(ms) ? Math.min(Math.max(ms, 250), 3_600_000) : 1000);

/**
 * The reason in an ERROR.
 * @param {{message?: string, code?: number|string, retryable?: boolean,
 *	retry_after_ms?: number}} frame
 * @returns {Why}
 */
export function whyOf(frame) {
	const message = String(frame.message ?? "The server gave no reason.");
	const { code } = frame;
	const why = (word) => ({ word, message, code,
		retryAfterMs: frame.retryable ? retryMs(frame.retry_after_ms) : undefined });
	for (const [word, form] of RULES) if (form.test(message)) return why(word);
	if (code === -32029) return why("limit");
	if (code === "RUNTIME_INPUT_REJECTED") return why("files");
	return why(frame.retryable ? "busy" : "other");
}

/** A reason of our own. @param {string} word @param {string} [message] @returns {Why} */
export const why = (word, message = "") => ({ word, message, code: undefined,
	retryAfterMs: undefined });

const CLOSES = { 1008: "blocked", 1009: "large", 1012: "restart", 4003: "seal",
	[CLOSE_SILENT]: "silent" };

/**
 * The reason of a close.
 * @param {{code: number, reason: string, wasOpen: boolean}} end
 * @returns {Why}
 */
export function whyClosed({ code, reason, wasOpen }) {
	return why(CLOSES[code] ?? (wasOpen ? "lost" : "unreachable"), reason);
}
