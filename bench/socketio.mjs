// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// A plain server of Socket.IO on Node, for bench/socketio: it does for its clients what co-hostd
// does with the demo agent, and keeps nothing. Prints its port; ends when its input does.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { Server } = createRequire(process.env.NODE_HOME + '/node_modules/')('socket.io');
const http = createServer();
const io = new Server(http, { serveClient: false });

function emit(socket, last, more) {
	const id = String(++last.id);
	socket.emit('oh_event', { id, timestamp: new Date().toISOString(), source: 'agent', ...more });
	return id;
}

const state = (agent_state) => ({ message: '', observation: 'agent_state_changed', content: '',
	extras: { agent_state, reason: '' } });

// Two events a step, with the members of those of co-hostd.
function stream(socket, last, n) {
	emit(socket, last, state('running'));
	for (let i = 0; i < n; i++) {
		const args = { name: 'step', arguments: { i, n }, thought: '',
			confirmation_state: 'confirmed', security_risk: -1 };
		const given = JSON.stringify(args.arguments);
		const message = 'I am interacting with the MCP server with name:\n```\nstep\n```\n'
			+ `and arguments:\n\`\`\`\n${given}\n\`\`\``;
		const cause = emit(socket, last, { message, action: 'call_tool_mcp', args });
		emit(socket, last, { message: 'ok', cause, action: 'call_tool_mcp', args, result: 'ok',
			observation: 'mcp', content: 'ok', extras: { name: 'step', arguments: { i, n } } });
	}
	emit(socket, last, { type: 'message', message: `Streamed ${n} steps.` });
	emit(socket, last, state('awaiting_user_input'));
}

io.on('connection', (socket) => {
	const last = { id: 0 };
	emit(socket, last, state('awaiting_user_input'));
	socket.on('oh_user_action', (action, ack) => {
		if (ack) ack();
		stream(socket, last, Number(action.message.split(' ')[1]));
	});
	socket.on('other', (...args) => args.at(-1)());
});
http.listen(0, '127.0.0.1', () => console.log(http.address().port));
process.stdin.resume().on('end', () => process.exit(0));
