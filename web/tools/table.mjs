// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the server embeds: each file of the page with its type, tag and compressed forms, and
// the C source of that table (src/net/http_asset.h).
import { createHash } from "node:crypto";
import { extname } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TYPES = {
	".css": "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
};

/** The forms of http_asset.h, in the order of their sizes: plain, gzip, br. */
const FORMS = ["plain", "gzip", "br"];

const LINE_BYTES = 72;

/** Compressed bytes, or null if they save nothing. */
function saving(bytes, plain) {
	return bytes.length < plain.length ? bytes : null;
}

function gzip(plain) {
	return saving(gzipSync(plain, { level: 9 }), plain);
}

function brotli(plain) {
	return saving(brotliCompressSync(plain, { params: {
		[constants.BROTLI_PARAM_QUALITY]: 11,
		[constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
	} }), plain);
}

function typeOf(path) {
	const type = TYPES[extname(path)];
	if (!type) throw new Error(`${path}: its media type is not known; see tools/table.mjs`);
	return type;
}

function sha256(bytes) {
	return createHash("sha256").update(bytes).digest("base64url");
}

/**
 * Make assets of files.
 * @param {Map<string, Buffer>} files by path below the page, such as "assets/app-1A2B.js"
 * @returns {Array<{path, type, tag, isImmutable, plain, gzip, br}>} sorted by path, which
 *	begins with a slash; gzip and br are null where they would not be smaller
 * @throws {Error} if the type of a file is not known
 */
export function assetsOf(files) {
	return [...files].map(([path, plain]) => ({
		path: "/" + path,
		type: typeOf(path),
		tag: sha256(plain).slice(0, 16),
		isImmutable: path.startsWith("assets/"),
		plain,
		gzip: gzip(plain),
		br: brotli(plain),
	})).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A byte within a string of C. Octal escapes of three digits cannot run into what follows. */
function escaped(byte) {
	const char = String.fromCharCode(byte);
	if (byte >= 0x20 && byte < 0x7f && !'"\\?'.includes(char)) return char;
	return "\\" + byte.toString(8).padStart(3, "0");
}

function arrayOf(name, bytes) {
	const lines = [`static const char ${name}[] =`];
	for (let at = 0; at < bytes.length || at === 0; at += LINE_BYTES) {
		const line = [...bytes.subarray(at, at + LINE_BYTES)].map(escaped).join("");
		lines.push(`    "${line}"`);
	}
	return lines.join("\n") + ";\n";
}

function rowOf(asset, i) {
	const forms = FORMS.map((form) => asset[form]
		? `{${form}_${i}, sizeof ${form}_${i} - 1}` : "{0}");
	return `    {"${asset.path}", "${asset.type}", "${asset.tag}", ${asset.isImmutable},\n`
		+ `	{${forms.join(", ")}}},\n`;
}

/**
 * The C source of assets.
 * @returns {string}
 */
export function tableOf(assets) {
	const arrays = assets.flatMap((asset, i) => FORMS.filter((form) => asset[form])
		.map((form) => arrayOf(`${form}_${i}`, asset[form])));
	const id = sha256(assets.map(({ path, tag }) => `${path} ${tag}\n`).join("")).slice(0, 12);
	return "/* SPDX-License-Identifier: MIT */\n/* Copyright the co-hostd authors */\n"
		+ "/* Made by web/build.mjs: change the files of web/. */\n"
		+ '#include "api/page_assets.h"\n\n'
		+ arrays.join("\n")
		+ `\nconst struct http_asset page_assets[] = {\n${assets.map(rowOf).join("")}};\n\n`
		+ "const size_t page_assets_n = sizeof page_assets / sizeof page_assets[0];\n"
		+ `const char page_assets_build[] = "${id}";\n`;
}
