// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the page may cost, in bytes. A first visit loads what index.html names and what that
// imports; the rest comes when it is needed.
const FIRST = { br: 60_000, gzip: 75_000 };
const LAZY_BR = 25_000;
const EMBEDDED = 800_000;

const FORMS = ["plain", "gzip", "br"];

/** What is sent to a client that takes this form. */
function sent(asset, form) {
	return (asset[form] ?? asset.plain).length;
}

function sum(assets, size) {
	return assets.reduce((total, asset) => total + size(asset), 0);
}

/**
 * Print the sizes of assets, and end the process with status 1 if one is over its budget.
 * @param {Array} assets those of tools/table.mjs
 * @param {string[]} first paths below the page that a first visit loads
 * @param {Map<string, object>} outputs esbuild's, by path below the page
 */
export function checkBudget(assets, first, outputs) {
	const isFirst = ({ path }) => first.includes(path.slice(1));
	const faults = [];
	const expect = (what, size, most) => {
		console.log(`page: ${what}: ${size} of ${most} bytes`);
		if (size > most) faults.push(`page: ${what}: ${size} bytes are over ${most}`);
	};

	const early = assets.filter(isFirst);
	for (const form of ["br", "gzip"])
		expect(`first visit, ${form}`, sum(early, (asset) => sent(asset, form)), FIRST[form]);
	for (const asset of assets) {
		const output = outputs.get(asset.path.slice(1));
		if (!output || isFirst(asset)) continue;
		expect(`${output.entryPoint ?? asset.path}, br`, sent(asset, "br"), LAZY_BR);
	}
	expect("in the program", sum(assets, (asset) =>
		sum(FORMS.filter((form) => asset[form]), (form) => asset[form].length)), EMBEDDED);
	for (const fault of faults) console.error(fault);
	if (faults.length) process.exit(1);
}
