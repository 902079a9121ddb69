// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Fifteen habits of the programs of Onsembl, each a story, which the server has to bear.
//
//	NODE_HOME=FOLDER SECRET=... node stories.mjs URL STORY...
//
// FOLDER has the package ws in its node_modules; SECRET is that of the server's tokens.
import process from 'node:process';
import * as cli from './cli.mjs';
import { Dashboard } from './dashboard.mjs';
import { Network, PATIENCE, WebSocket, assert, random, same, sleep, token, until } from './kit.mjs';
import { Credentials, Wrapper } from './wrapper.mjs';

const [url, ...names] = process.argv.slice(2);
const things = [];

// ---- making things, which end with the stories ----

function keep(thing) {
	things.push(thing);
	return thing;
}

async function wrapper(more = {}) {
	const w = keep(new Wrapper({ server: url, token: token(more.user ?? 'ann'), ...more }));
	await w.start();
	if (w.hearsAck)
		await until('the ACK of AGENT_CONNECT', () => payloads(w, 'ACK').length);
	return w;
}

async function dashboard(more = {}) {
	const user = more.user ?? 'ann';
	const d = keep(new Dashboard({ server: url, token: token(user), user, ...more })).open();
	await until('the ACK of INIT', () => d.of('ACK').length);
	return d;
}

async function both(more = {}) {
	const w = await wrapper(more);
	const d = await dashboard({ user: more.user });
	await online(d, w);
	return [w, d];
}

function online(d, w) {
	return until(`the agent ${w.agentId} online`, () => d.agent(w.agentId) === 'online');
}

function shown(d, id, words) {
	return until(`"${words}" in the terminal of ${id}`, () => d.text(id).includes(words));
}

function is(d, id, word) {
	return until(`the status ${word} of ${id}`, () => d.status(id) === word, 15_000);
}

function content(...dashboards) {
	for (const d of dashboards)
		same(d.problems, [], 'what troubled the page');
}

const payloads = (w, type) => w.received.filter((m) => m.type === type).map((m) => m.payload);

// ---- the agent ----

async function waitsForNoAck() {
	const w = await wrapper({ hearsAck: false, name: 'Impatient' });
	w.sendOutput(w.agentId, 'at once\n', 'STDOUT');
	const d = await dashboard();
	await online(d, w);
	const id = d.command(w.agentId, 'echo $((6 * 7))');
	await shown(d, id, '42\n');
	same(d.agents.get(w.agentId).name, 'Impatient', 'the name of the agent');
	same(d.agents.get(w.agentId).type, 'CUSTOM', 'the type of the agent');
	content(d);
}

async function adoptsId() {
	const net = keep(await new Network(url).open());
	const w = await wrapper({ server: net.url });
	const ack = await until('the ACK', () => payloads(w, 'ACK').find((p) => p.authenticated));
	assert(ack.success === true && /^agent-\d+-[0-9a-z]{9}$/.test(ack.connectionId),
		'an ACK as pages show it', ack);
	const adopted = w.agentId;
	const d = await dashboard();
	await online(d, w);
	net.cut();
	await until('the agent back', () => w.urls.length === 2 && w.isConnected);
	assert(w.urls[1].includes(`agentId=${adopted}&`), 'the adopted id in the URL', w.urls);
	await online(d, w);
	const first = d.command(adopted, 'echo one');
	await shown(d, first, 'one\n');
	w.stop();
	await until('its end', () => w.closes.length === 2);
	const again = await wrapper({ agentId: w.ownId });
	await online(d, again);
	const second = d.command(again.agentId, 'echo two');
	await shown(d, second, 'two\n');
	same([...d.agents.keys()].filter((id) => id === w.ownId || id === adopted).length, 1,
		'one agent after a restart');
	content(d);
}

