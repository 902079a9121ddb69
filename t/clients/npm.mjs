// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Stories of the ConnectOnion client from npm, unmodified, at a server with the demo agent.
//
//	NODE_HOME=FOLDER node npm.mjs URL STORY...
//
// FOLDER has the package in its node_modules. INVITE is a code that opens the server's door.
// RELAY, an http:// URL, is a relay through which the server is reached instead of directly.
import { createRequire } from 'node:module';
import dns from 'node:dns';
import net from 'node:net';
import process from 'node:process';

const [url, ...wanted] = process.argv.slice(2);
const require = createRequire(`${process.env.NODE_HOME}/package.json`);
const { connect, fetchAgentInfo, address } = require('connectonion');
const PATIENCE = Number(process.env.TEST_PATIENCE || 1);
const LONG = { timeoutMs: 60_000 * PATIENCE };
const PNG = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYA'
	+ 'AjCB0C8AAAAASUVORK5CYII=';

// ---- checks ----

function ok(isSo, name) {
	console.log(`${isSo ? 'ok' : 'not ok'} - ${name}`);
	return isSo;
}

function same(got, wantedValue, name) {
	const [a, b] = [JSON.stringify(got), JSON.stringify(wantedValue)];
	if (!ok(a === b, name))
		console.log(`# got ${a}, wanted ${b}`);
}

async function fails(words, promise, name) {
	const error = await promise.then((value) => `returned ${JSON.stringify(value)}`,
		(e) => e.message);
	if (!ok(error.includes(words), name))
		console.log(`# got ${error}, wanted ${words}`);
}

