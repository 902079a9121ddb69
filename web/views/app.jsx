// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The shell: sessions at the start, the chat, details at the end; on phones the outer ones
// are drawers.
import { computed } from "@preact/signals";
import { Component } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Composer } from "./composer.jsx";
import { count, price, shortAddress } from "./format.js";
import { PinnedPlan } from "./items.jsx";
import { lazy } from "./lazy.jsx";
import { model, status } from "./model.js";
import { CopyButton, Dialog, Dot, IconButton, Shown, useTick } from "./parts.jsx";
import { Side } from "./sessions.jsx";
import { t } from "./strings.js";
import { Since, Transcript } from "./transcript.jsx";

const Board = lazy(() => import("../board/board.jsx"), "Board");
const Gate = lazy(() => import("./gate.jsx"), "Gate");
const Identity = lazy(() => import("./identity.jsx"), "Identity");

const TOOLS_SHOWN = 12;

function Countdown({ at }) {
	useTick(500);
	const n = Math.ceil((at - Date.now()) / 1000);
	return <>{n > 0 ? t("status.lostIn", { n }) : t("status.connecting")}</>;
}

function Status() {
	const { dot, text, since, isBusy, retryAt } = status.value;
	return (
		<span class="status">
			<Dot state={dot} isPulsing={isBusy} />
			<span>{retryAt ? <Countdown at={retryAt} /> : text}{since > 0 && <Since at={since} />}
			</span>
		</span>
	);
}

function Bar() {
	const chat = model.chat.value;
	const isOpen = model.isSideOpen.value;
	return (
		<header class="bar">
			<IconButton icon="menu" label={t("bar.sessions")} class="only-narrow"
				aria-expanded={isOpen} aria-controls="side"
				onClick={() => { model.isSideOpen.value = !isOpen; }} />
			<div class="title grow">
				<h1 class="cut"><Shown text={model.agentName.value} /></h1>
				{chat?.title.value && <span class="dim cut"><Shown text={chat.title.value} /></span>}
			</div>
			<Status />
			<IconButton icon="info" label={t("bar.details")} aria-expanded={model.isPaneOpen.value}
				onClick={() => { model.isPaneOpen.value = !model.isPaneOpen.value; }} />
		</header>
	);
}

function Tags({ all }) {
	const names = all.map((one) => String(one?.name ?? one));
	return (
		<ul class="tags">
			{names.slice(0, TOOLS_SHOWN).map((name) => <li key={name}><Shown text={name} /></li>)}
			{names.length > TOOLS_SHOWN &&
				<li>{t("welcome.moreTools", { n: names.length - TOOLS_SHOWN })}</li>}
		</ul>
	);
}

function Welcome() {
	const info = model.info.value;
	const examples = arrayOf(info?.examples);
	const able = [...arrayOf(info?.skills), ...arrayOf(info?.tools)];
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={model.agentName.value}>
			<div class="measure welcome">
				<h2><Shown text={t("welcome.title", { agent: model.agentName.value })} /></h2>
				<p class="about">{info?.summary ? <Shown text={info.summary} />
					: t("welcome.about")}</p>
				{examples.length > 0 && <section class="stack" aria-label={t("welcome.examples")}>
					<ul class="examples">
						{examples.slice(0, 6).map((text) => (
							<li key={text}><button type="button" onClick={() => model.fill(text)}>
								<Shown text={text} /></button></li>
						))}
					</ul>
				</section>}
				{able.length > 0 && <section class="stack">
					<h3 class="hint">{t("welcome.tools")}</h3><Tags all={able} /></section>}
			</div>
		</div>
	);
}

