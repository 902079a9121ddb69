// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Small things that all views use: icons, dialogs, menus, texts with hidden characters shown,
// times, copying.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { pieces } from "../md/marks.js";
import { ago, exactTime, isoTime, timeOf } from "./format.js";
import { t } from "./strings.js";

// Outlines in a square of 24.
const ICONS = {
	menu: "M4 7h16M4 12h16M4 17h16",
	plus: "M12 5v14M5 12h14",
	close: "M6 6l12 12M18 6L6 18",
	send: "M12 19V5M6 11l6-6 6 6",
	stop: "M7 7h10v10H7z",
	clip: "M20 11.5l-8.2 8.2a5 5 0 0 1-7-7L13 4.4a3.3 3.3 0 0 1 4.7 4.7l-8.2 8.1a1.7 1.7 0 0 1-2.4-2.3l7.6-7.6",
	copy: "M9 9h11v11H9zM5 15H4V4h11v1",
	check: "M5 12.5l4.5 4.5L19 7.5",
	again: "M4 12a8 8 0 0 1 14-5.3L20 9M20 4v5h-5M20 12a8 8 0 0 1-14 5.3L4 15M4 20v-5h5",
	chevron: "M9 6l6 6-6 6",
	down: "M12 5v14M6 13l6 6 6-6",
	dots: "M6 12h.01M12 12h.01M18 12h.01",
	info: "M12 11v5M12 8h.01M3 12a9 9 0 1 0 18 0 9 9 0 1 0-18 0",
	terminal: "M5 8l4 4-4 4M12 17h7",
	file: "M14 3H6v18h12V7zM14 3v4h4",
	edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
	search: "M4 11a7 7 0 1 0 14 0 7 7 0 1 0-14 0M20 20l-4-4",
	globe: "M3 12a9 9 0 1 0 18 0 9 9 0 1 0-18 0M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
	tool: "M14 6a4 4 0 0 1 5-3l-2.5 2.5 2 2L21 5a4 4 0 0 1-5 5l-8.5 8.5a2 2 0 0 1-3-3L13 7z",
	thought: "M9 18h6M10 21h4M8 15a6 6 0 1 1 8 0v1H8z",
	plan: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
	image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
	warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
	key: "M3 15a4 4 0 1 0 8 0 4 4 0 1 0-8 0M10 12l9-9M16 6l3 3",
	lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
	gauge: "M4 19V9M10 19V5M16 19v-7M21 19H3",
};

/** @param {{name: string}} props an unknown name is the tool's icon */
export const Icon = ({ name }) => (
	<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
		<path d={ICONS[name] ?? ICONS.tool} />
	</svg>
);

/** A button that shows an icon only. */
export const IconButton = ({ icon, label, class: name = "", ...rest }) => (
	<button type="button" class={`quiet icon-only ${name}`} aria-label={label} title={label} {...rest}>
		<Icon name={icon} />
	</button>
);

/** Text that somebody else chose, with its hidden characters made visible. */
export const Shown = ({ text }) => (
	<bdi dir="auto">{pieces(String(text ?? "")).map(({ text: piece, isMark }) =>
		isMark ? <span class="hidden-char">{piece}</span> : piece)}</bdi>
);

/** A time in the reader's zone, exact on hover. @param {{ts: number, isShort: boolean}} props */
export const Time = ({ ts, isShort, ...rest }) => Number.isFinite(ts) && ts > 0
	? <time dateTime={isoTime(ts)} title={exactTime(ts)} {...rest}>
		{isShort ? ago(ts) : timeOf(ts)}</time>
	: null;

/** Show the view that calls this again every so many ms, for times that pass. */
export function useTick(ms) {
	const [, tick] = useState(0);
	useEffect(() => {
		const timer = setInterval(() => tick((n) => n + 1), ms);
		return () => clearInterval(timer);
	}, [ms]);
}

/** A status dot; the word beside it says the same. */
export const Dot = ({ state, isPulsing }) => (
	<span class={`dot is-${state} ${isPulsing ? "is-pulsing" : ""}`} aria-hidden="true" />
);

