// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Colours for code. This file and the highlighter are loaded when the first finished block
// with a known language is shown.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import yaml from "highlight.js/lib/languages/yaml";

const CODE_MAX = 64 * 1024;

const languages = { bash, c, css, diff, go, java, javascript, json, python, rust, sql, yaml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.registerAliases(["ts", "typescript", "tsx"], { languageName: "javascript" });
hljs.registerAliases(["shell", "console", "sh"], { languageName: "bash" });
hljs.registerAliases(["cpp", "c++", "h"], { languageName: "c" });

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

// The highlighter writes text, with these five entities, and <span class="...">. Anything else
// would be shown as text.
function nodesOfSpans(html) {
	const top = document.createElement("span");
	let at = top;
	for (const part of html.split(/(<span class="[\w\s-]*">|<\/span>)/)) {
		if (part.startsWith("<span class=")) {
			const span = document.createElement("span");
			span.className = part.slice(13, -2);
			at.append(span);
			at = span;
		} else if (part === "</span>") {
			at = at.parentNode ?? top;
		} else if (part) {
			at.append(part.replace(/&(?:amp|lt|gt|quot|#x27);/g, (e) => ENTITIES[e]));
		}
	}
	return [...top.childNodes];
}

/**
 * Colour code.
 *
 * @param {string} text
 * @param {string} lang a language's name as written behind the fence, in lower case
 * @returns {Node[]|null} null if the language is not known or the text is over 64 KiB
 */
export function highlight(text, lang) {
	if (text.length > CODE_MAX || !hljs.getLanguage(lang)) return null;
	return nodesOfSpans(hljs.highlight(text, { language: lang, ignoreIllegals: true }).value);
}
