// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What operators see. Its style comes with it; each of its two views is loaded when it is opened.
import { Component } from "preact";
import { useEffect, useState } from "preact/hooks";
import css from "../style/board.css" with { type: "text" };
import { t } from "./strings.js";

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

const loadOnsembl = async () => (await import("./onsembl.jsx")).Onsembl;
const loadOperator = async () => (await import("./operator.jsx")).Operator;

// A server may answer what nobody expects.
class Guard extends Component {
	state = { failure: "" };

	componentDidCatch(error) {
		this.setState({ failure: error.message });
	}

	render({ children }, { failure }) {
		return failure ? <Notice text={t.broken(failure)} /> : children;
	}
}

const Notice = ({ text }) => <div class="bd"><main class="bd-main">
	<h1 class="sr-only">{t.name}</h1>
	<p class="bd-empty" role="status">{text}</p>
</main></div>;

/**
 * What operators see. `part` is "agents" or "dashboard" for Onsembl, else a part of the
 * operator's board; `model` is that of views/.
 */
export function Board({ part, model }) {
	const isOnsembl = part === "agents" || part === "dashboard";
	const [View, setView] = useState(null);
	const [failure, fail] = useState("");
	useEffect(() => {
		(isOnsembl ? loadOnsembl : loadOperator)().then((view) => setView(() => view),
			(error) => fail(error.message));
	}, [isOnsembl]);
	if (!View) return <Notice text={failure ? t.failed(failure) : t.connecting} />;
	return <Guard><View place={`/${part}`} model={model} /></Guard>;
}
