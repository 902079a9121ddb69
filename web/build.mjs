// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// build.mjs [OUT [TABLE]]: bundle the page into the folder OUT (dist/) and, with TABLE, write
// it and its compressed forms to that C file (src/api/page_assets.h). Names of assets contain
// a hash of what is in them; index.html names them, relative to itself, since a proxy may
// serve the page below a path of its own. The same sources give the same bytes. The sizes are
// printed; the build fails if one is over its budget (tools/budget.mjs).
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkBudget } from "./tools/budget.mjs";
import { licensesOf } from "./tools/licenses.mjs";
import { merge } from "./tools/merge.mjs";
import { assetsOf, tableOf } from "./tools/table.mjs";

const top = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(top, "dist");
const table = process.argv[3];

const result = await build({
	absWorkingDir: top,
	entryPoints: { app: "views/main.jsx", style: "style/main.css" },
	outdir: "dist/assets",
	write: false,
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
	logLevel: "warning",
});

/** What is built: path below the page -> bytes. */
const files = new Map(result.outputFiles
	.map(({ path, contents }) => ["assets/" + basename(path), Buffer.from(contents)]));
const outputs = new Map(Object.entries(result.metafile.outputs)
	.map(([path, output]) => ["assets/" + basename(path), output]));

/** The built file of an entry point. */
function builtOf(entryPoint) {
	for (const [path, output] of outputs)
		if (output.entryPoint === entryPoint) return path;
	throw new Error(`nothing was built of ${entryPoint}`);
}

/** The chunks that a built file needs before it can run, with those that they need. */
function importsOf(path, seen = new Set()) {
	for (const { path: other, kind } of outputs.get(path).imports) {
		const chunk = "assets/" + basename(other);
		if (kind !== "import-statement" || seen.has(chunk)) continue;
		seen.add(chunk);
		importsOf(chunk, seen);
	}
	return [...seen].sort();
}

/** Put a file of the sources among the assets, under a name with its hash. */
async function addAsset(name) {
	const bytes = await readFile(join(top, name));
	const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
	const type = extname(name);
	const path = `assets/${basename(name, type)}-${hash}${type}`;
	files.set(path, bytes);
	return path;
}

/** Put a text of the sources beside the assets, with its {{places}} filled in. */
async function addText(name, places) {
	const text = await readFile(join(top, name), "utf8");
	files.set(name, Buffer.from(text.replace(/\{\{(\w+)\}\}\n?/g, (place, key) => {
		if (!(key in places)) throw new Error(`${name}: nothing is known as ${place}`);
		return places[key];
	})));
}

const isWhole = (path) => outputs.get(path).imports.every(({ kind }) => kind === "import-statement");
const core = await merge(importsOf(builtOf("views/main.jsx"))
	.filter((path) => isWhole(path) && importsOf(path).every(isWhole)), files, outputs);
const app = builtOf("views/main.jsx");
const style = builtOf("style/main.css");
const icon = await addAsset("icon.svg");
const chunks = [core, ...importsOf(app)];
const preloads = chunks.map((path) => `<link rel="modulepreload" href="${path}">\n`).join("");
await addText("index.html", { app, style, icon, preloads });
await addText("manifest.webmanifest", { icon });
await addText("frame.html", {});
files.set("licenses.txt", await licensesOf(top, outputs.values()));

await rm(out, { recursive: true, force: true });
for (const [path, bytes] of files) {
	await mkdir(dirname(join(out, path)), { recursive: true });
	await writeFile(join(out, path), bytes);
}

const assets = assetsOf(files);
const first = ["index.html", "manifest.webmanifest", icon, style, app, ...chunks];
checkBudget(assets, first, outputs);
if (table) await writeFile(table, tableOf(assets));
