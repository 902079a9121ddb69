// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Onsembl's dashboard: /agents and /dashboard.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Agents } from "./ons_agents.jsx";
import { Center } from "./ons_center.js";
import { CommandCenter } from "./ons_command.jsx";
import { EmergencyStop } from "./ons_stop.jsx";
import { Dialog, Line, State, useNow } from "./parts.jsx";
import { t } from "./strings.js";

const PHASES = { opening: "wait", ready: "good", waiting: "bad", refused: "off", closed: "off",
	off: "off" };

function SignIn({ center, why }) {
	const [isShown, show] = useState(false);
	const [complaint, complain] = useState("");
	const submit = (event) => {
		event.preventDefault();
		const form = new FormData(event.currentTarget);
		const token = String(form.get("token")).trim();
		complain(token ? "" : t.noToken);
		if (token) center.login(token, form.has("remember"));
	};
	return <form class="bd-card bd-signin" onSubmit={submit}>
		<h1>{t.signIn}</h1>
		<p>{t.signInWhy}</p>
		<Line text={t.tokenCommand} />
		<label>{t.token}
			<input name="token" type={isShown ? "text" : "password"} autoComplete="off"
				spellcheck={false} />
		</label>
		<label class="bd-inline"><input type="checkbox" checked={isShown}
			onChange={() => show(!isShown)} />{t.tokenShow}</label>
		<label class="bd-inline"><input type="checkbox" name="remember" />{t.remember}</label>
		<p class="bd-error" role="alert">{complaint || (why && center.token ? t.refused(why) : "")}</p>
		<div class="bd-choices"><button class="bd-button bd-first">{t.signIn}</button></div>
	</form>;
}

function NoDoor() {
	return <section class="bd-card bd-signin" aria-label={t.noDoor}>
		<h1>{t.noDoor}</h1>
		<p>{t.noDoorWhat}</p>
		<Line text={t.noDoorLine} />
		<p><a href="./">{t.toChat}</a></p>
	</section>;
}

// code: one that the address of this page has; people still have to say that it is theirs.
function Device({ center, code: first, onClose }) {
	const [answer, setAnswer] = useState(null);
	const submit = async (event) => {
		event.preventDefault();
		const code = String(new FormData(event.currentTarget).get("code")).trim();
		setAnswer(await center.confirmDevice(code));
	};
	return <Dialog title={t.device} onClose={onClose}>
		<form onSubmit={submit}>
			<p>{t.deviceWhy}</p>
			<label>{t.deviceCode}
				<input name="code" autoComplete="off" autoCapitalize="characters"
					defaultValue={first} />
			</label>
			<p role="status" class={answer ? "bd-error" : ""}>
				{answer === "" ? t.deviceDone : answer}</p>
			<div class="bd-choices">
				<button class="bd-button bd-first">{t.deviceGo}</button>
				<button type="button" class="bd-button" onClick={onClose}>{t.close}</button>
			</div>
		</form>
	</Dialog>;
}

function Top({ center, place, onGo, onStopped }) {
	const code = useMemo(() => new URLSearchParams(location.search).get("user_code") ?? "", []);
	const [isDevice, openDevice] = useState(!!code);
	const { phase } = center.line.value;
	const tab = (to, text) => <a href={to} aria-current={place === to ? "page" : undefined}
		onClick={(event) => {
			if (event.metaKey || event.ctrlKey || event.shiftKey) return;
			event.preventDefault();
			onGo(to);
		}}>{text}</a>;
	return <header class="bd-top">
		<strong class="bd-name">{t.name}</strong>
		<nav aria-label={t.name}>{tab("/agents", t.agents)}{tab("/dashboard", t.center)}</nav>
		<span class="bd-space" />
		<span role="status"><State kind={PHASES[phase]}>{t.phases[phase]}</State></span>
		{phase !== "refused" && phase !== "off" && <details class="bd-menu">
			<summary title={t.signedInAs(center.user.value)}>
				<bdi dir="auto">{center.user.value || "…"}</bdi></summary>
			<div>
				<p class="bd-muted">{t.signedInAs(center.user.value)}</p>
				<button type="button" class="bd-button" onClick={() => openDevice(true)}>
					{t.device}</button>
				<button type="button" class="bd-button" onClick={() => center.logout()}>
					{t.signOut}</button>
			</div>
		</details>}
		{phase !== "refused" && phase !== "off" && <EmergencyStop center={center} onDone={onStopped} />}
		{isDevice && phase !== "refused" && <Device center={center} code={code}
			onClose={() => openDevice(false)} />}
	</header>;
}

function Notes({ center, stopped, onClear, now }) {
	const { phase, retryAt } = center.line.value;
	const { banner } = center.store;
	const failure = center.failure.value;
	return <div class="bd-notes" aria-live="polite">
		{phase === "waiting" && <p class="bd-note bd-warn">
			{t.lost(Math.max(0, Math.ceil((retryAt - now) / 1000)))}{" "}
			<button type="button" class="bd-button bd-small" onClick={() => center.talk.wake()}>
				{t.retryNow}</button></p>}
		{failure && <p class="bd-note bd-warn">{t.failed(failure)}</p>}
		{(banner || stopped) && <p class="bd-note bd-stop">
			{stopped || t.stopBy(banner)}{" "}
			<button type="button" class="bd-button bd-small" onClick={onClear}>{t.close}</button>
		</p>}
	</div>;
}

/** Onsembl's dashboard; `place` is "/agents" or "/dashboard". */
export function Onsembl({ place: first }) {
	const center = useMemo(() => new Center(), []);
	const [place, setPlace] = useState(first);
	const [chosen, setChosen] = useState(new Set());
	const [stopped, setStopped] = useState("");
	const now = useNow();
	useEffect(() => {
		center.open();
		const onPop = () => setPlace(location.pathname);
		addEventListener("popstate", onPop);
		return () => {
			removeEventListener("popstate", onPop);
			center.close();
		};
	}, []);
	useEffect(() => {
		document.title = `${place === "/agents" ? t.agents : t.center} · ${t.name}`;
	}, [place]);
	const go = (to) => {
		if (to === place) return;
		history.pushState(null, "", to);
		setPlace(to);
	};
	const choose = (id) => {
		const next = new Set(chosen);
		if (!next.delete(id)) next.add(id);
		setChosen(next);
	};
	const command = (ids) => {
		setChosen(new Set(ids));
		go("/dashboard");
	};
	center.tick.value; // drawn again when the store has changed
	const { phase, why } = center.line.value;
	return <div class="bd">
		<Top center={center} place={place} onGo={go} onStopped={setStopped} />
		<main class="bd-main">
			<Notes center={center} stopped={stopped} now={now} onClear={() => {
				setStopped("");
				center.store.banner = null;
			}} />
			{phase === "off" ? <NoDoor /> : phase === "refused" ? <SignIn center={center} why={why} />
				: place === "/agents" ? <Agents center={center} now={now} chosen={chosen}
					onChoose={choose} onCommand={command} />
				: <CommandCenter center={center} now={now} chosen={chosen} onChoose={choose} />}
		</main>
	</div>;
}
