// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Which links of agents are made, and what is said about them.

const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/;
const ADDRESS = /^(?:https?:\/\/|www\.)|^[\w-]+(?:\.[\w-]+)+(?:[/:?#]|$)/i;

function parse(url) {
	try {
		return new URL(url);
	} catch {
		return null;
	}
}

/**
 * Whether a link to url may be made: an absolute http, https or mailto address without a
 * user's name in it, or an anchor of this page.
 *
 * @param {string} url as an agent wrote it
 * @returns {boolean}
 */
export function isSafe(url) {
	if (typeof url !== "string") return false;
	if (/^#[\w-]*$/.test(url)) return true;
	// Browsers drop tabs and newlines of an address, so "java\nscript:" would be one.
	if (/[\u0000-\u0020\u007f-\u009f\u202a-\u202e\u2066-\u2069\\]/.test(url)) return false;
	const parsed = /^[a-z]+:/i.test(url) ? parse(url) : null;
	return !!parsed && SCHEMES.has(parsed.protocol) && !parsed.username && !parsed.password;
}

/**
 * Whether url is an image that may be shown: a data URL of PNG, JPEG, GIF or WebP.
 *
 * @param {string} url
 * @returns {boolean}
 */
export function isImage(url) {
	return typeof url === "string" && IMAGE.test(url.slice(0, 200).replace(/\s/g, "")) &&
		/^[^"'<>]*$/.test(url);
}

/**
 * The host to show beside a link whose text looks like another address.
 *
 * @param {string} text what the link says
 * @param {string} url where it leads
 * @returns {string} "" when text and url agree, or text is no address
 */
export function hostNote(text, url) {
	const said = text.trim();
	const target = parse(url);
	if (!target || !ADDRESS.test(said)) return "";
	const where = target.protocol === "mailto:" ? target.pathname : target.host;
	const claimed = parse(/^[a-z]+:\/\//i.test(said) ? said : `https://${said}`);
	if (!claimed || target.protocol === "mailto:") return said === where ? "" : where;
	return claimed.host === target.host ? "" : where;
}
