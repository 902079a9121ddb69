// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Sealed connections (doc/oip.txt section 2): what the two sides say is boxed with keys that
// were made for this connection.
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import {
	canonical, fromBase64, fromHex, fromUtf8, toBase64, toHex, utf8,
} from "./canonical.js";

/** A seal that is refused or broken; its message is for people. */
export class SealError extends Error {
	name = "SealError";
}

const wordsOf = (bytes) => new Uint32Array(bytes.slice().buffer);

// The key of NaCl's box: what both have in common, through HSalsa20.
function boxKey(shared) {
	const out = new Uint32Array(8);
	hsalsa(wordsOf(utf8("expand 32-byte k")), wordsOf(shared), new Uint32Array(4), out);
	return new Uint8Array(out.buffer);
}

function nonceOf(direction, n) {
	const nonce = new Uint8Array(24);
	nonce.set(utf8(direction));
	new DataView(nonce.buffer).setBigUint64(16, BigInt(n));
	return nonce;
}

/** The boxes of one sealed connection, as one side sees them. */
export class Seal {
	#key;
	#sends;
	#takes;
	#sent = 0;
	#got = 0;

	/**
	 * @param {Uint8Array} shared the secret of both sides, 32 bytes
	 * @param {{isHost?: boolean}} [o]
	 */
	constructor(shared, { isHost = false } = {}) {
		this.#key = boxKey(shared);
		[this.#sends, this.#takes] = isHost ? ["h2c", "c2h"] : ["c2h", "h2c"];
	}

	/** Box a frame. @param {string} text @returns {string} the message to send */
	seal(text) {
		const n = ++this.#sent;
		const box = xsalsa20poly1305(this.#key, nonceOf(this.#sends, n)).encrypt(utf8(text));
		return JSON.stringify({ type: "SEALED", n, c: toBase64(box) });
	}

	/**
	 * Open a message of the other side.
	 * @param {object} frame
	 * @returns {string} what is in it
	 * @throws {SealError} if it is not sealed, does not open, or came before
	 */
	open(frame) {
		if (frame.type !== "SEALED" || !Number.isSafeInteger(frame.n) || frame.n <= this.#got)
			throw new SealError("A message is not sealed, or came before.");
		try {
			const box = fromBase64(frame.c);
			const text = xsalsa20poly1305(this.#key, nonceOf(this.#takes, frame.n)).decrypt(box);
			this.#got = frame.n;
			return fromUtf8(text);
		} catch {
			throw new SealError("A sealed message does not open: somebody changed it on its way.");
		}
	}
}

/**
 * Begin a seal: the frame to send, and what finishes it with the host's answer.
 * @param {{identity: object, to: string, timestamp: number}} o "to" is the host's address,
 *	the timestamp is in seconds
 * @returns {Promise<{hello: string, finish: function(object): Promise<Seal>}>} finish throws
 *	SealError if the answer is a refusal, or not by this host
 */
export async function beginSeal({ identity, to, timestamp }) {
	const exchange = await identity.newExchange();
	const ephemeral = toHex(exchange.publicKey);
	const members = { type: "SEAL", to, from: identity.address, ephemeral, timestamp };
	const signature = await identity.sign(canonical(members));

	async function finish({ signature: theirs, ...answer }) {
		if (answer.type !== "SEALED_OK")
			throw new SealError(answer.message ?? "The server did not answer the seal.");
		const isOurs = answer.to === identity.address && answer.from === to
			&& answer.client_ephemeral === ephemeral && typeof theirs === "string"
			&& typeof answer.ephemeral === "string";
		if (!isOurs || !await identity.verify(to, theirs, canonical(answer)))
			throw new SealError("The answer is not that of the host: somebody is in between.");
		return new Seal(await exchange.shared(fromHex(answer.ephemeral)));
	}
	return { hello: JSON.stringify({ ...members, signature }), finish };
}
