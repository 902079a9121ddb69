// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// esbuild makes a chunk for each set of entry points that share modules, so that a first visit
// loads many small ones. What a first visit loads anyway becomes one file here: it is sent with
// one head, and compresses better.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { basename } from "node:path";

const NAMESPACE = "built";
const IMPORT = /import(?:\{([^{}]*)\}from)?"\.\/([^"]+)"/g;

const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();

/** The name in the merged file of what a chunk exports. */
const nameOf = (i, name) => `c${i}_${name}`;

/** One of the names in an import: "a as b", or "a" alone, which is b as well. */
function renamedOf(i, one) {
	const [name, own = name] = one.trim().split(" as ");
	return `${nameOf(i, name)} as ${own}`;
}

/** A file that exports all that the chunks do. */
async function mergeChunks(chunks, files, outputs) {
	const contents = chunks.map((path, i) => `export {${outputs.get(path).exports
		.map((name) => `${name} as ${nameOf(i, name)}`)}} from "./${basename(path)}";\n`).join("");
	const { outputFiles } = await build({
		stdin: { contents, resolveDir: "/" },
		bundle: true, write: false, format: "esm", target: "es2022", minify: true,
		legalComments: "none", logLevel: "warning",
		plugins: [{ name: NAMESPACE, setup(esbuild) {
			esbuild.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, namespace: NAMESPACE }));
			esbuild.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) =>
				({ contents: files.get(`assets/${basename(path)}`).toString(), loader: "js" }));
		} }],
	});
	return Buffer.from(outputFiles[0].contents);
}

/** Other names for scripts, since what they import has another: caches keep them for ever. */
function rename(files, outputs, core) {
	const names = new Map();
	for (const path of [...files.keys()].filter((each) => each.endsWith(".js")))
		names.set(path, path.replace(/-[A-Z0-9]{8}\.js$/, `-${hashOf(path + core)}.js`));
	const renamed = (text) => [...names].reduce((sum, [old, name]) =>
		sum.replaceAll(basename(old), basename(name)), text);
	for (const [old, name] of names) {
		const bytes = files.get(old);
		files.delete(old);
		files.set(name, Buffer.from(renamed(bytes.toString())));
		const output = outputs.get(old);
		const imports = output.imports.map((one) => ({ ...one, path: renamed(one.path) }))
			.filter(({ path }) => !path.endsWith(".js") || [...names.values()].some((each) =>
				path.endsWith(each)));
		outputs.delete(old);
		outputs.set(name, { ...output, imports });
	}
}

/**
 * Put chunks into one file, which all others then import.
 * @param {string[]} chunks their paths; what they import must be among them
 * @param {Map<string, Buffer>} files all files; scripts get other contents and names
 * @param {Map<string, object>} outputs esbuild's, which get the same names
 * @returns {Promise<string>} the path of the merged file
 */
export async function merge(chunks, files, outputs) {
	const merged = await mergeChunks(chunks, files, outputs);
	const core = `core-${hashOf(merged)}.js`;
	const at = new Map(chunks.map((path, i) => [basename(path), i]));
	for (const path of chunks) files.delete(path);
	for (const [path, bytes] of files) {
		if (!path.endsWith(".js")) continue;
		files.set(path, Buffer.from(bytes.toString().replace(IMPORT, (whole, names, from) => {
			if (!at.has(from)) return whole;
			const renamed = names?.split(",").map((one) => renamedOf(at.get(from), one));
			return names ? `import{${renamed}}from"./${core}"` : `import"./${core}"`;
		})));
	}
	rename(files, outputs, core);
	files.set(`assets/${core}`, merged);
	return `assets/${core}`;
}