async function readsLittle() {
	const [w, d] = await both({ mode: 'legacy' });
	const id = d.command(w.agentId, 'sh', { args: ['-c', 'echo "$GREETING" $PWD; printf part; exit 3'],
		env: { GREETING: 'hello there' }, workingDirectory: '/usr' });
	const [request] = await until('the command', () => w.commands().length && w.commands());
	same([request.commandId, request.command, request.args, request.env, request.workingDirectory,
		request.executionConstraints.timeLimitMs], [id, 'sh',
		['-c', 'echo "$GREETING" $PWD; printf part; exit 3'], { GREETING: 'hello there' }, '/usr',
		300000], 'what the agent reads');
	await is(d, id, 'FAILED');
	same(d.text(id), 'hello there /usr\npart', 'the output of the command');
	same(d.commands.get(id).exitCode, 3, 'its exit code');
	await until('the end of its terminal', () => d.terminal(id).end);
	same(d.terminal(id).end, { status: 'FAILED', exitCode: 3 }, 'the end of its terminal');
	const fine = d.command(w.agentId, 'uname');
	await is(d, fine, 'COMPLETED');
	const none = d.command(w.agentId, '/no/such/program');
	await is(d, none, 'FAILED');
	same(d.commands.get(none).exitCode, -2, 'the exit code of a program that is not there');
	const slow = d.command(w.agentId, 'sleep', { args: ['60'],
		executionConstraints: { timeLimitMs: 300, maxRetries: 1 } });
	await is(d, slow, 'FAILED');
	assert(/timed out/.test(d.commands.get(slow).error), 'the error of a command that took too long',
		d.commands.get(slow));
	content(d);
}

// Its second command takes over what the first still writes.
async function labelsLatest() {
	const w = await wrapper();
	const [d, other] = [await dashboard(), await dashboard({ user: 'bob' })];
	await online(d, w);
	await online(other, w);
	w.child.stdin.write('echo before\n');
	for (const page of [d, other])
		await shown(page, `agent-session-${w.agentId}`, 'before\n');
	const first = d.command(w.agentId, 'echo first; (sleep 1; echo late) & true');
	await shown(d, first, 'first\n');
	const second = other.command(w.agentId, 'echo second');
	await shown(other, second, 'late\n');
	same(d.text(first), 'first\n', 'the terminal of the first command');
	same(other.text(second), 'second\nlate\n', 'the terminal of the second command');
	await is(d, first, 'COMPLETED');
	content(d, other);
}

async function bigChunks() {
	const [w, d] = await both({ pty: true });
	const id = d.command(w.agentId, 'true');
	await until('the command', () => w.commandId === id);
	const pieces = [];
	const put = (bytes, stream = 'STDOUT') => {
		pieces.push([bytes.toString(), stream]);
		w.output(bytes, stream);
	};
	put(Buffer.from('plain\r\n'));
	put(Buffer.from('\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m\n'));
	put(Buffer.from([0x67, 0x72, 0xc3]));
	put(Buffer.from([0xbc, 0x6e, 0x0a]), 'STDERR');
	for (let i = 0; i < 50; i++)
		put(Buffer.alloc(65536, String.fromCharCode(97 + i % 26)));
	put(Buffer.from('the end\n'));
	await until(`all output (${d.text(id).length} came)`,
		() => d.text(id).endsWith('the end\n'), 20_000);
	assert(d.text(id) === pieces.map((p) => p[0]).join(''), 'all output in order, with its colours',
		d.text(id).slice(0, 100));
	same(d.terminal(id).streams.STDERR, '\ufffdn\n', 'what was written to standard error');
	w.sendOutput(id, 'one run\n', 'STDOUT', { ansiCodes: '\x1b[32m' });
	w.sendOutput(id, 'a part\n', 'STDOUT', { ansiCodes: '\x1b[32m\x1b[0m' });
	await shown(d, id, 'a part\n');
	assert(d.text(id).endsWith('the end\none run\na part\n'),
		'content alone where codes are not the text', d.text(id).slice(-60));
	content(d);
}

async function beats() {
	const [w, d] = await both();
	await until('a pong', () => w.pongs, 35_000);
	const until30 = Date.now();
	w.ws.close(4000, 'Heartbeat timeout');
	await until('the reply to a close', () => w.closes.length, 2000);
	same(w.closes[0].code, 4000, 'the code of the reply');
	assert(w.closes[0].at - until30 < 1000 * PATIENCE, 'a reply at once', w.closes[0].at - until30);
	await until('the agent back', () => w.isConnected);
	await online(d, w);
	const id = d.command(w.agentId, 'echo back');
	await shown(d, id, 'back\n');
	content(d);
}

