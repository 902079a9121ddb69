// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A host whose lines a test reads, answers and cuts by hand. Its WebSocket is a class for
// Talk; nothing goes over a network.
import { promptIdentity, settle } from "./kit.mjs";
import { canonical, fromHex, toHex } from "../oip/canonical.js";
import { Seal } from "../oip/seal.js";

export class ScriptedHost {
	/** Sockets that were opened, the newest last. */
	sockets = [];
	/** Whether new sockets open by themselves. */
	isUp = true;
	/** Positions of rows that were sent. */
	head = 0;

	identity = promptIdentity(0x42);

	constructor() {
		const host = this;
		const { sockets } = host;
		host.WebSocket = class {
			constructor(url) {
				Object.assign(this, { url, sent: [], isClosed: false, bufferedAmount: 0 });
				sockets.push(this);
				setImmediate(() => (host.isUp ? this.onopen?.() : this.cut()));
			}

			send(text) { this.sent.push(JSON.parse(text)); }
			close() { this.isClosed = true; }
			cut(code = 1006, reason = "") { this.onclose?.({ code, reason }); }
			say(frame) {
				this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
			}
		};
	}

	get address() { return this.identity.address; }
	get socket() { return this.sockets.at(-1); }

	/** Frames of the newest line that were not taken yet, after all had time to come. */
	async heard() {
		await settle();
		return this.socket.sent.splice(0);
	}

	/** The next frame, which must be of this type and signed; returns its payload. */
	async command(type) {
		const [frame, ...more] = await this.heard();
		this.socket.sent.unshift(...more);
		if (frame?.type !== type) throw new Error(`wanted ${type}, got ${JSON.stringify(frame)}`);
		if (!await this.identity.verify(frame.from, frame.signature, canonical(frame.payload)))
			throw new Error(`${type}: the signature is wrong`);
		this.session = frame.session_id ?? this.session;
		return frame.payload;
	}

	async say(...frames) {
		for (const frame of frames) this.socket.say(frame);
		await settle();
	}

	/** Answer CONNECT. Returns its payload. */
	async welcome(more = {}) {
		const payload = await this.command("CONNECT");
		await this.say({ type: "CONNECTED", session_id: this.session, status: "new", epoch: 7,
			head: this.head, first: 1, turn: 0, running: false, question: null, mode: "auto",
			turns_left: null, title: "", ...more });
		return payload;
	}

	row(type, members = {}) {
		return { type, pos: ++this.head, turn: 1, id: `e7-${this.head}`, ts: 1, ...members };
	}

	/** Answer SEAL; sealedSay() and opened() speak inside. "as" answers for another host. */
	async acceptSeal({ as = this.identity } = {}) {
		const [{ signature, ...hello }] = await this.heard();
		if (!await this.identity.verify(hello.from, signature, canonical(hello)))
			throw new Error("SEAL: the signature is wrong");
		const own = await as.newExchange();
		const answer = { type: "SEALED_OK", to: hello.from, from: this.address,
			ephemeral: toHex(own.publicKey), client_ephemeral: hello.ephemeral };
		this.seal = new Seal(await own.shared(fromHex(hello.ephemeral)), { isHost: true });
		await this.say({ ...answer, signature: await as.sign(canonical(answer)) });
		return hello;
	}

	sealedSay(frame) {
		return this.say(this.seal.seal(JSON.stringify(frame)));
	}

	/** What was said inside. */
	async opened() {
		return (await this.heard()).map((frame) => JSON.parse(this.seal.open(frame)));
	}
}
