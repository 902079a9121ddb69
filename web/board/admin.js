// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Requests of admins: a signature is good once, and two for one path that are made in one second
// are the same. So the second one waits for the next second; and one that was refused for this,
// since something else was first, is made again.

const SECOND_MS = 1000;
const AGAIN_MS = 1100;

// The second in which a path was last asked for, by any tab, and before a reload.
const asked = new Map();
const keyOf = (path) => `asked:${path}`;

function lastOf(path) {
	try {
		return Math.max(asked.get(path) ?? 0, Number(localStorage.getItem(keyOf(path))));
	} catch {
		return asked.get(path) ?? 0; // storage is forbidden, or not there
	}
}

function note(path, second) {
	asked.set(path, second);
	try {
		localStorage.setItem(keyOf(path), second);
	} catch { /* then this tab alone knows */ }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const isRepeated = (error) => error.status === 401;

async function wait(http, path) {
	// What was noted by another clock than this one's is not waited for.
	for (let i = 0; i < 2 && lastOf(path) >= http.timestamp; i++)
		await pause(SECOND_MS - (Date.now() + http.aheadMs) % SECOND_MS + 10);
	note(path, http.timestamp);
}

/**
 * GET a path of /admin.
 * @param {object} http of oip/http.js
 * @returns {Promise<object>}
 * @throws {HttpError} as http.get()
 */
export async function ask(http, path, query) {
	await wait(http, path);
	try {
		return await http.get(path, query);
	} catch (error) {
		if (!isRepeated(error)) throw error;
	}
	await pause(AGAIN_MS);
	return http.get(path, query);
}

/**
 * Read an event stream of /admin until stopped.
 * @param {object} http of oip/http.js
 * @param {function({event: string, data: object}): void} onEvent
 * @param {function(HttpError): void} onError
 * @returns {function(): void} stops it
 */
export function watch(http, path, onEvent, onError) {
	let stop = () => {};
	let timer = 0;
	let nRepeated = 0;
	let isOver = false;
	const hear = ({ event, data }) => {
		nRepeated = 0;
		try {
			onEvent({ event, data: JSON.parse(data) });
		} catch (error) {
			if (!(error instanceof SyntaxError)) throw error;
		}
	};
	const begin = async () => {
		await wait(http, path);
		if (isOver) return;
		stop = http.stream(path, hear, { onError: (error) => {
			// The second time in a row, it is the signature itself.
			if (!isRepeated(error) || nRepeated++) onError(error);
			if (isRepeated(error)) timer = setTimeout(begin, AGAIN_MS);
		} });
	};
	begin();
	return () => {
		isOver = true;
		clearTimeout(timer);
		stop();
	};
}