// A refused reconnect costs the wrapper its attempts: the listener must not refuse.
async function backsOff() {
	const net = keep(await new Network(url).open());
	const w = await wrapper({ server: net.url });
	const d = await dashboard();
	await online(d, w);
	await net.close();
	const lostAt = Date.now();
	await until('the loss in the page', () => d.agent(w.agentId) === 'offline');
	await until('two refused tries', () => w.tries.length === 3, 10_000);
	await net.open(net.port);
	await until('the agent back', () => w.isConnected, 80_000);
	const tries = w.tries.slice(1).map((at) => Math.round((at - lostAt) / 1000));
	assert(tries.length === 3 && tries[2] >= 30, 'tries at 1, 3 and about 62 s', tries);
	await online(d, w);
	const id = d.command(w.agentId, 'echo again');
	await shown(d, id, 'again\n');
	for (let i = 0; i < 3; i++) {
		net.cut();
		await until('the agent back', () => w.isConnected === false);
		await until('the agent back', () => w.isConnected);
	}
	await online(d, w);
	content(d);
}

async function drops() {
	const net = keep(await new Network(url).open());
	const w = await wrapper({ server: net.url });
	const d = await dashboard();
	await online(d, w);
	const id = d.command(w.agentId, 'true');
	await until('the command', () => w.commandId === id);
	const say = (n) => w.sendOutput(id, `q${n}\n`, 'STDOUT');
	for (const n of [1, 2, 3, 4])
		say(n);
	await shown(d, id, 'q4\n');
	net.cut();
	await until('the loss', () => !w.isConnected);
	for (const n of [5, 6, 7])
		say(n);
	await until('the agent back', () => w.isConnected);
	say(8);
	await shown(d, id, 'q8\n');
	same(w.sequences.get(id), 5, 'the number of what came after the loss');
	w.ws.close(4000, 'Heartbeat timeout');
	say(9);
	await until('the agent back', () => w.closes.length === 2 && w.isConnected);
	say(10);
	await shown(d, id, 'q10\n');
	same(d.text(id), 'q1\nq2\nq3\nq4\nq8\nq10\n', 'what the page shows');
	same(w.sequences.get(id), 7, 'the number after a gap');
	content(d);
}

async function twoProcesses() {
	const older = await wrapper();
	const newer = await wrapper({ agentId: older.agentId });
	const d = await dashboard();
	await online(d, newer);
	const a = d.command(newer.agentId, 'echo from the newer');
	await shown(d, a, 'newer\n');
	same(older.commands().length, 0, 'commands to the older process');
	older.sendOutput(older.agentId, 'still here\n', 'STDOUT');
	await shown(d, `agent-session-${older.agentId}`, 'still here\n');
	newer.stop();
	await until('the end of the newer', () => newer.closes.length);
	same(newer.closes[0].code, 1000, 'the code of its close');
	await sleep(500);
	same(d.agent(older.agentId), 'online', 'the agent while the older process is there');
	const b = d.command(older.agentId, 'echo from the older');
	await shown(d, b, 'older\n');
	same(older.closes.length, 0, 'closes of the older');
	older.kill();
	await until('the loss in the page', () => d.agent(older.agentId) === 'offline');
	content(d);
}

async function renews() {
	const pair = await cli.login(url, (code) => cli.confirm(url, code.user_code, token('ann')));
	const stored = { ...pair, expires_at: Date.now() / 1000 + 200 };
	const net = keep(await new Network(url).open());
	const w = await wrapper({ server: net.url, credentials: new Credentials({ ...stored }) });
	assert(w.credentials.stored.access_token !== stored.access_token, 'a new token', w.urls);
	assert(w.urls[0].includes(w.credentials.stored.access_token), 'the new token in the URL');
	const d = await dashboard();
	await online(d, w);
	net.cut();
	await until('the agent back', () => w.urls.length === 2 && w.isConnected);
	await online(d, w);
	const bad = keep(new Wrapper({ server: url.replace('http', 'ws'),
		credentials: new Credentials({ ...stored }) }));
	const failure = await bad.start().then(() => 'none', (e) => e.message);
	assert(failure.startsWith('Not authenticated'), 'a ws:// URL cannot renew', failure);
	content(d);
}