function Notices() {
	const chat = model.chat.value;
	const phase = chat?.state.value.phase;
	const [isPlainClosed, closePlain] = useState(false);
	const [isMemoryClosed, closeMemory] = useState(false);
	const isPlain = model.identity.value?.isPlain;
	const notice = (text, ...children) => (
		<div class="notice"><span class="grow">{text}</span>{children}</div>
	);
	const cross = (close) => <IconButton icon="close" label={t("notice.close")}
		onClick={() => close(true)} />;
	return (
		<>
			{!model.isOnline.value && phase !== "ready" && notice(t("notice.offline"))}
			{model.isOnline.value && phase === "waiting" && notice(t("notice.lost"),
				<button type="button" class="small" onClick={() => chat.retry()}>
					{t("gate.retry")}</button>)}
			{model.hasNewVersion.value && notice(t("notice.newVersion"),
				<button type="button" class="small" onClick={() => location.reload()}>
					{t("notice.reload")}</button>)}
			{!model.info.value && model.error.value && notice(t("notice.noHost",
				{ why: model.error.value.message }))}
			{isPlain && !isPlainClosed && notice(
				t(location.protocol === "https:" ? "identity.readable" : "identity.plain"),
				cross(closePlain))}
			{!model.isStored.value && !isMemoryClosed &&
				notice(t("identity.memory"), cross(closeMemory))}
			{model.crash.value && <div class="notice is-bad" role="alert">
				<span class="grow">{t("error.crash")} <Shown text={model.crash.value} /></span>
				<button type="button" class="small" onClick={() => location.reload()}>
					{t("notice.reload")}</button></div>}
		</>
	);
}

function lineText({ isSealed }) {
	if (isSealed) return t("pane.sealed");
	return t(location.protocol === "https:" ? "pane.https" : "pane.http");
}

// HTML of the agent, apart from the page: frame.html has a policy and an origin of its own.
function Dashboard({ html }) {
	return (
		<section class="stack">
			<h3>{t("pane.dashboard")}</h3>
			<iframe key={html} class="dashboard" sandbox="allow-scripts" title={t("pane.dashboard")}
				src={new URL("frame.html", document.baseURI).href}
				onLoad={(e) => e.currentTarget.contentWindow.postMessage(html, "*")} />
		</section>
	);
}

function Pane() {
	const info = model.info.value ?? {};
	const chat = model.chat.value;
	const usage = chat?.usage.value;
	const html = chat?.state.value.dashboard;
	const close = () => { model.isPaneOpen.value = false; };
	const box = useRef();
	useEffect(() => {
		if (isCovered()) box.current.querySelector("button").focus();
	}, []);
	return (
		<aside class="pane" ref={box} aria-label={t("bar.details")}>
			<div class="bar"><h2 class="grow pane-title">{t("pane.title")}</h2>
				<IconButton icon="close" label={t("notice.close")} onClick={close} /></div>
			<div class="pane-body">
				<dl class="facts">
					<dt>{t("pane.agent")}</dt><dd><Shown text={info.name} /></dd>
					<dt>{t("pane.address")}</dt>
					<dd class="mono">{shortAddress(info.address ?? "")} {info.address &&
						<CopyButton text={info.address} />}</dd>
					{info.model && <><dt>{t("pane.model")}</dt><dd><Shown text={info.model} /></dd></>}
					<dt>{t("pane.connection")}</dt>
					<dd>{chat && lineText(chat.state.value)}</dd>
					{usage?.tokens > 0 && <><dt>{t("pane.usage")}</dt>
						<dd>{t("item.cost", { tokens: count(usage.tokens) })}
							{usage.cost > 0 && ` · ${price(usage.cost)}`}</dd></>}
					<dt>{t("pane.version")}</dt><dd>co-hostd {info.version}</dd>
				</dl>
				<p><a href="#/board">{t("pane.board")}</a></p>
				{arrayOf(info.tools).length > 0 && <section class="stack"><h3>{t("pane.tools")}</h3>
					<Tags all={info.tools} /></section>}
				{arrayOf(info.skills).length > 0 && <section class="stack"><h3>{t("pane.skills")}</h3>
					<Tags all={info.skills} /></section>}
				{html && <Dashboard html={html} />}
			</div>
		</aside>
	);
}

