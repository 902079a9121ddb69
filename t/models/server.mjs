// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// server.mjs MODEL.gguf: a language model on this machine, as a server of OpenAI's chat
// completions. It writes its port to standard output, as one line, when it serves, and ends with
// its standard input. Four requests run at once; others wait.
import http from 'node:http';
import { getLlama, LlamaCompletion } from 'node-llama-cpp';

const SEQUENCES = 4;
const CONTEXT_TOKENS = 2048;
const MAX_TOKENS = 200;

const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
const model = await llama.loadModel({ modelPath: process.argv[2] });
const context = await model.createContext({
	contextSize: CONTEXT_TOKENS, sequences: SEQUENCES, threads: 2,
});

const idle = Array.from({ length: SEQUENCES }, () => context.getSequence());
const waiting = [];

async function take() {
	return idle.pop() ?? new Promise(resolve => waiting.push(resolve));
}

async function giveBack(sequence) {
	await sequence.clearHistory();
	const next = waiting.shift();
	if (next) next(sequence);
	else idle.push(sequence);
}

function textOf(content) {
	if (Array.isArray(content)) return content.map(part => part.text ?? '').join('');
	return content ?? '';
}

// A base model continues a conversation that looks like one.
function promptOf(messages) {
	const said = messages.map(m => `${m.role}: ${textOf(m.content)}\n`);
	return `${said.join('')}assistant:`;
}

async function complete(request, signal, onText) {
	const sequence = await take();
	const completion = new LlamaCompletion({ contextSequence: sequence });
	try {
		const tokens = model.tokenize(promptOf(request.messages));
		const result = await completion.generateCompletionWithMeta(tokens, {
			maxTokens: request.max_completion_tokens ?? request.max_tokens ?? MAX_TOKENS,
			temperature: request.temperature ?? 0, seed: request.seed ?? 1, signal,
			stopOnAbortSignal: true, onTextChunk: onText,
			customStopTriggers: ['\nuser:', '\nsystem:', '\nassistant:', '\ntool:'],
		});
		const used = sequence.nextTokenIndex;
		return {
			reason: result.metadata.stopReason === 'maxTokens' ? 'length' : 'stop',
			usage: {
				prompt_tokens: tokens.length,
				completion_tokens: Math.max(used - tokens.length, 0), total_tokens: used,
			},
		};
	} finally {
		completion.dispose({ disposeSequence: false });
		await giveBack(sequence);
	}
}

async function answer(request, response, signal) {
	const head = { id: `chatcmpl-${Date.now()}`, model: request.model, created: Math.floor(Date.now() / 1000) };
	if (!request.stream) {
		let content = '';
		const { reason, usage } = await complete(request, signal, text => { content += text; });
		const message = { role: 'assistant', content };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ ...head, object: 'chat.completion', usage,
			choices: [{ index: 0, message, finish_reason: reason }] }));
		return;
	}
	const send = (delta, reason = null) => response.write(`data: ${JSON.stringify({ ...head,
		object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`);
	response.setHeader('content-type', 'text/event-stream');
	send({ role: 'assistant', content: '' });
	const { reason, usage } = await complete(request, signal, content => send({ content }));
	send({}, reason);
	if (request.stream_options?.include_usage)
		response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\n`);
	response.end('data: [DONE]\n\n');
}

async function bodyOf(request) {
	const pieces = [];
	for await (const piece of request) pieces.push(piece);
	return JSON.parse(Buffer.concat(pieces).toString());
}

const server = http.createServer(async (request, response) => {
	if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
		response.writeHead(404).end();
		return;
	}
	const gone = new AbortController();
	response.on('close', () => gone.abort());
	try {
		await answer(await bodyOf(request), response, gone.signal);
	} catch (error) {
		if (response.headersSent) response.destroy();
		else response.writeHead(400, { 'content-type': 'application/json' })
			.end(JSON.stringify({ error: { message: String(error) } }));
	}
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
