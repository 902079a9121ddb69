#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
#
# @google/gemini-cli 0.61.0 (npm): with --acp, a file of system settings is left out without a word
# if it, or a folder above it, is not root's or can be written to by others.
#
# GEMINI_CLI_SYSTEM_SETTINGS_PATH names a file that takes precedence over all other settings. The
# program reads it only if the file and each folder up to / belong to root, and neither group nor
# others may write to them. So a file in a temporary folder never counts, since anybody may write to
# /tmp, and one of a user who is not root counts nowhere. The documentation of the settings asks to
# protect the file, but does not say that it is left out otherwise. At a terminal, and in commands
# such as "gemini mcp list", there is a warning. With --acp, the mode for programs, there is
# nothing, neither in the protocol nor on standard error: whoever turns off telemetry with this file
# believes that it is off.
#
# Expected: the warning, or an error, in every mode.
# Seen: with the model in ~/.gemini/settings.json a session of --acp has this model. With the same
# in a file of system settings below a folder that a group may write to, it has "auto", and nothing
# on standard error; "gemini mcp list" warns: "Skipping system settings file".
#
# Exits with 0 while that is so, 1 when it has changed, 2 if a package cannot be installed. It needs
# no account, and no network after the installation.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @google/gemini-cli@0.61.0 >/dev/null || exit 2
mkdir -m 775 shared

cat >both.mjs <<'EOF'
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const MODEL = "gemini-2.5-pro";
const model = { model: { name: MODEL } };
// It would report its use and look for updates.
const quiet = { privacy: { usageStatisticsEnabled: false },
	general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
	security: { auth: { selectedType: "gemini-api-key" } } };
const system = `${process.cwd()}/shared/settings.json`;

function start(name, user, args) {
	const home = `${process.cwd()}/${name}`;
	mkdirSync(`${home}/.gemini`, { recursive: true });
	mkdirSync(`${home}/work`);
	writeFileSync(`${home}/.gemini/settings.json`, JSON.stringify(user));
	const child = spawn(`${process.cwd()}/node_modules/.bin/gemini`, args, { cwd: `${home}/work`,
		detached: true, stdio: ["pipe", "pipe", "pipe"], env: { HOME: home, PATH: process.env.PATH,
			GEMINI_API_KEY: "none", GOOGLE_GEMINI_BASE_URL: "http://127.0.0.1:9",
			GEMINI_CLI_TRUST_WORKSPACE: "true", GEMINI_CLI_SYSTEM_SETTINGS_PATH: system } });
	child.said = "";
	child.stderr.on("data", (data) => { child.said += data; });
	child.closed = new Promise((resolve) => child.on("close", resolve));
	child.limit = setTimeout(() => process.kill(-child.pid, "SIGKILL"), 120000);
	return child;
}

async function end(child) {
	clearTimeout(child.limit);
	process.kill(-child.pid, "SIGKILL");
	await child.closed;
}

// The model of a new session of --acp, and what is on standard error.
async function session(name, user) {
	const child = start(name, user, ["--acp"]);
	const send = (id, method, params) =>
		child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
	let seen = "no answer";
	send(1, "initialize", { protocolVersion: 1, clientCapabilities: {} });
	for await (const line of createInterface({ input: child.stdout })) {
		const message = JSON.parse(line);
		if (message.id === 1)
			send(2, "session/new", { cwd: `${process.cwd()}/${name}/work`, mcpServers: [] });
		if (message.id === 2) {
			seen = message.result?.models.currentModelId ?? JSON.stringify(message.error);
			break;
		}
	}
	await end(child);
	return { model: seen, stderr: child.said.trim() };
}

async function warning() {
	const child = start("list", quiet, ["mcp", "list"]);
	child.stdin.end();
	child.stdout.on("data", (data) => { child.said += data; });
	await child.closed;
	clearTimeout(child.limit);
	return child.said.includes(`Skipping system settings file '${system}'`);
}

console.log("@google/gemini-cli 0.61.0, model", MODEL);
writeFileSync(system, "{}");
const user = await session("user", { ...quiet, ...model });
console.log("--acp, in the settings of the user:", JSON.stringify(user));
writeFileSync(system, JSON.stringify(model));
const above = await session("system", quiet);
console.log("--acp, in the system settings:", JSON.stringify(above));
const warns = await warning();
console.log("mcp list, in the system settings:", warns ? "warns" : "does not warn");
const same = user.model === MODEL && above.model === "auto" && above.stderr === "" && warns;
console.log(same ? "as described" : "this has changed");
process.exit(same ? 0 : 1);
EOF
node both.mjs