const KEYS = [
	["/", "keys.field"], ["Enter", "keys.send"], ["Ctrl+K", "keys.sessions"],
	["Ctrl+Shift+O", "keys.new"], ["Alt+↑ ↓", "keys.items"], ["Ctrl+.", "keys.stop"],
	["Esc", "keys.close"], ["?", "keys.help"],
];

const Keys = ({ onClose }) => (
	<Dialog title={t("keys.title")} onClose={onClose}>
		<dl class="keys">
			{KEYS.map(([key, text]) => <><dt><kbd>{key}</kbd></dt><dd>{t(text)}</dd></>)}
		</dl>
	</Dialog>
);

function Toasts() {
	return (
		<div class="toasts" role="status">
			{model.toasts.value.map(({ id, text, action, close }) => (
				<div class="toast" key={id}>
					<span><Shown text={text} /></span>
					{action && <button type="button" class="small" onClick={action.onChoose}>
						{action.label}</button>}
					<IconButton icon="close" class="small" label={t("notice.close")} onClick={close} />
				</div>
			))}
		</div>
	);
}

const Announcer = () => (
	<>
		<div class="sr-only" aria-live="polite">{model.polite.value}</div>
		<div class="sr-only" aria-live="assertive">{model.urgent.value}</div>
	</>
);

// Signals of their own: what grows with each token must not show the shell anew.
const isEmpty = computed(() => {
	const chat = model.chat.value;
	return !!chat && chat.isNew.value && !chat.pages.value.length && !chat.state.value.unsent.length;
});
const isGated = computed(() => {
	const chat = model.chat.value;
	const phase = chat?.state.value.phase;
	return (phase === "refused" || phase === "onboarding") && !chat.pages.value.length;
});

// Below an open drawer nothing can be reached.
const isCovered = () => matchMedia("(max-width: 899px)").matches &&
	(model.isSideOpen.value || model.isPaneOpen.value);

function Chat() {
	const chat = model.chat.value;
	if (!chat) return null;
	const plan = chat.plan.value;
	return (
		<main id="main" class="main" tabIndex={-1} inert={isCovered()}>
			<Bar />
			<Notices />
			{isGated.value ? <Gate chat={chat} /> : <>
				{plan && chat.turn.value.isRunning && <PinnedPlan item={plan} />}
				{isEmpty.value ? <Welcome /> : <Transcript key={chat.id} chat={chat} />}
				<footer class="foot"><Composer key={chat.id} chat={chat} /></footer>
			</>}
		</main>
	);
}

// What no view expected: said, with a way out.
class Guard extends Component {
	static getDerivedStateFromError = (failure) => ({ failure });

	render({ children }, { failure }) {
		if (!failure) return children;
		return (
			<main class="gate" role="alert">
				<h1>{t("error.crash")}</h1>
				<p class="hint"><Shown text={failure.message} /></p>
				<div class="row"><button type="button" class="primary"
					onClick={() => location.reload()}>{t("notice.reload")}</button></div>
			</main>
		);
	}
}

const arrayOf = (value) => Array.isArray(value) ? value : [];

/** All of the page. */
export function App() {
	const route = model.route.value;
	const dialog = model.dialog.value;
	const close = () => { model.dialog.value = ""; };
	if (route.name === "board") return <Board part={route.part} model={model} />;
	return (
		<Guard>
			<a class="skip" href="#main" onClick={(e) => {
				e.preventDefault();
				model.composer?.focus();
			}}>{t("app.skip")}</a>
			<div class="shell">
				<Side />
				{(model.isSideOpen.value || model.isPaneOpen.value) && <button type="button"
					class="scrim" aria-label={t("notice.close")} onClick={() => {
						model.isSideOpen.value = false;
						model.isPaneOpen.value = false;
					}} />}
				<Chat />
				{model.isPaneOpen.value && <Pane />}
			</div>
			{dialog === "identity" && <Identity onClose={close} />}
			{dialog === "keys" && <Keys onClose={close} />}
			<Toasts />
			<Announcer />
		</Guard>
	);
}
