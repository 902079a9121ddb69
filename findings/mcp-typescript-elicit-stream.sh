#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# @modelcontextprotocol/sdk 1.32.2 (npm), a server by streamable HTTP: a question that a tool asks
# during a call does not come in the stream of the call, unless the tool names the call.
#
# A tool asks the user with server.server.elicitInput(). Without the option relatedRequestId, which
# the example elicitationFormExample.js of the package leaves out, too, the question is sent in the
# stream that the client opens with GET. A client need not open one: then it never sees the
# question, and no error tells the tool, which waits until the request times out (60 s by default).
#
# Expected: a request that belongs to a call comes in the stream of the call, as the specification
# has it (2025-11-25, Transports: what is in the stream of a GET should be unrelated to requests
# that are running), or elicitInput() fails at once.
# Seen: with relatedRequestId the client is asked, whether it listens or not; without it is asked if
# it listens, and otherwise the call ends after the timeout with "MCP error -32001".
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2 >/dev/null || exit 2

cat >both.mjs <<'EOF'
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const question = { message: "Which colour?",
	requestedSchema: { type: "object", properties: { colour: { type: "string" } } } };
const timeout = 3000;

function makeServer() {
	const server = new McpServer({ name: "any", version: "1" });
	const ask = async (options) => {
		const answer = await server.server.elicitInput(question, { timeout, ...options });
		return { content: [{ type: "text", text: answer.content.colour }] };
	};
	server.registerTool("with", {}, (extra) => ask({ relatedRequestId: extra.requestId }));
	server.registerTool("without", {}, () => ask({}));
	return server;
}

const sessions = {};
const http = createServer(async (req, res) => {
	let transport = sessions[req.headers["mcp-session-id"]];
	if (!transport) {
		transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID,
			onsessioninitialized: (id) => { sessions[id] = transport; } });
		await makeServer().connect(transport);
	}
	await transport.handleRequest(req, res);
});
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
const url = new URL(`http://127.0.0.1:${http.address().port}/mcp`);

// How often a client is asked during a call of this tool, and what the call returns.
async function call(listens, tool) {
	let asked = 0, listening;
	const isListening = new Promise((resolve) => { listening = resolve; });
	const client = new Client({ name: "any", version: "1" },
		{ capabilities: { elicitation: { form: {} } } });
	client.setRequestHandler(ElicitRequestSchema, () => {
		asked++;
		return { action: "accept", content: { colour: "red" } };
	});
	// The client asks for a stream by itself; 405 is what a server says that has none.
	await client.connect(new StreamableHTTPClientTransport(url, { fetch: async (where, what) => {
		if (what?.method !== "GET")
			return fetch(where, what);
		const answer = listens ? await fetch(where, what) : new Response(null, { status: 405 });
		listening();
		return answer;
	} }));
	await isListening;
	const result = await client.callTool({ name: tool, arguments: {} });
	await client.close();
	return `asked ${asked}, ${result.content[0].text}`;
}

const expected = {
	"a client that listens, with relatedRequestId": "asked 1, red",
	"a client that listens, without relatedRequestId": "asked 1, red",
	"a client that does not listen, with relatedRequestId": "asked 1, red",
	"a client that does not listen, without relatedRequestId":
		"asked 0, MCP error -32001: Request timed out",
};
console.log("@modelcontextprotocol/sdk 1.32.2");
let same = true;
for (const listens of [true, false])
	for (const tool of ["with", "without"]) {
		const what = `a client that ${listens ? "listens" : "does not listen"}, ${tool} relatedRequestId`;
		const seen = await call(listens, tool);
		console.log(`${what}: ${seen}`);
		same &&= seen === expected[what];
	}
console.log(same ? "as described" : "this has changed");
process.exit(same ? 0 : 1);
EOF
node both.mjs