async function until(isSo) {
	const end = Date.now() + 20_000 * PATIENCE;
	while (Date.now() < end) {
		const answer = await isSo();
		if (answer)
			return answer;
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	return false;
}

// The CONNECTs of one caller within a second are alike, and used once (doc/clients.txt 8).
function nextSecond() {
	const now = Math.floor(Date.now() / 1000);
	return until(() => Math.floor(Date.now() / 1000) > now);
}

// Nothing here may reach beyond this machine.
const strange = new Set();
const lookup = dns.lookup;
dns.lookup = (host, ...rest) => {
	if (!['127.0.0.1', 'localhost'].includes(host)) {
		strange.add(host);
		host = 'unknown.invalid';
	}
	return lookup(host, ...rest);
};

// ---- a bad line ----

// A TCP proxy: cut() ends every connection.
async function badLine(to) {
	const target = new URL(to);
	const sockets = new Set();
	const server = net.createServer((client) => {
		const far = net.connect(Number(target.port), target.hostname);
		for (const [a, b] of [[client, far], [far, client]]) {
			sockets.add(a);
			a.on('data', (data) => b.write(data));
			a.on('error', () => {});
			a.on('close', () => { sockets.delete(a); b.destroy(); });
		}
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		cut: () => sockets.forEach((s) => s.destroy()),
		end: () => { sockets.forEach((s) => s.destroy()); server.close(); },
	};
}

// ---- the stories ----

const HOST = (await (await fetch(`${url}/info`)).json()).address;

const RELAY = process.env.RELAY;
const AT = RELAY || url;

function meet({ to = HOST, at = AT, keys = address.generate(), wsCtor } = {}) {
	return connect(to, RELAY ? { keys, relayUrl: at, wsCtor }
		: { directUrl: at, keys, relayUrl: 'ws://127.0.0.1:1', wsCtor });
}

// The client hangs on an ERROR that comes before CONNECTED, so its words are taken from the
// socket: meet() with this, and the ERROR's message.
function listener() {
	const heard = { error: undefined };
	heard.wsCtor = class extends require('ws') {
		constructor(at) {
			super(at);
			this.addEventListener('message', (event) => {
				const frame = JSON.parse(event.data);
				if (frame.type === 'ERROR')
					heard.error = frame.message;
			});
		}
	};
	return heard;
}

async function refusal(to, prompt) {
	const heard = listener();
	void meet({ to, wsCtor: heard.wsCtor }).input(prompt, LONG).catch(() => {});
	await until(() => heard.error);
	return heard.error;
}

const tools = (agent) => agent.ui.filter((item) => item.type === 'tool_call');

const stories = {
	async talk() {
		const agent = meet();
		const answer = await agent.input('echo hello', LONG);
		same([answer.text, answer.done], ['hello', true], 'input() returns the result');
		same([agent.status, agent.connectionState], ['idle', 'connected'], 'and is idle again');
		const session = agent.currentSession.session_id;
		await agent.input('My name is Zoë', LONG);
		ok((await agent.input('What is my name?', LONG)).text.includes('Zoë'),
			'the conversation goes on');
		same(agent.currentSession.session_id, session, 'in the same session');
		await agent.input('stream 3', LONG);
		same(tools(agent).map((item) => item.status), ['done', 'done', 'done'],
			'tools are shown with their results');
		same(agent.ui.filter((item) => item.type === 'user').length, 4, 'and what was said');
		agent.reset();
		await nextSecond();
		ok(!(await agent.input('What is my name?', LONG)).text.includes('Zoë'),
			'reset() begins another session');
		const text = '€'.repeat(300_000);
		same((await agent.input(`echo ${text}`, LONG)).text === text, true,
			'a long text comes back whole');
	},

	async megabytes() {
		const text = 'x'.repeat(2_000_000);
		same((await meet().input(`echo ${text}`, LONG)).text === text, true,
			'2 MB go there and come back');
	},

	async named() {
		const info = await (await fetch(`${url}/info`)).json();
		const agent = meet({ to: info.name });
		same((await agent.input('echo hello', LONG)).text, 'hello',
			'connect() with the name of the agent, as documented');
		same(await refusal(`0x${'1'.repeat(64)}`, 'echo x'), 'unauthorized: wrong recipient',
			'but not with the address of another');
	},

	async many() {
		const agents = Array.from({ length: 8 }, () => meet());
		const answers = await Promise.all(agents.map((a, n) => a.input(`echo ${n}`, LONG)));
		same(answers.map((a) => a.text), agents.map((a, n) => String(n)),
			'eight clients are served at once');
		const keys = address.generate();
		await meet({ keys }).input('echo 1', LONG);
		await nextSecond();
		same((await meet({ keys }).input('echo 2', LONG)).text, '2', 'a caller comes again');
	},

	async ask() {
		const agent = meet();
		const answer = agent.input('ask Which?|red|green', LONG);
		const shown = await until(() => agent.ui.find((item) => item.type === 'ask_user'));
		same([shown.text, shown.options, shown.multi_select],
			['Which?', ['red', 'green'], false], 'a question is shown');
		same(agent.status, 'waiting', 'the client waits');
		agent.send({ type: 'ASK_USER_RESPONSE', answer: 'green' });
		same((await answer).text, 'You answered: green', 'and the answer arrives');
	},

	async approve() {
		const agent = meet();
		for (const [approved, words] of [[true, 'bash was approved and ran.'],
			[false, 'bash was not approved.']]) {
			agent.ui.splice(0);
			const answer = agent.input('approve bash', LONG);
			const shown = await until(
				() => agent.ui.find((item) => item.type === 'approval_needed'));
			same([shown.tool, typeof shown.arguments], ['bash', 'object'], 'it is asked');
			agent.send({ type: 'APPROVAL_RESPONSE', approved, scope: 'once' });
			same((await answer).text, words, words);
		}
	},

	async interrupt() {
		const agent = meet();
		const answer = agent.input('stream 6000 10', LONG);
		await until(() => tools(agent).length);
		agent.send({ type: 'INTERRUPT' });
		same((await answer).text, 'What would you like me to do?', 'a turn is interrupted');
		const first = agent.input('stream 100 10', LONG);
		await until(() => tools(agent).length > 3);
		const second = agent.input('and faster', LONG);
		const answers = await Promise.all([first, second]);
		same(answers[0].text, answers[1].text, 'a prompt while a turn runs joins it');
		ok(answers[0].text.startsWith('Streamed 100 steps.'), 'which goes on');
	},

	async files() {
		const agent = meet();
		const dataUrl = 'data:text/plain;base64,aGVsbG8K';
		const got = await agent.input('look', { ...LONG, images: [PNG],
			files: [{ name: 'a.txt', dataUrl }, { name: 'b.txt', dataUrl }] });
		ok(got.text.includes('a.txt') && got.text.includes('b.txt'), 'files arrive');
		ok(got.text.includes('Image 1: image/png'), 'and images');
		const files = Array.from({ length: 11 }, (v, n) => ({ name: `${n}.txt`, dataUrl }));
		await fails('Too many files: 11 (max: 10)', agent.input('look', { ...LONG, files }),
			'too many are refused');
		await nextSecond();
		same((await agent.input('echo still', LONG)).text, 'still', 'and the session goes on');
	},

	async status() {
		const agent = meet();
		same(await agent.checkSession(), 'not_found', 'no session yet');
		await agent.input('echo hello', LONG);
		const id = agent.currentSession.session_id;
		same(await agent.checkSessionStatus(id), 'connected', 'its session is known');
		const answer = agent.input('stream 100 10', LONG);
		await until(() => tools(agent).length);
		same(await agent.checkSessionStatus(id), 'running', 'and so is its turn');
		same(await meet().checkSessionStatus(id), 'not_found', 'to nobody else');
		await answer;
	},

	async come_back() {
		const line = await badLine(AT);
		const agent = meet({ at: line.url });
		await agent.input('My name is Zoë', LONG);
		const lost = agent.input('stream 250 10', LONG);
		const failed = fails('Connection closed before response', lost, 'a lost line is noticed');
		await until(() => tools(agent).length > 5);
		line.cut();
		await failed;
		await nextSecond();
		same((await agent.reconnect()).text, 'Streamed 250 steps.', 'reconnect() finds its turn');
		same(tools(agent).filter((item) => item.status === 'done').length, 250,
			'and all that happened in it');
		line.cut();
		await until(() => !agent._ws);
		await nextSecond();
		ok((await agent.input('What is my name?', LONG)).text.includes('Zoë'),
			'the conversation goes on after another cut');
		const over = agent.input('stream 20 5', LONG);
		const again = fails('Connection closed before response', over, 'a line is lost again');
		await until(() => tools(agent).length > 252);
		line.cut();
		await again;
		await until(async () => {
			await nextSecond();
			await agent.reconnect();
			return agent.ui.some((item) => item.content === 'Streamed 20 steps.');
		});
		ok(agent.ui.some((item) => item.content === 'Streamed 20 steps.'),
			'what ended meanwhile is in the conversation');
		line.end();
	},

	async modes() {
		const agent = meet();
		await agent.input('echo hello', LONG);
		agent.setMode('safe');
		same((await agent.input('echo again', LONG)).text, 'again', 'an old mode word is taken');
	},

	async gate() {
		const agent = meet();
		const answer = agent.input('echo hello', LONG);
		const shown = await until(
			() => agent.ui.find((item) => item.type === 'onboard_required'));
		same(shown.methods, ['invite_code'], 'a stranger meets the door');
		agent.send(agent.signOnboard({ inviteCode: process.env.INVITE }));
		same((await answer).text, 'hello', 'the code opens it, and the prompt runs');
		const success = agent.ui.find((item) => item.type === 'onboard_success');
		same(success && success.level, 'contact', 'who is a contact now');
		same((await agent.input('echo again', LONG)).text, 'again', 'once is enough');
		const heard = listener();
		const other = meet({ wsCtor: heard.wsCtor });
		void other.input('echo x', LONG).catch(() => {});
		await until(() => other.ui.find((item) => item.type === 'onboard_required'));
		other.send(other.signOnboard({ inviteCode: 'wrong' }));
		await until(() => heard.error);
		same(heard.error, 'Invalid invite code', 'which a wrong code does not open');
	},

	async strict() {
		same(await refusal(HOST, 'echo hello'), 'forbidden: Denied by fast rules',
			'a strict host refuses strangers');
	},

	async lookup() {
		same(await fetchAgentInfo(HOST, 'ws://127.0.0.1:1'), { address: HOST, online: false },
			'without a relay an agent is offline');
	},
};

same(require('connectonion/package.json').version, '0.1.4', 'the client is the pinned one');
for (const name of wanted) {
	console.log(`# ${name}`);
	await stories[name]().catch((error) => {
		ok(false, `${name} goes on to its end`);
		console.log(error);
	});
}
same([...strange], [], 'nothing else was looked up');
console.log('# the end');
process.exit(0);
