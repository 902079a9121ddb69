// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// MCP servers made with the TypeScript SDK: GENERATION TRANSPORT, old or new, stdio or http.
// Modules are found in the folder NODE_PLACE. With http the URL is the first line printed.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const [generation, transport] = process.argv.slice(2);
const resolve = createRequire(`${process.env.NODE_PLACE}/package.json`).resolve;
const load = (name) => import(pathToFileURL(resolve(name)));
const { z } = await load('zod');
const form = { type: 'object', required: ['colour'], properties: { colour: { type: 'string', enum: ['red', 'green'] } } };
const text = (s) => ({ content: [{ type: 'text', text: s }] });

function common(server) {
	server.registerTool('add', { description: 'Add two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }),
		annotations: { readOnlyHint: true } }, async ({ a, b }) => text(String(a + b)));
	server.registerTool('fail', { description: 'Fail', inputSchema: z.object({}) }, async () => { throw new Error('it broke'); });
	server.registerTool('picture', { description: 'A picture', inputSchema: z.object({}) }, async () =>
		({ content: [{ type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' }] }));
	return server;
}

async function old() {
	const { McpServer } = await load('@modelcontextprotocol/sdk/server/mcp.js');
	const make = () => {
		const server = common(new McpServer({ name: 'old', version: '1' }));
		server.registerTool('paint', { description: 'Paint', inputSchema: z.object({}) }, async (_, extra) => {
			const answer = await server.server.elicitInput({ message: 'Which colour?', requestedSchema: form },
				{ relatedRequestId: extra.requestId });
			return text(JSON.stringify(answer));
		});
		// Without relatedRequestId the question goes to the stream that the client listens to.
		server.registerTool('shout', { description: 'Ask elsewhere', inputSchema: z.object({}) }, async () =>
			text(JSON.stringify(await server.server.elicitInput({ message: 'Which colour?', requestedSchema: form }))));
		server.registerTool('cut', { description: 'Close the stream', inputSchema: z.object({}) }, async (_, extra) => {
			extra.closeSSEStream?.();
			await new Promise((done) => setTimeout(done, 300));
			return text('resumed');
		});
		return server;
	};
	if (transport === 'stdio') {
		const { StdioServerTransport } = await load('@modelcontextprotocol/sdk/server/stdio.js');
		return make().connect(new StdioServerTransport());
	}
	const { StreamableHTTPServerTransport } = await load('@modelcontextprotocol/sdk/server/streamableHttp.js');
	const { InMemoryEventStore } = await load('@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js');
	const sessions = {};
	listen(async (req, res) => {
		let t = sessions[req.headers['mcp-session-id']];
		if (!t) {
			t = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, eventStore: new InMemoryEventStore(),
				retryInterval: 100, onsessioninitialized: (id) => { sessions[id] = t; } });
			await make().connect(t);
		}
		await t.handleRequest(req, res);
	});
}

async function fresh() {
	const { McpServer, createMcpHandler, inputRequired } = await load('@modelcontextprotocol/server');
	const make = () => {
		const server = common(new McpServer({ name: 'new', version: '1' }));
		server.registerTool('paint', { description: 'Paint', inputSchema: z.object({}) }, async (_, ctx) => {
			const given = ctx.mcpReq.inputResponses?.colour;
			return given ? text(JSON.stringify(given)) : inputRequired({ inputRequests: {
				colour: inputRequired.elicit({ message: 'Which colour?', requestedSchema: form }) } });
		});
		return server;
	};
	if (transport === 'stdio') {
		const { serveStdio } = await load('@modelcontextprotocol/server/stdio');
		return serveStdio(make, { legacy: 'reject' });
	}
	const { toNodeHandler } = await load('@modelcontextprotocol/node');
	listen(toNodeHandler(createMcpHandler(make, { legacy: 'reject' })));
}

function listen(handler) {
	const server = createServer((req, res) => { handler(req, res); });
	server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}

await (generation === 'old' ? old() : fresh());
