// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The canonical text of a payload, which signatures cover, and bytes as text.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The text as UTF-8. @param {string} text @returns {Uint8Array} */
export const utf8 = (text) => encoder.encode(text);

/** The text that these bytes of UTF-8 are. @param {Uint8Array} bytes @returns {string} */
export const fromUtf8 = (bytes) => decoder.decode(bytes);

// Python sorts by code points, JavaScript by UTF-16: they differ where a surrogate stands.
function byCodePoints(a, b) {
	const n = Math.min(a.length, b.length);
	for (let i = 0; i < n; i++) {
		const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
		if (x === y) continue;
		const [isHighX, isHighY] = [x >= 0xd800 && x < 0xe000, y >= 0xd800 && y < 0xe000];
		return isHighX === isHighY ? x - y : isHighX ? 1 : -1;
	}
	return a.length - b.length;
}

// As Python reads and writes the number that JSON.stringify() sends.
function numberText(value) {
	if (!Number.isFinite(value)) throw new TypeError(`a payload cannot have ${value}`);
	const isSmall = value !== 0 && Math.abs(value) < 1e-4;
	const text = isSmall ? value.toExponential() : JSON.stringify(value);
	return text.replace(/e([+-])(\d)$/, "e$10$2");
}

const stringText = (value) => JSON.stringify(value).replace(/[^ -~]/g,
	(c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

/**
 * The canonical text of a value: what Python's json.dumps(sort_keys=True,
 * separators=(",", ":")) writes. Members that are undefined are left out.
 * @param {*} value of what JSON can say
 * @returns {string} ASCII
 * @throws {TypeError} for a value that JSON cannot say
 */
export function canonical(value) {
	if (value === null || typeof value === "boolean") return String(value);
	if (typeof value === "number") return numberText(value);
	if (typeof value === "string") return stringText(value);
	if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
	if (typeof value !== "object") throw new TypeError(`a payload cannot have a ${typeof value}`);
	const members = Object.keys(value).filter((key) => value[key] !== undefined)
		.sort(byCodePoints).map((key) => `${stringText(key)}:${canonical(value[key])}`);
	return `{${members.join(",")}}`;
}

/** Bytes in hex. @param {Uint8Array} bytes @returns {string} lower case, without "0x" */
export function toHex(bytes) {
	let text = "";
	for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
	return text;
}

/**
 * The bytes of a text in hex, of either case, with or without "0x".
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {TypeError} if it is not hex
 */
export function fromHex(text) {
	const digits = text.replace(/^0x/i, "");
	if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) throw new TypeError("not hex");
	return Uint8Array.from({ length: digits.length / 2 },
		(_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Bytes in base64. @param {Uint8Array} bytes @returns {string} with padding */
export function toBase64(bytes) {
	if (bytes.toBase64) return bytes.toBase64();
	let text = "";
	// As many arguments as every engine takes.
	for (let i = 0; i < bytes.length; i += 8192)
		text += String.fromCharCode(...bytes.subarray(i, i + 8192));
	return btoa(text);
}

/**
 * The bytes of a text in base64.
 * @param {string} text
 * @returns {Uint8Array}
 * @throws {Error} if it is not base64
 */
export function fromBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
	const raw = atob(text);
	const bytes = new Uint8Array(raw.length);
	for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
	return bytes;
}

/**
 * Random bytes in hex: names of inputs and sessions, nonces. crypto.randomUUID() is missing
 * on pages of plain http.
 * @param {number} [n] how many bytes
 * @returns {string}
 */
export const randomHex = (n = 16) => toHex(crypto.getRandomValues(new Uint8Array(n)));

/** A new UUID, version 4. @returns {string} */
export function newUuid() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/**
 * Sign a payload.
 * @param {{address: string, sign: function(string): Promise<string>}} identity
 * @param {object} payload
 * @returns {Promise<{payload: object, from: string, signature: string}>}
 */
export async function signed(identity, payload) {
	const signature = await identity.sign(canonical(payload));
	return { payload, from: identity.address, signature };
}
