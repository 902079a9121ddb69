// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Small parts that the views of board/ share.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../views/parts.jsx";
import { t } from "./strings.js";

export { Shown, download } from "../views/parts.jsx";

/** A state as a coloured dot and a word; kind: good, busy, wait, bad or off. */
export function State({ kind, children }) {
	return <span class={`bd-state bd-${kind}`}><i aria-hidden="true" />{children}</span>;
}

/** The time since `ms` of the wall clock, in words; exact on hover. isSpan: "5 min", not "ago". */
export function Age({ ms, now, isSpan }) {
	if (!ms) return <span class="bd-muted">{t.never}</span>;
	const seconds = Math.max(0, (now - ms) / 1000);
	return <time dateTime={new Date(ms).toISOString()} title={new Date(ms).toLocaleString()}>
		{isSpan ? t.span(seconds) : t.ago(seconds)}
	</time>;
}

/** The time, again each second while the page is seen. */
export function useNow() {
	const [now, set] = useState(Date.now());
	useEffect(() => {
		const timer = setInterval(() => {
			if (!document.hidden) set(Date.now());
		}, 1000);
		return () => clearInterval(timer);
	}, []);
	return now;
}

/** A button that copies a text, or what a function returns, and says so. */
export function Copy({ text: given, label = t.copy }) {
	const [isDone, set] = useState(false);
	const copy = async () => {
		if (!await copyText(typeof given === "function" ? given() : given)) return;
		set(true);
		setTimeout(() => set(false), 1500);
	};
	return <button type="button" class="bd-button bd-small" onClick={copy}>
		{isDone ? t.copied : label}
	</button>;
}

/** A line that can be copied. */
export function Line({ text }) {
	return <p class="bd-line"><code tabIndex="0">{text}</code><Copy text={text} /></p>;
}

/** A <dialog> that is open as long as it is there; onClose also on Esc. */
export function Dialog({ title, onClose, children }) {
	const node = useRef();
	useEffect(() => {
		const dialog = node.current;
		dialog.showModal();
		return () => dialog.close();
	}, []);
	return <dialog ref={node} class="bd-dialog" aria-labelledby="bd-dialog-title"
		onCancel={(event) => {
			event.preventDefault();
			onClose();
		}}>
		<h2 id="bd-dialog-title">{title}</h2>
		{children}
	</dialog>;
}

/**
 * A list of which only the rows in view are in the document. `row(i)` makes one, `keyOf(i)` its
 * key; all have `rowHeight` px, and `version` changes when what they show does. While
 * `isFollowing`, the end stays in view; onFollow(false) is called when the reader goes up,
 * onFollow(true) back at the end.
 */
export function Rows({ count, row, keyOf, rowHeight, isFollowing, onFollow, label, version,
	class: classes = "bd-rows" }) {
	const node = useRef();
	const [view, setView] = useState({ top: 0, height: 600 });
	const measure = () => {
		const { scrollTop: top, clientHeight: height } = node.current;
		setView((old) => old.top === top && old.height === height ? old : { top, height });
	};
	useLayoutEffect(() => {
		if (isFollowing) node.current.scrollTop = node.current.scrollHeight;
		measure();
	}, [count, isFollowing, version]);
	useEffect(() => {
		const observer = new ResizeObserver(() => node.current && measure());
		observer.observe(node.current);
		return () => observer.disconnect();
	}, []);
	const onScroll = () => {
		const { scrollTop, clientHeight, scrollHeight } = node.current;
		const isAtEnd = scrollTop + clientHeight >= scrollHeight - rowHeight;
		if (onFollow && isAtEnd !== !!isFollowing) onFollow(isAtEnd);
		measure();
	};
	const first = Math.max(0, Math.floor(view.top / rowHeight) - 10);
	const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + 10);
	const rows = [];
	for (let i = first; i < last; i++)
		rows.push(<div key={keyOf ? keyOf(i) : i} class="bd-row"
			style={{ top: `${i * rowHeight}px`, height: `${rowHeight}px` }}>{row(i)}</div>);
	return <div ref={node} class={classes} tabIndex="0" role="region" aria-label={label}
		onScroll={onScroll}>
		<div class="bd-rows-all" style={{ height: `${count * rowHeight}px` }}>{rows}</div>
	</div>;
}
