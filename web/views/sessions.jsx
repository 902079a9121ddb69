// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The list of chats: search, state, rename, copy a link, export, delete with undo.
import { useEffect, useRef, useState } from "preact/hooks";
import { UNDO_MS } from "../store/sessions.js";
import { daysAgo, shortAddress } from "./format.js";
import { model } from "./model.js";
import { copyText, Dot, download, Icon, Menu, Shown, Time } from "./parts.jsx";
import { hasText, t } from "./strings.js";

const titleOf = (session) => session.title || t("sessions.untitled");

function dayOf(session) {
	if (session.status === "waiting") return "sessions.waiting";
	const days = daysAgo(session.updated);
	if (days === 0) return "sessions.today";
	if (days === 1) return "sessions.yesterday";
	return days < 7 ? "sessions.week" : "sessions.older";
}

// Those that wait come first, the others by day.
function grouped(sessions) {
	const groups = new Map([["sessions.waiting", []]]);
	for (const session of sessions) {
		const key = dayOf(session);
		if (!groups.has(key)) groups.set(key, []);
		groups.get(key).push(session);
	}
	return [...groups].filter(([, all]) => all.length);
}

async function attempt(failedKey, act) {
	try {
		return await act();
	} catch (e) {
		model.toast(t(failedKey, { why: e.message }));
		return undefined;
	}
}

function exportAs(session, form) {
	return attempt("sessions.exportFailed", async () => {
		const isJson = form === "json";
		const text = await model.sessions.export(session.id, form);
		download(`${titleOf(session)}.${isJson ? "json" : "md"}`, text,
			isJson ? "application/json" : "text/markdown");
	});
}

function remove(session) {
	const undo = model.sessions.remove(session.id, {
		onError: (e) => model.toast(t("sessions.deleteFailed", { why: e.message })),
	});
	const close = model.toast(t("sessions.deleted", { title: titleOf(session) }), {
		label: t("sessions.undo"),
		onChoose: () => {
			undo();
			close();
		},
	}, UNDO_MS);
	if (model.chat.value?.id === session.id) model.newChat();
}

function Rename({ session, onDone }) {
	const field = useRef();
	useEffect(() => field.current.select(), []);
	const save = (e) => {
		e.preventDefault();
		const title = field.current.value.trim();
		onDone();
		if (title && title !== session.title)
			attempt("sessions.renameFailed", () => model.sessions.rename(session.id, title));
	};
	return (
		<form onSubmit={save}>
			<input ref={field} defaultValue={titleOf(session)} maxLength={200} dir="auto"
				aria-label={t("sessions.titleField")} onBlur={onDone}
				onKeyDown={(e) => e.key === "Escape" && onDone()} />
		</form>
	);
}

const DOTS = { running: "working", waiting: "waiting", failed: "failed" };

function Session({ session }) {
	const [isRenaming, setRenaming] = useState(false);
	const isHere = model.chat.value?.id === session.id;
	const title = titleOf(session);
	if (isRenaming) return <li class="session">
		<Rename session={session} onDone={() => setRenaming(false)} /></li>;
	const link = `#/s/${encodeURIComponent(session.id)}`;
	return (
		<li class={`session ${isHere ? "is-here" : ""}`}>
			<a href={link} aria-current={isHere ? "page" : undefined}
				onClick={() => { model.isSideOpen.value = false; }}>
				<span class="top">
					{DOTS[session.status] && <>
						<Dot state={DOTS[session.status]} />
						<span class="sr-only">{t(`sessions.state.${session.status}`)}</span></>}
					<span class="name cut grow"><Shown text={title} /></span>
					<Time ts={session.updated} isShort />
				</span>
				{session.last && <span class="last cut block"><Shown text={session.last} /></span>}
			</a>
			<Menu label={t("sessions.menu", { title })} class="quiet icon-only small"
				button={<Icon name="dots" />} choices={[
					{ label: t("sessions.rename"), onChoose: () => setRenaming(true) },
					{ label: t("sessions.link"), onChoose: async () => {
						if (await copyText(new URL(link, location.href).href))
							model.toast(t("item.copied"), undefined, 2000);
					} },
					{ label: t("sessions.json"), onChoose: () => exportAs(session, "json") },
					{ label: t("sessions.markdown"), onChoose: () => exportAs(session, "markdown") },
					{ label: t("sessions.delete"), isDanger: true, onChoose: () => remove(session) },
				]} />
		</li>
	);
}

function List() {
	const { list, query, error, isLoading, hasMore, more } = model.sessions;
	const sessions = list.value;
	if (error.value) return <p class="hint pad" role="status">
		{t("sessions.failed", { why: error.value.message })}</p>;
	if (!sessions.length) return <p class="hint pad">{isLoading.value ? t("app.connecting")
		: query.value ? t("sessions.noMatch", { query: query.value }) : t("sessions.none")}</p>;
	return (
		<>
			{grouped(sessions).map(([key, all]) => (
				<section key={key} aria-label={t(key)}>
					<h3>{t(key)}</h3>
					<ul>{all.map((session) => <Session key={session.id} session={session} />)}</ul>
				</section>
			))}
			{hasMore.value && <button type="button" class="quiet" onClick={more}
				disabled={isLoading.value}>{t("sessions.more")}</button>}
		</>
	);
}

function Search() {
	const timer = useRef();
	return (
		<input type="search" id="search" placeholder={t("sessions.search")}
			aria-label={t("sessions.search")} dir="auto" autocomplete="off"
			onInput={(e) => {
				const { value } = e.currentTarget;
				clearTimeout(timer.current);
				timer.current = setTimeout(() => model.sessions.search(value.trim()), 250);
			}} />
	);
}

const levelText = (level) => hasText(`identity.level.${level}`)
	? t(`identity.level.${level}`) : level;

function Me() {
	const identity = model.identity.value;
	return (
		<button type="button" class="quiet" onClick={() => { model.dialog.value = "identity"; }}>
			<span class="badge" aria-hidden="true">{identity?.address.slice(2, 4) ?? "…"}</span>
			<span class="grow cut">{identity ? shortAddress(identity.address) : t("identity.short")}
				<span class="hint"> {levelText(model.level.value)}</span></span>
		</button>
	);
}

/** The column, on phones a drawer. */
export function Side() {
	const isOpen = model.isSideOpen.value;
	const box = useRef();
	const opener = useRef();
	// Who opens the drawer by its button is taken there, and back.
	useEffect(() => {
		const at = document.activeElement;
		if (isOpen && at?.matches("[aria-controls=side]")) {
			opener.current = at;
			box.current.querySelector("button").focus();
		} else if (!isOpen && box.current.contains(at)) {
			opener.current?.focus();
		}
	}, [isOpen]);
	return (
		<nav id="side" ref={box} class={`side ${isOpen ? "is-open" : ""}`}
			aria-label={t("bar.sessions")}>
			<div class="side-head">
				<button type="button" onClick={model.newChat}>
					<Icon name="plus" />{t("sessions.new")}</button>
				<Search />
			</div>
			<div class="side-list"><List /></div>
			<div class="side-foot"><Me /></div>
		</nav>
	);
}