async function ignores() {
	const [w, d] = await both();
	const id = d.command(w.agentId, 'sleep 2; echo slept');
	await until('the command', () => w.commandId === id);
	d.send('COMMAND_CANCEL', { commandId: id });
	const [cancel] = await until('COMMAND_CANCEL', () => payloads(w, 'COMMAND_CANCEL').length
		&& payloads(w, 'COMMAND_CANCEL'));
	assert(cancel.commandId === id && typeof cancel.reason === 'string', 'a cancel with a reason',
		cancel);
	await is(d, id, 'CANCELLED');
	const [ws, n] = [w.ws, w.received.length];
	for (const action of ['PAUSE', 'RESUME', 'STOP'])
		d.send('AGENT_CONTROL', { agentId: w.agentId, action });
	await until('AGENT_CONTROL', () => payloads(w, 'AGENT_CONTROL').length === 3);
	w.send('MADE_UP', 'x', {});
	await until('an ERROR', () => payloads(w, 'ERROR').length);
	same(payloads(w, 'ERROR')[0].code, 'UNKNOWN_MESSAGE_TYPE', 'the code for an unknown type');
	assert(w.ws === ws && w.isConnected && w.received.length > n, 'an agent that is connected still');
	const after = d.command(w.agentId, 'echo awake');
	await shown(d, after, 'awake\n');
	w.stop();
	await until('the loss in the page', () => d.agent(w.agentId) === 'offline');
	same(w.closes[0].code, 1000, 'the code of the reply to TERM');
	const again = await wrapper({ agentId: w.ownId });
	await online(d, again);
	again.kill();
	await until('the loss in the page', () => d.agent(again.agentId) === 'offline');
	content(d);
}

// ---- the dashboard ----

async function opens() {
	const w = await wrapper({ user: 'dora' });
	const d = keep(new Dashboard({ server: url, token: token('dora'), user: 'dora' })).open();
	const queued = [1, 2, 3].map((n) => d.command(w.agentId, `echo queued ${n}`, { priority: n }));
	d.queue[0].timestamp -= 600_000;
	await until('the ACK of INIT', () => d.of('ACK').some((p) => p.subscriptions));
	const init = d.of('ACK').find((p) => p.subscriptions);
	same(init.subscriptions, { agents: ['*'], commands: ['*'], traces: true, terminals: true },
		'the subscriptions');
	await shown(d, queued[2], 'queued 3\n');
	same(w.commands().map((c) => c.commandId), queued, 'queued commands in their order');
	const words = ['low', 'normal', 'high', 'urgent'];
	const ids = [];
	for (const priority of [...words, -1, 0, 5, 10])
		ids.push(d.content(w.agentId, `echo ${ids.length}`, priority));
	await until('all commands', () => w.commands().length === 11);
	const sent = (id) => w.commands().find((c) => c.commandId === id);
	same(ids.map((id) => sent(id).priority), [...words, 'urgent', 'high', 'normal', 'low'],
		'the priorities');
	same(ids.map((id) => sent(id).command), ids.map((_, i) => `echo ${i}`), 'content as command');
	d.send('EMERGENCY_STOP', { timestamp: Date.now() });
	await until('EMERGENCY_STOP at the agent', () => payloads(w, 'EMERGENCY_STOP').length);
	content(d);
}

