// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { merge } from "../tools/merge.mjs";

const output = (exports, ...from) => ({ exports,
	imports: from.map((path) => ({ path: `dist/assets/${path}`, kind: "import-statement" })) });

test("a script finds what merged chunks export, by another name and by their own", async () => {
	const files = new Map(Object.entries({
		"assets/chunk-AAAAAAAA.js": "var k=40;export{k};",
		"assets/chunk-BBBBBBBB.js": "var k=1,j=1;export{k,j};",
		"assets/view-CCCCCCCC.js": 'import{k}from"./chunk-AAAAAAAA.js";'
			+ 'import{k as a,j}from"./chunk-BBBBBBBB.js";export var sum=k+a+j;',
	}).map(([path, text]) => [path, Buffer.from(text)]));
	const outputs = new Map([
		["assets/chunk-AAAAAAAA.js", output(["k"])],
		["assets/chunk-BBBBBBBB.js", output(["k", "j"])],
		["assets/view-CCCCCCCC.js", output(["sum"], "chunk-AAAAAAAA.js", "chunk-BBBBBBBB.js")],
	]);
	await merge(["assets/chunk-AAAAAAAA.js", "assets/chunk-BBBBBBBB.js"], files, outputs);
	const view = [...files.keys()].find((path) => /^assets\/view-/.test(path));
	const folder = await mkdtemp(join(tmpdir(), "co-hostd-merge-"));
	try {
		await mkdir(join(folder, "assets"));
		await writeFile(join(folder, "package.json"), '{"type":"module"}');
		for (const [path, bytes] of files) await writeFile(join(folder, path), bytes);
		assert.equal((await import(pathToFileURL(join(folder, view)))).sum, 42);
	} finally {
		await rm(folder, { recursive: true });
	}
});
