// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The Ed25519 key of this browser. Where WebCrypto has the curve, the key cannot be read by
// anything, this page included; elsewhere (pages of plain http) plain.js computes, and the
// seed lies readable in the storage.
//
// A storage is {get(table, key), put(table, key, value), putNew(table, key, value) -> what is
// there, remove(table, key)}, all of them asynchronous; store/disk.js has one.
import { fromBase64, fromHex, toHex, utf8 } from "../oip/canonical.js";

const ED25519 = { name: "Ed25519" };
const X25519 = { name: "X25519" };
const TABLE = "identity";
// What stands before the seed of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8 = Uint8Array.of(
	0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

const fromBase64Url = (text) => fromBase64(text.replace(/-/g, "+").replace(/_/g, "/")
	.padEnd(Math.ceil(text.length / 4) * 4, "="));

// WebCrypto's keys: {key, address}; undefined if this browser lacks the curve.
async function webKey(seed) {
	const { subtle } = crypto;
	if (!subtle) return undefined;
	const pkcs8 = new Uint8Array(48);
	pkcs8.set(PKCS8);
	pkcs8.set(seed, PKCS8.length);
	try {
		// Only a key that may be exported tells its public half.
		const open = await subtle.importKey("pkcs8", pkcs8, ED25519, true, ["sign"]);
		const { x } = await subtle.exportKey("jwk", open);
		const key = await subtle.importKey("pkcs8", pkcs8, ED25519, false, ["sign"]);
		return { key, address: "0x" + toHex(fromBase64Url(x)) };
	} catch (e) {
		if (e.name === "NotSupportedError") return undefined;
		throw e;
	} finally {
		pkcs8.fill(0);
	}
}

/**
 * Another key for one exchange, as a seal needs it: its public half, and what it has in
 * common with a peer's (X25519, RFC 7748).
 * @returns {Promise<{publicKey: Uint8Array,
 *	shared: function(Uint8Array): Promise<Uint8Array>}>}
 */
async function newExchange() {
	const { subtle } = crypto;
	const pair = await subtle?.generateKey(X25519, false, ["deriveBits"]).catch((e) => {
		if (e.name !== "NotSupportedError") throw e;
	});
	if (!pair) return (await import("./plain.js")).newExchange();
	return {
		publicKey: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)),
		async shared(peer) {
			const theirs = await subtle.importKey("raw", peer, X25519, false, []);
			return new Uint8Array(await subtle.deriveBits({ ...X25519, public: theirs },
				pair.privateKey, 256));
		},
	};
}

// Whether a signature, in hex, is that of an address over a text.
async function verify(address, signature, text) {
	const { subtle } = crypto;
	try {
		const key = await subtle.importKey("raw", fromHex(address), ED25519, false, ["verify"]);
		return await subtle.verify(ED25519, key, fromHex(signature), utf8(text));
	} catch (e) {
		if (subtle && e.name !== "NotSupportedError") return false;
		return (await import("./plain.js")).verify(address, signature, text);
	}
}

async function identityOf({ address, key, seed }) {
	const isPlain = !key;
	const sign = isPlain ? (await import("./plain.js")).signer(seed)
		: async (text) => toHex(new Uint8Array(
			await crypto.subtle.sign(ED25519, key, utf8(text))));
	return { address, isPlain, sign, verify, newExchange };
}

// What is kept of a seed: the key, or the seed where there is no WebCrypto.
async function keptOf(seed) {
	const key = await webKey(seed);
	if (key) return key;
	const { addressOf } = await import("./plain.js");
	return { seed: seed.slice(), address: addressOf(seed) };
}

/**
 * The identity of a seed.
 * @param {Uint8Array} seed 32 bytes, which the caller may wipe afterwards
 * @param {object} [storage] where it is kept; without one it is kept nowhere
 * @returns {Promise<Identity>}
 * @typedef {object} Identity
 * @property {string} address "0x" and the public key in hex
 * @property {boolean} isPlain whether the key lies readable in the storage
 * @property {function(string): Promise<string>} sign a text; the signature in hex
 * @property {function(string, string, string): Promise<boolean>} verify whether, of an address,
 *	a signature in hex and a text, the signature is the address's
 * @property {function(): Promise<object>} newExchange a key for one seal
 */
export async function identityOfSeed(seed, storage) {
	const kept = await keptOf(seed);
	await storage?.put(TABLE, "own", kept);
	return identityOf(kept);
}

/**
 * The identity that the storage keeps.
 * @param {{storage: object}} o
 * @returns {Promise<Identity|undefined>} undefined on a first visit
 */
export async function loadIdentity({ storage }) {
	const kept = await storage.get(TABLE, "own");
	return kept && identityOf(kept);
}

/**
 * Make a new identity and keep it.
 * @param {{storage: object}} o
 * @returns {Promise<{identity: Identity, phrase: string}>} the phrase is nowhere else: show it
 */
export async function makeIdentity({ storage }) {
	const { newPhrase } = await import("./phrase.js");
	const phrase = await newPhrase();
	return { identity: await importPhrase(phrase, { storage }), phrase };
}

/**
 * Become the identity of a recovery phrase, here or made by ConnectOnion's client.
 * @param {string} phrase 12 to 24 words, in any case and spacing
 * @param {{storage: object}} o
 * @returns {Promise<Identity>}
 * @throws {PhraseError} naming the word or the length that is wrong
 */
export async function importPhrase(phrase, { storage }) {
	const { seedOfPhrase } = await import("./phrase.js");
	const seed = await seedOfPhrase(phrase);
	try {
		return await identityOfSeed(seed, storage);
	} finally {
		seed.fill(0);
	}
}

/**
 * The identity of this browser, made if there is none yet.
 * @param {{storage: object}} o
 * @returns {Promise<{identity: Identity, phrase: string|undefined}>} the phrase of one made now
 */
export async function openIdentity({ storage }) {
	const identity = await loadIdentity({ storage });
	if (identity) return { identity, phrase: undefined };
	const { newPhrase, seedOfPhrase } = await import("./phrase.js");
	const phrase = await newPhrase();
	const made = await keptOf(await seedOfPhrase(phrase));
	// Two tabs may open at once: both are the one that came first.
	const kept = await storage.putNew(TABLE, "own", made);
	return { identity: await identityOf(kept),
		phrase: kept.address === made.address ? phrase : undefined };
}

/** Forget the identity of this browser. @param {{storage: object}} o */
export const forgetIdentity = ({ storage }) => storage.remove(TABLE, "own");
