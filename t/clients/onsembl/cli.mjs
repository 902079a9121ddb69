// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The commands of Onsembl's wrapper that use HTTP: "auth" and "agent". Each returns what the server
// said, or fails with its message, as the program would print it.
import { sleep } from './kit.mjs';

async function request(base, method, path, { body, token, json = body !== undefined } = {}) {
	const reply = await fetch(new URL(path, base), { method,
		headers: { ...json && { 'Content-Type': 'application/json' },
			...token && { Authorization: `Bearer ${token}` } },
		...body !== undefined && { body: JSON.stringify(body) } });
	const text = await reply.text();
	const value = text ? JSON.parse(text) : undefined;
	return { status: reply.status, value, text };
}

async function wanted(...args) {
	const reply = await request(...args);
	if (reply.status >= 400)
		throw new Error(reply.value?.message ?? reply.value?.error ?? `status ${reply.status}`);
	return reply.value;
}

export { request };

// auth login: show() is told the code; the first poll comes at once.
export async function login(base, show) {
	const code = await wanted(base, 'POST', '/api/auth/device/authorize',
		{ body: { client_id: 'onsembl-cli', scope: 'agent:manage' } });
	await show(code);
	let wait = code.interval;
	for (;;) {
		const { status, value } = await request(base, 'POST', '/api/auth/device/token',
			{ body: { device_code: code.device_code,
				grant_type: 'urn:ietf:params:oauth:grant-type:device_code' } });
		if (status === 200)
			return finish(base, value);
		if (value.error !== 'authorization_pending' && value.error !== 'slow_down')
			throw new Error(value.error_description ?? value.error);
		wait = value.error === 'slow_down' ? 2 * code.interval : code.interval;
		await sleep(1000 * wait);
	}
}

async function finish(base, pair) {
	const who = await wanted(base, 'POST', '/api/auth/cli/validate',
		{ body: { access_token: pair.access_token } });
	if (!who.user_id || !Array.isArray(who.scopes))
		throw new Error('validate names no user_id or no scopes');
	return { ...pair, ...who, expires_at: Date.now() / 1000 + pair.expires_in };
}

export function confirm(base, userCode, token) {
	return wanted(base, 'POST', '/api/auth/device/confirm',
		{ body: { user_code: userCode }, token });
}

// auth logout: the access token, then the token to refresh.
export async function logout(base, { access_token: access, refresh_token: refresh }) {
	await wanted(base, 'POST', '/api/auth/cli/revoke',
		{ body: { token: access, token_type_hint: 'access_token' } });
	await wanted(base, 'POST', '/api/auth/cli/revoke',
		{ body: { token: refresh, token_type_hint: 'refresh_token' } });
}

export function list(base, token, filter = '') {
	return wanted(base, 'GET', `/api/agents${filter}`, { token });
}

export function register(base, token, name) {
	return wanted(base, 'POST', '/api/agents', { token, body: { name, type: 'mock',
		description: 'made by a test', capabilities: ['basic'], version: '1.0.0' } });
}

// "agent restart NAME" and "agent delete NAME": the type of JSON, and no body.
async function named(base, token, name, method, path) {
	const agent = await wanted(base, 'GET', `/api/agents/name/${encodeURIComponent(name)}`,
		{ token });
	return wanted(base, method, `/api/agents/${agent.id}${path}`, { token, json: true });
}

export const restart = (base, token, name) => named(base, token, name, 'POST', '/restart');
export const remove = (base, token, name) => named(base, token, name, 'DELETE', '');
