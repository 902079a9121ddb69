// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The licences of the packages that are in the page.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The folder of the package that a file is in, or null: "node_modules/@preact/signals". */
function packageOf(file) {
	return file.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? null;
}

/** A package's name, version and licence. */
async function licenseOf(folder) {
	const { name, version, license } = JSON.parse(
		await readFile(join(folder, "package.json"), "utf8"));
	const file = (await readdir(folder)).sort().find((entry) => /^licen[cs]e/i.test(entry));
	if (!file) throw new Error(`${name}: there is no licence in its package`);
	const text = (await readFile(join(folder, file), "utf8")).replaceAll("\r\n", "\n").trim();
	return `${name} ${version} (${license})\n\n${text}\n`;
}

/**
 * The text that says what the page contains and under which licences.
 * @param {string} top the folder with node_modules
 * @param {Iterable<object>} outputs those of esbuild's metafile
 * @returns {Promise<Buffer>}
 * @throws {Error} if a package comes without the text of its licence
 */
export async function licensesOf(top, outputs) {
	const packages = new Set();
	for (const { inputs } of outputs) {
		for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
			const folder = packageOf(file);
			if (folder && bytesInOutput > 0) packages.add(folder);
		}
	}
	const texts = await Promise.all([...packages].sort()
		.map((folder) => licenseOf(join(top, folder))));
	const rule = `\n${"-".repeat(72)}\n\n`;
	return Buffer.from(["The page of co-hostd contains the packages below.\n", ...texts].join(rule));
}