async function lives() {
	const [w, d] = await both();
	const pong = await until('a PONG to its PING', () => d.of('PONG')[0], 35_000);
	assert(pong.sequence === 1 && typeof pong.timestamp === 'number', 'a PONG to its PING', pong);
	await sleep(36_000);
	same([d.tries.length, d.closes], [1, []], 'one connection in 66 s');
	const gaps = d.received.slice(1).map((m, i) => m.heardAt - d.received[i].heardAt);
	assert(Math.max(...gaps) < 26_000, 'a message in each 26 s', Math.max(...gaps));
	const id = d.command(w.agentId, 'echo alive');
	await shown(d, id, 'alive\n');
	content(d);
}

async function comesBack() {
	const net = keep(await new Network(url).open());
	const w = await wrapper();
	const pages = [];
	for (const hasLastTry of [true, false])
		pages.push(await dashboard({ server: net.url, hasLastTry }));
	const [patient, hasty] = pages;
	const lostAt = Date.now();
	net.cut();
	await until('the pages back', () => pages.every((d) => d.tries.length === 2
		&& d.of('ACK').length >= 2));
	assert(patient.tries[1] - lostAt < 2500 * PATIENCE, 'a page that is back after a second',
		patient.tries[1] - lostAt);
	await net.close();
	await until('two refused tries', () => pages.every((d) => d.tries.length === 4));
	await net.open(net.port);
	const n = patient.of('ACK').length;
	const id = patient.command(w.agentId, 'echo waited');
	await until('the page back', () => patient.of('ACK').length > n, 40_000);
	await shown(patient, id, 'waited\n');
	same(hasty.tries.length, 4, 'tries of a page without luck');
	content(...pages);
}

async function changesToken() {
	const [w, d] = await both();
	const old = d.ws;
	const at = Date.now();
	let endedAt;
	old.on('close', () => { endedAt = Date.now(); });
	d.changeToken(token('ann'));
	await until('the end of the old socket', () => endedAt);
	assert(endedAt - at < 1000 * PATIENCE, 'the end of the old socket at once', endedAt - at);
	await until('the new socket', () => d.ws.readyState === WebSocket.OPEN);
	await online(d, w);
	const id = d.command(w.agentId, 'echo new');
	await shown(d, id, 'new\n');
	d.changeToken(token('ann'), true);
	await until('a page that says nothing', () => d.isDeaf);
	const lost = d.command(w.agentId, 'echo healed');
	await until('the close that heals it', () => d.closes.length, 120_000);
	same(d.closes[0].code, 1001, 'the code of that close');
	await shown(d, lost, 'healed\n');
	content(d);
}

async function merges() {
	const d = await dashboard();
	const w = await wrapper();
	await online(d, w);
	const id = d.command(w.agentId, 'echo merged');
	await shown(d, id, 'merged\n');
	await until('an agent that is busy', () => d.of('AGENT_STATUS').some((p) => p.agentId === w.agentId
		&& p.status === 'BUSY'));
	const nobody = d.command('nobody-1-x', 'echo never');
	await is(d, nobody, 'failed');
	same(d.commands.get(nobody).error.code, 'ROUTING_FAILED', 'the code of the failure');
	const name = `registered ${random(6)}`;
	await commandLine(w, d, name);
	w.stop();
	await until('the loss in the page', () => d.agent(w.agentId) === 'offline');
	content(d);
}

// What "agent list", "restart" and "delete" say over HTTP.
async function commandLine(w, d, name) {
	const { agents } = await cli.list(url, token('ann'));
	const found = agents.find((a) => a.agent_id === w.agentId);
	assert(found, 'the agent in the list', agents.map((a) => a.agent_id));
	const other = await wrapper({ name });
	const restarted = await cli.restart(url, token('ann'), name);
	same(restarted.success, true, 'the reply to a restart');
	const control = await until('AGENT_CONTROL', () => payloads(other, 'AGENT_CONTROL')[0]);
	same(control.action, 'RESTART', 'what the agent is told');
	other.kill();
	await until('the loss in the page', () => d.agent(other.agentId) === 'offline');
	await cli.remove(url, token('ann'), name);
	const again = await cli.remove(url, token('ann'), name).then(() => 'deleted', (e) => e.message);
	same(again, 'Agent not found', 'the reply for an agent that was deleted');
	const made = await cli.register(url, token('ann'), name);
	same([made.name, made.type, made.status], [name, 'mock', 'offline'],
		'an agent that was registered');
	await cli.remove(url, token('ann'), name);
}

