// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Stories told by socket.io-client from npm, unmodified: socketio.mjs URL TRANSPORT, where the
// transport is websocket, polling or default (which upgrades). $NODE_HOME has its node_modules,
// $WORKERS the processes to kill.
import { createRequire } from 'node:module';

const { io } = createRequire(process.env.NODE_HOME + '/node_modules/')('socket.io-client');
const [url, transport] = process.argv.slice(2);
const WAIT = 30000;

function ok(isSo, title) {
	console.log(`${isSo ? 'ok' : 'not ok'} - ${title} (${transport})`);
}

// A client that keeps the events it gets, and comes back with the id of the last one.
function meet(conversation, more = {}) {
	const query = { conversation_id: conversation, latest_event_id: -1, providers_set: 'github' };
	const socket = io(url, {
		query: { ...query, ...more.query }, auth: more.auth, forceNew: true,
		reconnectionDelay: 100, reconnectionDelayMax: 500,
		...(transport === 'default' ? {} : { transports: [transport] }),
	});
	socket.events = [];
	socket.on('oh_event', (event) => {
		if (event.id !== undefined && !(event.extras && event.extras.agent_state)) {
			socket.io.opts.query.latest_event_id = event.id;
		}
		socket.events.push(event);
	});
	return socket;
}

function once(socket, name) {
	return new Promise((resolve, reject) => {
		socket.once(name, resolve);
		setTimeout(() => reject(new Error(`no ${name}`)), WAIT).unref();
	});
}

async function until(isSo) {
	for (const end = Date.now() + WAIT; Date.now() < end;) {
		if (isSo()) return true;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return false;
}

const idle = (event) => event.extras && event.extras.agent_state === 'awaiting_user_input' && event.id > 0;
const say = (socket, message, ack) =>
	socket.emit('oh_user_action', { type: 'message', source: 'user', message }, ...(ack ? [ack] : []));

async function hello() {
	const socket = meet(`hello-${transport}`);
	await once(socket, 'connect');
	ok(socket.id && socket.id !== socket.io.engine.id, 'a client connects');
	let isAcked = false;
	say(socket, 'What is 42 * 17?', () => { isAcked = true; });
	ok(await until(() => socket.events.some(idle)), 'a turn comes to its end');
	ok(await until(() => isAcked), 'a message is acknowledged');
	ok(socket.events.some((e) => e.source === 'agent' && e.type === 'message'
		&& e.message === 'The result of 42 * 17 is 714.'), 'the agent says its result');
	ok(await until(() => socket.io.engine.transport.name
		=== (transport === 'polling' ? 'polling' : 'websocket')), 'the transport is the expected one');
	socket.emit('other', new Uint8Array(150), () => { isAcked = 'bytes'; });
	ok(await until(() => isAcked === 'bytes'), 'an event with an attachment is acknowledged');
	const again = meet(`hello-${transport}`);
	await until(() => again.events.some(idle));
	ok(again.events.some((e) => e.message === 'What is 42 * 17?'), 'a second client gets a replay');
	for (const one of [socket, again]) one.disconnect();
}

async function refused() {
	const socket = meet('');
	ok((await once(socket, 'connect_error')).message === 'No conversation_id in query params',
		'a refusal has its text');
	socket.disconnect();
}

async function killed() {
	const socket = meet(`killed-${transport}`);
	await once(socket, 'connect');
	// A session that polls lives on if none of its requests was under way.
	const away = transport === 'polling' ? null : once(socket, 'disconnect');
	say(socket, 'stream 60 15');
	await until(() => socket.events.length > 20);
	for (const pid of process.env.WORKERS.split(' ')) process.kill(Number(pid), 'SIGKILL');
	await away;
	ok(await until(() => socket.connected), 'a client comes back when the workers were killed');
	ok(await until(() => idle(socket.events[socket.events.length - 1])), 'its turn comes to its end');
	const ids = socket.events.filter((e) => !(e.extras && e.extras.agent_state)).map((e) => Number(e.id));
	const whole = meet(`killed-${transport}`);
	await until(() => whole.events.some(idle));
	const all = whole.events.filter((e) => !(e.extras && e.extras.agent_state)).map((e) => Number(e.id));
	ok(all.length > 60 && ids.join() === all.join(), 'it got each event once and in order');
	for (const one of [socket, whole]) one.disconnect();
}

for (const story of [hello, refused, killed]) await story();
console.log('# the end');
process.exit(0);
