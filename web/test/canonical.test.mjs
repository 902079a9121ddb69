// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Canonical text, identities and phrases, against vectors that Python made (t/vectors.json).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CopyingTables } from "./kit.mjs";
import { canonical, fromBase64, fromHex, newUuid, toBase64, toHex } from "../oip/canonical.js";
import {
	identityOfSeed, importPhrase, loadIdentity, makeIdentity, openIdentity,
} from "../identity/key.js";
import * as plain from "../identity/plain.js";
import { checkPhrase, phraseOf, seedOfPhrase } from "../identity/phrase.js";

// A build has a copy of the page's sources elsewhere.
const top = process.env.TOP_SRCDIR ?? fileURLToPath(new URL("../..", import.meta.url));
const { vectors, seed_client, address_client }
	= JSON.parse(readFileSync(`${top}/t/vectors.json`, "utf8"));
const seed = fromHex(seed_client);

// Form A is what Python writes. V5 and V7 have numbers that JavaScript cannot send.
const ours = vectors.filter((v) => v.form === "A" && v.new_server_must === "accept"
	&& v.signer === address_client && !["V5-A", "V7-A"].includes(v.name));

test("the canonical text and signature of each vector are Python's", async () => {
	assert.equal(ours.length, 15);
	const identity = await identityOfSeed(seed);
	assert.equal(identity.address, address_client);
	for (const v of ours) {
		const text = canonical(JSON.parse(v.wire_payload));
		assert.equal(text, v.canonical, v.name);
		assert.equal(await identity.sign(text), v.signature, v.name);
		assert.equal(await plain.signer(seed)(text), v.signature, `${v.name}, without WebCrypto`);
		assert.ok(await identity.verify(address_client, v.signature, text), v.name);
		assert.equal(await identity.verify(address_client, v.signature, text + " "), false);
	}
});

const CASES = [
	["keys are sorted by code points", { "\ud83d\ude00": 1, "\uffff": 2, a: 3 },
		'{"a":3,"\\uffff":2,"\\ud83d\\ude00":1}'],
	["DEL and controls are escaped", "\x7f\x01\n", '"\\u007f\\u0001\\n"'],
	["a lone surrogate is escaped", "\ud800x", '"\\ud800x"'],
	["small numbers have two digits of exponent", [1e-7, 0.00001, 0.0001, 1.5e-10],
		"[1e-07,1e-05,0.0001,1.5e-10]"],
	["large numbers are as they are sent", [1e21, 1e20, -0, 0.1],
		"[1e+21,100000000000000000000,0,0.1]"],
	["members without a value are left out", { a: undefined, b: null, c: [{ d: true }] },
		'{"b":null,"c":[{"d":true}]}'],
	["the prototype's name is a name", JSON.parse('{"__proto__":1,"a":2}'),
		'{"__proto__":1,"a":2}'],
];

for (const [name, value, text] of CASES)
	test(`canonical text: ${name}`, () => assert.equal(canonical(value), text));

test("a payload cannot have what JSON cannot say", () => {
	for (const value of [NaN, Infinity, () => 1, Symbol("x"), 1n, undefined])
		assert.throws(() => canonical({ a: [value] }), TypeError);
});

test("bytes survive hex and base64, also without the functions of newer engines", () => {
	const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 255);
	assert.deepEqual(fromHex(toHex(bytes)), bytes);
	assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
	assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
	assert.deepEqual(fromHex("0XfF00"), Uint8Array.of(255, 0));
	assert.throws(() => fromHex("abc"), TypeError);
	assert.throws(() => fromHex("zz"), TypeError);
});

test("a new UUID is one of version 4", () => {
	assert.match(newUuid(), /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
});

const ABOUT = "abandon ".repeat(11) + "about";

test("phrases are those of BIP-39", async () => {
	assert.equal(await phraseOf(new Uint8Array(16)), ABOUT);
	assert.equal(await phraseOf(new Uint8Array(16).fill(0x7f)),
		"legal winner thank year wave sausage worth useful legal winner thank yellow");
	assert.equal(await phraseOf(new Uint8Array(32)), "abandon ".repeat(23) + "art");
	// The standard's vectors have the password TREZOR; this one has none, as ConnectOnion's.
	assert.equal(toHex(await seedOfPhrase(ABOUT)),
		"5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1");
});

test("a phrase is understood in any case and spacing", async () => {
	assert.equal(await checkPhrase(`  ${ABOUT.toUpperCase().replaceAll(" ", ",\n ")}\t`), ABOUT);
});

test("what is wrong with a phrase is said", async () => {
	await assert.rejects(checkPhrase("abandon about"), /has 12, 15, .* this has 2/);
	await assert.rejects(checkPhrase(ABOUT.replace("about", "abuot")), /Word 12, "abuot"/);
	await assert.rejects(checkPhrase("abandon ".repeat(12)), /a word is wrong, or two changed/);
});

test("an identity is kept, cannot be exported, and comes back by its phrase", async () => {
	const storage = new CopyingTables();
	assert.equal(await loadIdentity({ storage }), undefined);
	const { identity, phrase } = await makeIdentity({ storage });
	const again = await loadIdentity({ storage });
	assert.equal(again.address, identity.address);
	assert.equal(await again.sign("x"), await identity.sign("x"));
	const { key, seed: readable } = await storage.get("identity", "own");
	assert.equal(readable, undefined);
	await assert.rejects(crypto.subtle.exportKey("jwk", key));
	const elsewhere = await importPhrase(phrase, { storage: new CopyingTables() });
	assert.equal(elsewhere.address, identity.address);
});

test("tabs that open at once at the first visit are one identity", async () => {
	const storage = new CopyingTables();
	const tabs = await Promise.all([1, 2, 3].map(() => openIdentity({ storage })));
	assert.equal(new Set(tabs.map(({ identity }) => identity.address)).size, 1);
	const [phrase, ...more] = tabs.map((tab) => tab.phrase).filter(Boolean);
	assert.deepEqual(more, [], "one of them has the phrase");
	const again = await importPhrase(phrase, { storage: new CopyingTables() });
	assert.equal(again.address, tabs[0].identity.address);
});

test("without WebCrypto a phrase is the same identity, which says it is plain", async () => {
	const real = globalThis.crypto;
	const web = await importPhrase(ABOUT, { storage: new CopyingTables() });
	const signature = await web.sign("Zoë");
	const without = { getRandomValues: (bytes) => real.getRandomValues(bytes) };
	Object.defineProperty(globalThis, "crypto", { value: without, configurable: true });
	try {
		const storage = new CopyingTables();
		const identity = await importPhrase(ABOUT, { storage });
		assert.deepEqual([identity.address, identity.isPlain, web.isPlain],
			[web.address, true, false]);
		const again = await loadIdentity({ storage });
		assert.equal(await again.sign("Zoë"), signature);
		assert.ok(await again.verify(web.address, await again.sign("y"), "y"));
		const [a, b] = [await again.newExchange(), await again.newExchange()];
		assert.deepEqual(await a.shared(b.publicKey), await b.shared(a.publicKey));
		assert.match((await makeIdentity({ storage })).phrase, /^(\w+ ){11}\w+$/);
	} finally {
		Object.defineProperty(globalThis, "crypto", { value: real, configurable: true });
	}
});
