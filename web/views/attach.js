// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Files that are chosen, pasted or dropped: checked against the server's limits before
// anything is read, then read as data URLs.
import { isImage } from "../md/links.js";
import { size } from "./format.js";
import { t } from "./strings.js";

const MB = 1024 * 1024;
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/**
 * The limits on files that GET /info tells.
 *
 * @param {object} info
 * @returns {{maxBytes: number, maxFiles: number}}
 */
function limitsOf(info) {
	const files = info?.accepted_inputs?.files;
	return {
		maxBytes: (files?.max_file_size_mb ?? 10) * MB,
		maxFiles: files?.max_files_per_request ?? 10,
	};
}

function read(file) {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.onload = () => resolve(reader.result);
		reader.onerror = () => reject(reader.error);
		reader.readAsDataURL(file);
	});
}

/**
 * Take files into a message.
 *
 * @param {{name: string, url: string}[]} present what the message has already
 * @param {Iterable<File>} files
 * @param {object} info of the server
 * @returns {Promise<{taken: {name: string, size: number, url: string, isImage: boolean}[],
 *	problem: string}>} problem is "" or why some were not taken
 */
export async function take(present, files, info) {
	const { maxBytes, maxFiles } = limitsOf(info);
	const taken = [];
	let problem = "";
	for (const file of files) {
		const name = file.name || "image.png";
		if (present.length + taken.length >= maxFiles)
			return { taken, problem: t("composer.tooMany", { n: maxFiles }) };
		if (file.size > maxBytes) {
			problem = t("composer.tooLarge", { name, size: size(file.size), max: size(maxBytes) });
			continue;
		}
		try {
			const url = await read(file);
			taken.push({ name, size: file.size, url, isImage: IMAGES.has(file.type) && isImage(url) });
		} catch (e) {
			problem = t("composer.unreadable", { name, why: e?.message ?? "" });
		}
	}
	return { taken, problem };
}

/**
 * The members of an input for what was attached.
 *
 * @param {{name: string, url: string, isImage: boolean}[]} attached
 * @returns {{images: string[]|undefined, files: {name: string, data: string}[]|undefined}}
 */
export function membersOf(attached) {
	const images = attached.filter((one) => one.isImage).map((one) => one.url);
	const files = attached.filter((one) => !one.isImage)
		.map(({ name, url }) => ({ name, data: url }));
	return { images: images.length ? images : undefined, files: files.length ? files : undefined };
}
