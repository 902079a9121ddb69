// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Blocks of md/lex.js to nodes of the document, by createElement() and text alone. HTML that
// an agent wrote is shown as text. Images become links, except small ones within the text
// itself (data URLs), since a request for a foreign image could carry data away.
import { hostNote, isImage, isSafe } from "./links.js";
import { visibleNodes } from "./marks.js";

/** Plain text is shown in slices of so many UTF-16 units. */
const SLICE = 64 * 1024;

const NAMED = {
	amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®",
	hellip: "…", mdash: "—", ndash: "–", larr: "←", rarr: "→", times: "×", deg: "°",
	laquo: "«", raquo: "»", bull: "•", middot: "·", euro: "€", trade: "™",
};

function decode(text) {
	if (!text.includes("&")) return text;
	return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi,
		(whole, decimal, hex, name) => {
			if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : whole;
			const code = decimal ? Number(decimal) : parseInt(hex, 16);
			const isChar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
			return isChar ? String.fromCodePoint(code) : "\ufffd";
		});
}

function element(name, className, ...children) {
	const node = document.createElement(name);
	if (className) node.className = className;
	node.append(...children);
	return node;
}

function button(label, onClick) {
	const node = element("button", "quiet small", label);
	node.type = "button";
	node.addEventListener("click", () => onClick(node));
	return node;
}

/** Read a text without formatting, for the names of links and images. */
const flat = (tokens) => (tokens ?? [])
	.map((token) => token.tokens ? flat(token.tokens) : decode(token.text ?? "")).join("");

function link(token, to) {
	const said = flat(token.tokens) || decode(token.text ?? "") || token.href;
	if (!isSafe(token.href)) return element("span", "dead-link", ...inline(token.tokens, to));
	const node = element("a", "", ...inline(token.tokens, to));
	node.href = token.href;
	if (!token.href.startsWith("#")) {
		node.rel = "noopener noreferrer";
		node.target = "_blank";
	}
	if (token.title) node.title = decode(token.title);
	const host = hostNote(said, token.href);
	return host ? element("span", "", node, element("small", "host-note", ` (${host})`)) : node;
}

function image(token, to) {
	const said = decode(token.text || "") || to.labels.image;
	if (isImage(token.href)) {
		const node = element("img", "picture");
		node.src = token.href;
		node.alt = said;
		return node;
	}
	const tokens = [{ type: "text", text: said, raw: said }];
	return link({ href: token.href, title: token.title, text: said, tokens }, to);
}

const INLINE = {
	text: (token, to) => token.tokens ? element("span", "", ...inline(token.tokens, to))
		: decode(token.text),
	escape: (token) => token.text,
	strong: (token, to) => element("strong", "", ...inline(token.tokens, to)),
	em: (token, to) => element("em", "", ...inline(token.tokens, to)),
	del: (token, to) => element("del", "", ...inline(token.tokens, to)),
	codespan: (token) => element("code", "", ...visibleNodes(token.text)),
	br: () => element("br"),
	link,
	image,
	checkbox: (token, to) => {
		const sign = element("span", "check", token.checked ? "☑ " : "☐ ");
		sign.setAttribute("role", "img");
		sign.setAttribute("aria-label", token.checked ? to.labels.done : to.labels.open);
		return sign;
	},
};

function inline(tokens, to) {
	return (tokens ?? []).map((token) => {
		if (Object.hasOwn(INLINE, token.type)) return INLINE[token.type](token, to);
		return Object.hasOwn(BLOCK, token.type) ? nodesOf(token, to) : token.raw;
	});
}