// ---- what the project's page on connections shows ----

// A socket with nothing around it.
async function plain(path, headers = {}) {
	const ws = new WebSocket(url.replace('http', 'ws') + path, { headers });
	const heard = [];
	ws.on('message', (data) => heard.push(JSON.parse(data)));
	keep({ stop: () => ws.terminate() });
	await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
	return { ws, heard, say: (message) => ws.send(JSON.stringify(message)),
		hears: (type) => until(type, () => heard.find((m) => m.type === type)) };
}

async function asPrinted() {
	const id = `claude-${Date.now()}-abc123xyz`;
	const agent = await plain('/ws/agent', { Authorization: `Bearer ${token('ann')}` });
	agent.say({ type: 'AGENT_CONNECT', id: 'msg-123...', timestamp: 1701234567890, payload: {
		agentId: id, agentType: 'claude', version: '3.5', hostMachine: 'user-laptop',
		capabilities: { commands: true, fileAccess: true, streaming: true } } });
	same((await agent.hears('ACK')).payload.messageId, 'msg-123...', 'what is acknowledged');
	agent.say({ type: 'AGENT_HEARTBEAT', timestamp: new Date().toISOString(), payload: {
		agentId: id, healthMetrics: { cpuUsage: 45.2, memoryUsage: 512, uptime: 3600,
			commandsProcessed: 10, averageResponseTime: 250 } } });
	const beat = (await agent.hears('SERVER_HEARTBEAT')).payload;
	same(beat.nextPingExpected - beat.serverTime, 30000, 'when the next is expected');
	const page = await plain(`/ws/dashboard?token=${token('ann')}`);
	const { agents } = (await page.hears('DASHBOARD_CONNECTED')).payload;
	const found = agents.find((a) => a.agentId === id);
	same([found?.status, found?.type, found?.version], ['ONLINE', 'CLAUDE', '3.5'], 'the agent');
	const commandId = `cmd-${random(6)}`;
	page.say({ type: 'COMMAND_REQUEST', payload: { commandId, agentId: id, command: 'npm test',
		priority: 'normal', arguments: [] } });
	const { payload: request } = await agent.hears('COMMAND_REQUEST');
	same([request.commandId, request.agentId, request.command, request.priority, request.arguments],
		[commandId, id, 'npm test', 'normal', []], 'the command at the agent');
	agent.say({ type: 'COMMAND_ACK', payload: { commandId, agentId: id, status: 'EXECUTING' } });
	agent.say({ type: 'TERMINAL_OUTPUT', payload: { commandId, agentId: id, sequence: 1,
		content: '\x1b[32mok\x1b[0m\n', streamType: 'STDOUT' } });
	const { payload: stream } = await page.hears('TERMINAL_STREAM');
	same([stream.commandId, stream.content], [commandId, '\x1b[32mok\x1b[0m\n'], 'the output');
	agent.say({ type: 'COMMAND_COMPLETE', payload: { commandId, agentId: id, status: 'COMPLETED',
		executionTime: 12, tokensUsed: 3 } });
	await until('the end', () => page.heard.some((m) => m.type === 'COMMAND_STATUS'
		&& m.payload.commandId === commandId && m.payload.status === 'COMPLETED'));
	agent.ws.send('no JSON');
	same((await agent.hears('ERROR')).payload.code, 'INTERNAL_ERROR', 'the code for no JSON');
	same([agent.ws.readyState, page.ws.readyState], [WebSocket.OPEN, WebSocket.OPEN], 'the sockets');
}

// ---- while workers are killed ----

// Whether anything went wrong with a command that the server has acknowledged.
async function checkAcknowledged(id, agents) {
	const sent = agents.flatMap((w) => w.commands()).filter((c) => c.commandId === id).length;
	assert(sent <= 1, `${id} was sent once`, sent);
	const { status, value } = await patiently(`/api/commands/${id}`);
	same(status, 200, `the status of a request for ${id}`);
	const word = value.status ?? value.command?.status;
	assert(sent || /FAILED|CANCELLED|PENDING|QUEUED/.test(word), `${id} was sent`, word);
	return word;
}

