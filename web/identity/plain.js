// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The curves and hashes for browsers without crypto.subtle: pages of plain http that are not
// on loopback. Loaded only there.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha256 as hash, sha512 } from "@noble/hashes/sha2.js";
import { fromHex, toHex, utf8 } from "../oip/canonical.js";

/** The address of a seed. @param {Uint8Array} seed @returns {string} */
export const addressOf = (seed) => "0x" + toHex(ed25519.getPublicKey(seed));

/**
 * What signs texts with a seed.
 * @param {Uint8Array} seed
 * @returns {function(string): Promise<string>} the signature in hex
 */
export const signer = (seed) => async (text) => toHex(ed25519.sign(utf8(text), seed));

/**
 * Whether a signature is that of an address.
 * @param {string} address
 * @param {string} signature in hex
 * @param {string} text
 * @returns {boolean}
 */
export function verify(address, signature, text) {
	try {
		return ed25519.verify(fromHex(signature), utf8(text), fromHex(address));
	} catch {
		return false; // not the form of a key or a signature
	}
}

/** See newExchange() of key.js. */
export async function newExchange() {
	const secret = crypto.getRandomValues(new Uint8Array(32));
	return {
		publicKey: x25519.getPublicKey(secret),
		shared: async (peer) => x25519.getSharedSecret(secret, peer),
	};
}

/** SHA-256. @param {Uint8Array} bytes @returns {Uint8Array} */
export const sha256 = (bytes) => hash(bytes);

/**
 * PBKDF2 with HMAC-SHA-512.
 * @param {Uint8Array} password
 * @param {Uint8Array} salt
 * @param {number} iterations
 * @returns {Promise<Uint8Array>} 64 bytes
 */
export const pbkdf2 = (password, salt, iterations) =>
	pbkdf2Async(sha512, password, salt, { c: iterations, dkLen: 64 });
