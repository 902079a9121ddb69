// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Clients of Socket.IO from npm, unmodified: see t/clients/Driver.pm. $PACKAGE is the one that is
// used, $PARSER a package with another format of packets, both from $NODE_HOME.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(process.env.NODE_HOME + '/node_modules/');
const client = require(process.env.PACKAGE);
const [url, query, transport] = process.argv.slice(2);
const began = Date.now();

const tell = (ev, ...args) => console.log(JSON.stringify({ t: Date.now() - began, ev, args }));

const socket = (client.io || client)(url, {
	query: Object.fromEntries(new URLSearchParams(query)), forceNew: true,
	reconnectionDelay: 100, reconnectionDelayMax: 500,
	...(transport === 'default' ? {} : { transports: [transport === 'ws' ? 'websocket' : 'polling'] }),
	...(process.env.PARSER ? { parser: require(process.env.PARSER) } : {}),
});
socket.on('connect', () => tell('connect'));
socket.on('disconnect', (reason) => tell('disconnect', reason));
socket.on('connect_error', (error) => tell('error', error.message || String(error)));
socket.on('oh_event', (event) => tell('event', event));

const ack = (...args) => tell('ack', ...args);
const message = (text) => ({ type: 'message', source: 'user', message: text });
for await (const line of createInterface({ input: process.stdin })) {
	const [, word, rest] = /^(\w+) ?(.*)/.exec(line);
	if (word === 'say') socket.emit('oh_user_action', message(rest));
	if (word === 'ack') socket.emit('oh_user_action', message(rest), ack);
	if (word === 'bin') socket.emit('other', new Uint8Array(Number(rest)), ack);
	if (word === 'leave') break;
}
socket.disconnect();
setTimeout(() => process.exit(0), 300);
