// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The last rows of a session as they are kept in the browser: long texts and data URLs only
// in part, since they come again from the server.

/** How many rows are kept of a session. */
export const KEPT_ROWS = 200;
const ROW_CHARACTERS = 16 * 1024;
const TEXT_CHARACTERS = 2048;

// A value without long texts.
function shortened(value) {
	if (typeof value === "string")
		return value.startsWith("data:") ? "" : value.slice(0, TEXT_CHARACTERS);
	if (Array.isArray(value)) return value.slice(0, 50).map(shortened);
	if (!value || typeof value !== "object") return value;
	return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, shortened(v)]));
}

const isLong = (text) => text.length > ROW_CHARACTERS || text.includes('"data:');

/**
 * What is kept of rows.
 * @param {number} epoch
 * @param {object[]} rows in any order, some perhaps twice
 * @returns {{epoch: number, rows: object[], touched: number}}
 */
export function keptOf(epoch, rows) {
	const sorted = [...new Map(rows.map((row) => [row.pos, row])).values()]
		.sort((a, b) => a.pos - b.pos).slice(-KEPT_ROWS);
	return { epoch, touched: Date.now(), rows: sorted.map((row) =>
		(isLong(JSON.stringify(row)) ? { ...shortened(row), isPart: true } : row)) };
}
