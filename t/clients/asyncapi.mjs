// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// asyncapi.mjs FOLDER FILE: read a description with the official parser, whose module is in FOLDER;
// print what it finds wrong.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, file] = process.argv.slice(2);
const { Parser } = createRequire(`${folder}/`)("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
for (const d of diagnostics) {
	if (d.severity < 2) {
		console.log(`${d.code} at ${d.path.join("/")}: ${d.message}`);
	}
}
process.exit(document ? 0 : 1);