async function patiently(path) {
	for (;;) {
		try {
			return await cli.request(url, 'GET', path, { token: token('ann') });
		} catch {
			await sleep(100);
		}
	}
}

// Pages whose worker dies are new ones to the server, so that only HTTP knows what became of their
// commands.
async function survivesKills() {
	const agents = await Promise.all([1, 2, 3].map(() => wrapper()));
	const pages = await Promise.all([1, 2, 3].map(() => dashboard()));
	const end = Date.now() + 15_000;
	for (let n = 0; Date.now() < end; n++) {
		const id = pages[n % 3].command(agents[n % 2].agentId, `echo said ${n}`);
		assert(id, 'a command has an id');
		await sleep(100);
	}
	const acknowledged = pages.flatMap((d) => d.of('ACK')).map((p) => p.commandId).filter(Boolean);
	assert(acknowledged.length > 20, 'commands were acknowledged', acknowledged.length);
	await sleep(3000);
	const words = {};
	for (const id of acknowledged) {
		const word = await checkAcknowledged(id, agents);
		words[word] = (words[word] ?? 0) + 1;
	}
	console.log(`# ${acknowledged.length} commands: ${JSON.stringify(words)}`);
	const last = agents[2].agentId;
	const ids = [];
	for (const page of pages) {
		for (let n = 0; !ids.some((id) => page.text(id).includes('at the end')); n++) {
			assert(n < 60, 'a page is served after all kills', page.problems);
			ids.push(page.command(last, 'echo at the end'));
			await sleep(300);
		}
	}
	for (const party of [...agents, ...pages])
		assert(party.closes.every((c) => c.code !== 1000), 'no close with 1000', party.closes);
	content(...pages);
}

// ---- running them ----

const all = {
	waits: ['1: an agent that waits for no ACK runs commands',
		waitsForNoAck],
	adopts: ['2: an agent keeps the id of the ACK until its process ends',
		adoptsId],
	reads: ['3: an agent finds what it reads of a command, and its endings are understood',
		readsLittle],
	labels: ['4: output is that of the latest command of its agent',
		labelsLatest],
	chunks: ['5: large pieces of output arrive once, in order and with their colours',
		bigChunks],
	beats: ['6: an agent gets its pong, and a reply to its close at once',
		beats],
	backs: ['7: an agent that backs off is served again when it comes back',
		backsOff],
	drops: ['8: an agent that drops output and leaves gaps is shown in order',
		drops],
	two: ['9: the older of two processes of one agent takes over when the newer leaves',
		twoProcesses],
	renews: ['10: an agent whose token ends soon gets a new one by HTTP',
		renews],
	ignores: ['11: an agent that ignores what it is told stays, and leaves with 1000 or without',
		ignores],
	opens: ['12: a page that queued commands before INIT has them run in order',
		opens],
	lives: ['13: an idle page is neither closed nor left without messages',
		lives],
	returns: ['13: a page that is refused twice comes back if it tries again',
		comesBack],
	changes: ['14: a page changes its token, and one that says nothing is closed with 1001',
		changesToken],
	printed: ['messages as the page on connections prints them are served',
		asPrinted],
	killed: ['killed workers lose no acknowledged command, and pages see nothing twice',
		survivesKills],
	merges: ['15: a page knows agents by their lists, failures by their context, and HTTP agrees',
		merges],
};

async function tell(name) {
	const [title, story] = all[name];
	try {
		await story();
		console.log(`ok - ${title}`);
	} catch (e) {
		console.log(`not ok - ${title}`);
		console.log(`# ${name}: ${(e.stack ?? e).split('\n').slice(0, 6).join('\n# ')}`);
	}
}

await Promise.all(names.map(tell));
for (const thing of things)
	(thing.stop ?? thing.end ?? thing.close).call(thing);
console.log('# the end');
setTimeout(() => process.exit(), 500);
