// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// build.mjs OUT: bundle the page into the folder OUT. Names of the assets contain a hash of
// what is in them; index.html names them. The same sources give the same bytes.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(top, "dist");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const result = await build({
	absWorkingDir: top,
	entryPoints: { app: "views/main.jsx", style: "style/main.css" },
	outdir: join(out, "assets"),
	bundle: true,
	splitting: true,
	format: "esm",
	target: "es2022",
	minify: true,
	entryNames: "[name]-[hash]",
	chunkNames: "[name]-[hash]",
	assetNames: "[name]-[hash]",
	legalComments: "none",
	jsx: "automatic",
	jsxImportSource: "preact",
	metafile: true,
});

const named = {};
for (const [file, { entryPoint }] of Object.entries(result.metafile.outputs))
	if (entryPoint) named[entryPoint] = "/assets/" + basename(file);
const page = await readFile(join(top, "index.html"), "utf8");
await writeFile(join(out, "index.html"), page
	.replace("{{app}}", named["views/main.jsx"])
	.replace("{{style}}", named["style/main.css"]));