/**
 * Copy text to the clipboard, also where the page came by plain http.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		const field = document.createElement("textarea");
		field.value = text;
		field.className = "sr-only";
		const at = document.activeElement;
		(at?.closest?.("dialog") ?? document.body).append(field);
		field.select();
		const isCopied = document.execCommand("copy");
		field.remove();
		at?.focus?.();
		return isCopied;
	}
}

/** A button that copies, and says that it did. */
export function CopyButton({ text, label = t("item.copy"), isSmall = true, class: name = "quiet" }) {
	const [isDone, setDone] = useState(false);
	const copy = async () => {
		if (!await copyText(typeof text === "function" ? text() : text)) return;
		setDone(true);
		setTimeout(() => setDone(false), 2000);
	};
	return (
		<button type="button" class={`${name} ${isSmall ? "small" : ""}`} onClick={copy}>
			<Icon name={isDone ? "check" : "copy"} />
			<span>{isDone ? t("item.copied") : label}</span>
		</button>
	);
}

/**
 * A modal dialog. Esc and the cross close it, unless there is no onClose.
 *
 * @param {{title: string, onClose?: Function}} props
 */
export function Dialog({ title, onClose, children }) {
	const box = useRef();
	const id = useId();
	useEffect(() => {
		const node = box.current;
		// A dialog that leaves the document does not give the focus back by itself.
		const before = document.activeElement;
		node.showModal();
		return () => {
			node.close();
			before?.focus();
		};
	}, []);
	const onBackdrop = (e) => e.target === box.current && onClose?.();
	return (
		<dialog ref={box} aria-labelledby={id} onCancel={(e) => {
			e.preventDefault();
			onClose?.();
		}} onMouseDown={onBackdrop}>
			<header>
				<h2 id={id}>{title}</h2>
				{onClose && <IconButton icon="close" label={t("notice.close")} onClick={onClose} />}
			</header>
			<div class="body">{children}</div>
		</dialog>
	);
}

function place(menu, button) {
	const at = button.getBoundingClientRect();
	const isRtl = getComputedStyle(button).direction === "rtl";
	const { offsetWidth: width, offsetHeight: height } = menu;
	const left = isRtl || at.left + width > innerWidth - 8 ? at.right - width : at.left;
	const below = at.bottom + 4 + height < innerHeight;
	menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
	menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
}

/**
 * A button with a menu.
 *
 * @param {{label: string, button: *, choices: {label: string, hint?: string, icon?: string,
 *	isChecked?: boolean, isDanger?: boolean, onChoose: Function}[]}} props
 */
export function Menu({ label, button, choices, class: name = "quiet", isDisabled }) {
	const menu = useRef();
	const opener = useRef();
	const id = useId();
	const [isOpen, setOpen] = useState(false);
	const onToggle = (e) => {
		setOpen(e.newState === "open");
		if (e.newState !== "open") return;
		place(menu.current, opener.current);
		menu.current.querySelector("button")?.focus();
	};
	const onKeyDown = (e) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
		if (!step) return;
		e.preventDefault();
		const all = [...menu.current.querySelectorAll("button")];
		const at = all.indexOf(document.activeElement);
		all[(at + step + all.length) % all.length]?.focus();
	};
	const choose = (choice) => {
		menu.current.hidePopover();
		opener.current.focus();
		choice.onChoose();
	};
	return (
		<>
			<button type="button" ref={opener} class={name} aria-label={label} title={label}
				aria-haspopup="menu" aria-expanded={isOpen} disabled={isDisabled}
				popovertarget={id}>{button}</button>
			<div id={id} ref={menu} popover="auto" role="menu" aria-label={label} onToggle={onToggle}
				onKeyDown={onKeyDown} class="menu-list">
				{choices.map((choice) => (
					<button type="button" key={choice.label}
						role={choice.isChecked === undefined ? "menuitem" : "menuitemradio"}
						aria-checked={choice.isChecked}
						class={choice.isDanger ? "danger" : ""} onClick={() => choose(choice)}>
						{choice.icon && <Icon name={choice.icon} />}
						<span class="grow">{choice.label}
							{choice.hint && <span class="hint"> – {choice.hint}</span>}</span>
						{choice.isChecked && <Icon name="check" />}
					</button>
				))}
			</div>
		</>
	);
}

/** Offer text as a download. @param {string} name of the file @param {string} text @param {string} type */
export function download(name, text, type) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	const link = document.createElement("a");
	link.href = url;
	link.download = name.replace(/[^\p{L}\p{N}._ -]+/gu, "_").slice(0, 100);
	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
