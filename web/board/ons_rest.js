// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The part of Onsembl that is HTTP (doc/onsembl.txt section 4). No document.

// Pages of a list, and how much of an output is fetched.
const PAGE = 100;
const MAX_AGENTS = 1000;
const OUTPUT_PAGE = 10000;
const MAX_OUTPUT = 20000;

/** A request that was refused: status is that of HTTP; message says why. */
export class RestError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

/** Requests in the name of a user. `base` ends with "/"; `token()` gives the token of now, or "". */
export class OnsRest {
	constructor({ base, token, fetch: get }) {
		this.base = base;
		this.token = token;
		this.fetch = get ?? ((...all) => globalThis.fetch(...all));
	}

	/**
	 * @returns {Promise<object>} the body of the answer
	 * @throws {RestError} it was refused, or is no JSON
	 */
	async ask(method, path, body) {
		const headers = {};
		if (this.token()) headers.authorization = `Bearer ${this.token()}`;
		if (body) headers["content-type"] = "application/json";
		const response = await this.fetch(this.base + path, { method, headers,
			body: body ? JSON.stringify(body) : undefined });
		const text = await response.text();
		let value = {};
		try {
			if (text) value = JSON.parse(text);
		} catch {
			throw new RestError(response.status, text.slice(0, 200));
		}
		if (!response.ok)
			throw new RestError(response.status, value.message ?? value.error_description ??
				value.error ?? String(response.status));
		return value;
	}

	/** Whether the server does not speak Onsembl. @returns {Promise<boolean>} */
	async isMissing() {
		return (await this.fetch(this.base + "api/health/liveness")).status === 404;
	}

	/** All agents that this user may see, 1000 at most. */
	async agents() {
		const all = [];
		for (let total = 1; all.length < total && all.length < MAX_AGENTS;) {
			const page = await this.ask("GET",
				`api/agents?limit=${PAGE}&offset=${all.length}`);
			if (!page.agents?.length) break;
			all.push(...page.agents);
			total = page.total;
		}
		return all;
	}

	/** The newest commands of this user. */
	async commands(limit = 50) {
		return (await this.ask("GET", `api/commands?limit=${limit}`)).commands ?? [];
	}

	/** What a command wrote, as the server keeps it: [{text, isError}]. */
	async output(id) {
		const all = [];
		for (let total = 1; all.length < total && all.length < MAX_OUTPUT;) {
			const page = await this.ask("GET", `api/commands/${encodeURIComponent(id)}/output` +
				`?limit=${OUTPUT_PAGE}&offset=${all.length}`);
			if (!page.outputs?.length) break;
			all.push(...page.outputs);
			total = page.total;
		}
		return all.map((o) => ({ text: o.output, isError: o.type === "stderr" }));
	}

	cancel(id) {
		return this.ask("DELETE", `api/commands/${encodeURIComponent(id)}/cancel`);
	}

	/** Stop everything: {agentsStopped, commandsCancelled}. */
	emergencyStop(reason) {
		return this.ask("POST", "api/system/emergency-stop", { reason });
	}

	deleteAgent(id) {
		return this.ask("DELETE", `api/agents/${encodeURIComponent(id)}`);
	}

	/** Let a program in whose code a person has read from its terminal. */
	confirmDevice(code) {
		return this.ask("POST", "api/auth/device/confirm", { user_code: code });
	}
}
