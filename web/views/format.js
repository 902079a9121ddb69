// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Numbers, sizes and times for people, by Intl in the reader's language and zone.

const number = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });

const DAY_S = 86400;

/** @param {number} n @returns {string} with separators of the reader's language */
export const count = (n) => number.format(n);

/** @param {number} bytes @returns {string} as "1.2 MB" */
export function size(bytes) {
	const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
	let unit = 0;
	let n = bytes;
	for (; n >= 1000 && unit < 3; unit++) n /= 1000;
	return new Intl.NumberFormat(undefined, {
		style: "unit", unit: units[unit], unitDisplay: unit ? "short" : "long",
		maximumFractionDigits: n < 10 && unit ? 1 : 0,
	}).format(n);
}

/** @param {number} ms @returns {string} as "0.4 s", "12 s", "3 min 5 s", "2 h 10 min" */
export function duration(ms) {
	const s = ms / 1000;
	if (s < 9.95) return `${number.format(Math.max(0, Math.round(s * 10) / 10))} s`;
	if (s < 59.5) return `${Math.round(s)} s`;
	const min = Math.round(s) / 60;
	if (min < 60) return `${Math.floor(min)} min ${Math.round(s) % 60} s`;
	return `${Math.floor(min / 60)} h ${Math.floor(min) % 60} min`;
}

/** @param {number} ts seconds since 1970 @returns {string} time of day */
export const timeOf = (ts) => clock.format(ts * 1000);

/** @param {number} ts seconds since 1970 @returns {string} for hints and labels */
export const exactTime = (ts) => exact.format(ts * 1000);

/** @param {number} ts seconds since 1970 @returns {string} ISO 8601 for <time> */
export const isoTime = (ts) => new Date(ts * 1000).toISOString();

/** @param {Date} date @returns {number} seconds since 1970 of its midnight */
const midnight = (date) => new Date(date).setHours(0, 0, 0, 0) / 1000;

/**
 * @param {number} ts seconds since 1970
 * @returns {number} how many days ago, by the reader's calendar: 0 is today
 */
export const daysAgo = (ts) => Math.max(0,
	Math.round((midnight(new Date()) - midnight(new Date(ts * 1000))) / DAY_S));

/** @param {number} ts seconds since 1970 @returns {string} short, for lists */
export function ago(ts) {
	const s = Date.now() / 1000 - ts;
	if (s < 45) return relative.format(0, "second");
	if (s < 3600) return relative.format(-Math.max(1, Math.round(s / 60)), "minute");
	return daysAgo(ts) === 0 ? clock.format(ts * 1000) : day.format(ts * 1000);
}

/** @param {number} dollars @returns {string} */
export const price = (dollars) => new Intl.NumberFormat(undefined, {
	style: "currency", currency: "USD", maximumFractionDigits: dollars < 0.1 ? 4 : 2,
}).format(dollars);

/** @param {string} address "0x" and 64 digits @returns {string} its ends */
export const shortAddress = (address) => address.length > 14
	? `${address.slice(0, 6)}…${address.slice(-4)}` : address;
