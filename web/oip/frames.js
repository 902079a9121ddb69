// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Frames as values: what comes may be anything, and what is said has its form here.

/** The value if it is an array, else an empty one. @param {*} value @returns {*[]} */
export const listOf = (value) => (Array.isArray(value) ? value : []);

/** The value if it is a text, else null. @param {*} value @returns {string|null} */
export const textOf = (value) => (typeof value === "string" ? value : null);

/** The frame in a message. @param {string} text @returns {object|null} null: there is none */
export function parseFrame(text) {
	try {
		const frame = JSON.parse(text);
		return frame && typeof frame === "object" && !Array.isArray(frame) ? frame : null;
	} catch {
		return null;
	}
}

/**
 * The command that answers a question.
 * @param {object} row of ask_user, approval_needed or plan_review
 * @param {*} value see Talk.answer()
 * @returns {object}
 * @throws {TypeError} if the row asks nothing
 */
export function answerOf(row, value) {
	const request_id = row.id;
	switch (row.type) {
	case "ask_user":
		return { type: "ASK_USER_RESPONSE", request_id, answer: value };
	case "approval_needed":
		return { type: "APPROVAL_RESPONSE", request_id, ...value };
	case "plan_review":
		return { type: "PLAN_REVIEW_RESPONSE", request_id, message: value };
	default:
		throw new TypeError(`a row of ${row.type} asks nothing`);
	}
}
