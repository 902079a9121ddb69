// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Recovery phrases: BIP-39 in English, and the seed that ConnectOnion takes from one, the
// first 32 bytes of BIP-39's. Loaded when an identity is made or imported.
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { utf8 } from "../oip/canonical.js";

/** What is wrong with a phrase, in words for people. */
export class PhraseError extends Error {}

async function sha256(bytes) {
	if (!crypto.subtle) return (await import("./plain.js")).sha256(bytes);
	return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

async function pbkdf2(password, salt, iterations) {
	if (!crypto.subtle) return (await import("./plain.js")).pbkdf2(password, salt, iterations);
	const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
	return new Uint8Array(await crypto.subtle.deriveBits(
		{ name: "PBKDF2", hash: "SHA-512", salt, iterations }, key, 512));
}

const bitsOf = (bytes) => Array.from(bytes, (b) => b.toString(2).padStart(8, "0")).join("");

// The bits that stand behind those of the entropy: one for each four of its bytes.
const checksum = async (entropy) => bitsOf(await sha256(entropy)).slice(0, entropy.length / 4);

/**
 * The phrase of random bytes.
 * @param {Uint8Array} entropy 16, 20, 24, 28 or 32 bytes
 * @returns {Promise<string>} 12 to 24 words
 */
export async function phraseOf(entropy) {
	const bits = bitsOf(entropy) + await checksum(entropy);
	return bits.match(/.{11}/g).map((word) => wordlist[parseInt(word, 2)]).join(" ");
}

/** A new phrase. @returns {Promise<string>} 12 words */
export const newPhrase = () => phraseOf(crypto.getRandomValues(new Uint8Array(16)));

/**
 * The phrase in its usual form.
 * @param {string} text
 * @returns {Promise<string>}
 * @throws {PhraseError}
 */
export async function checkPhrase(text) {
	const words = text.normalize("NFKD").toLowerCase().split(/[\s,]+/).filter(Boolean);
	if (words.length % 3 || words.length < 12 || words.length > 24)
		throw new PhraseError(`A phrase has 12, 15, 18, 21 or 24 words; this has ${words.length}.`);
	const places = words.map((word) => wordlist.indexOf(word));
	const wrong = places.indexOf(-1);
	if (wrong >= 0)
		throw new PhraseError(`Word ${wrong + 1}, "${words[wrong]}", is not a word of phrases.`);
	const bits = places.map((place) => place.toString(2).padStart(11, "0")).join("");
	const nEntropy = words.length / 3 * 32;
	const entropy = Uint8Array.from(bits.slice(0, nEntropy).match(/.{8}/g), (b) => parseInt(b, 2));
	if (bits.slice(nEntropy) !== await checksum(entropy))
		throw new PhraseError("These are words of phrases, but not a phrase: "
			+ "a word is wrong, or two changed places.");
	return words.join(" ");
}

/**
 * The seed of the identity that a phrase names.
 * @param {string} text
 * @returns {Promise<Uint8Array>} 32 bytes
 * @throws {PhraseError}
 */
export async function seedOfPhrase(text) {
	const phrase = await checkPhrase(text);
	return (await pbkdf2(utf8(phrase), utf8("mnemonic"), 2048)).slice(0, 32);
}
