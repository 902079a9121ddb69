// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The scenes of fixtures/fake.js as a site: the page's own views and style, under its content
// security policy, with a backend that needs no server.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const top = join(dirname(fileURLToPath(import.meta.url)), "..");

// Those of src/api/api_page.c.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "
	+ "img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
	+ "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	+ "require-trusted-types-for 'script'; trusted-types 'none'";

const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

async function bundle() {
	const { outputFiles } = await build({
		absWorkingDir: top,
		entryPoints: { app: "test/fixtures/views.jsx", style: "style/main.css" },
		outdir: "dist/assets",
		write: false,
		bundle: true,
		splitting: true,
		format: "esm",
		target: "es2022",
		jsx: "automatic",
		jsxImportSource: "preact",
		loader: { ".css": "css" },
		logLevel: "silent",
	});
	return new Map(outputFiles.map(({ path, contents }) => [`/assets/${basename(path)}`, contents]));
}

/**
 * Serve the scenes on a free port of loopback.
 * @returns {Promise<{url: string, close: function(): void}>} the scene NAME is at url + #/s/NAME
 */
export async function serveScenes() {
	const files = await bundle();
	files.set("/icon.svg", await readFile(join(top, "icon.svg")));
	const page = (await readFile(join(top, "index.html"), "utf8"))
		.replace("{{app}}", "/assets/app.js").replace("{{style}}", "/assets/style.css")
		.replace("{{icon}}", "/icon.svg").replace("{{preloads}}", "")
		.replace(/<link rel="manifest".*\n/, "");
	const server = createServer((request, reply) => {
		const { pathname } = new URL(request.url, "http://scenes");
		const file = pathname === "/" ? page : files.get(pathname);
		reply.writeHead(file ? 200 : 404, {
			"content-type": TYPES[extname(pathname)] ?? "text/html; charset=utf-8",
			"content-security-policy": POLICY,
		});
		reply.end(file);
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