function code(token, to) {
	const lang = (token.lang ?? "").trim().split(/[\s{,]/)[0].slice(0, 30);
	const text = element("code", "", ...visibleNodes(token.text));
	const pre = element("pre", "", text);
	pre.tabIndex = 0;
	pre.dir = "ltr";
	pre.setAttribute("role", "region");
	pre.setAttribute("aria-label", lang ? `${to.labels.code}: ${lang}` : to.labels.code);
	const head = element("div", "code-head", element("span", "", lang),
		button(to.labels.copy, (node) => to.onCopy(token.text, node)));
	const block = element("div", "code-block", head, pre);
	block.dataset.lang = lang.toLowerCase();
	return block;
}

function heading(token, to) {
	// The page has the h1 and h2; an agent's headings stand below them.
	return element(`h${Math.min(6, token.depth + 2)}`, `level-${token.depth}`,
		...inline(token.tokens, to));
}

function list(token, to) {
	const node = element(token.ordered ? "ol" : "ul", "");
	if (token.ordered && Number.isSafeInteger(token.start)) node.start = token.start;
	// No dir of their own: the list takes its side from their text.
	for (const item of token.items)
		node.append(element("li", item.task ? "task" : "", ...inline(item.tokens, to)));
	return node;
}

function table(token, to) {
	const row = (cells, name) => element("tr", "", ...cells.map((cell) => {
		const align = cell.align ? `align-${cell.align}` : "";
		const node = element(name, align, ...inline(cell.tokens, to));
		if (name === "th") node.scope = "col";
		node.dir = "auto";
		return node;
	}));
	const box = element("div", "table-box", element("table", "",
		element("thead", "", row(token.header, "th")),
		element("tbody", "", ...token.rows.map((cells) => row(cells, "td")))));
	box.tabIndex = 0;
	box.setAttribute("role", "region");
	box.setAttribute("aria-label", to.labels.table);
	return box;
}

function plain(token, to) {
	const box = element("div", "plain", token.text.slice(0, SLICE));
	let at = SLICE;
	if (token.text.length > at) {
		const more = button(to.labels.more, () => {
			more.before(token.text.slice(at, at + SLICE));
			at += SLICE;
			if (at >= token.text.length) more.remove();
		});
		box.append(more);
	}
	return box;
}

const BLOCK = {
	heading,
	paragraph: (token, to) => element("p", "", ...inline(token.tokens, to)),
	text: (token, to) => element("p", "", ...(token.tokens ? inline(token.tokens, to)
		: [decode(token.text)])),
	code,
	blockquote: (token, to) => element("blockquote", "", ...inline(token.tokens, to)),
	list,
	table,
	plain,
	hr: () => element("hr"),
	space: () => "",
	def: () => "",
	html: (token) => element("p", "plain", token.text),
};

/**
 * Make the node of a block.
 *
 * @param {object} block a block of md/lex.js
 * @param {object} to what the node needs of its surroundings:
 *	onCopy(text, button) is called for the copy button of a code block; labels has the
 *	texts copy, code, table, image, done, open and more
 * @returns {Node} one node
 */
export function nodesOf(block, to) {
	const make = Object.hasOwn(BLOCK, block.type) ? BLOCK[block.type] : BLOCK.html;
	const node = make(block.type === "html" ? { text: block.raw } : block, to);
	if (typeof node !== "string" && !node.dir) node.dir = "auto";
	return node;
}

/**
 * Colour the code of a finished block, when the highlighter has been loaded. Code over 64 KiB
 * and in languages that it does not know stays as it is. Never fails.
 *
 * @param {Node} node a node that nodesOf() made
 * @returns {Promise<void>}
 */
export async function finish(node) {
	const blocks = node.dataset?.lang !== undefined ? [node]
		: [...(node.querySelectorAll?.(".code-block") ?? [])];
	for (const block of blocks) {
		const { lang } = block.dataset;
		const text = block.querySelector("code");
		if (!lang || !text.textContent || text.querySelector(".hidden-char")) continue;
		try {
			const { highlight } = await import("./code.js");
			const nodes = highlight(text.textContent, lang);
			if (nodes) text.replaceChildren(...nodes);
		} catch {
			return;
		}
	}
}
