// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the server does now: a strip of numbers with their last five minutes, its processes, its
// sessions.
import { LINES } from "./live.js";
import { Age, Shown, State } from "./parts.jsx";
import { t } from "./strings.js";

const WIDTH = 120;
const HEIGHT = 28;

function Spark({ values, label }) {
	const most = Math.max(1, ...values);
	// It grows to five minutes.
	const step = WIDTH / (Math.max(30, values.length) - 1);
	const first = WIDTH - (values.length - 1) * step;
	const points = values.map((v, i) =>
		`${(first + i * step).toFixed(1)},${(HEIGHT - 1 - v / most * (HEIGHT - 4)).toFixed(1)}`);
	return <svg class="bd-spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}
		preserveAspectRatio="none">
		{values.length > 1 && <polyline points={points.join(" ")} />}
	</svg>;
}

const shortly = (value) => value >= 100 || Number.isInteger(value)
	? Math.round(value).toLocaleString("en") : value.toFixed(1);

function Tile({ name, live }) {
	const values = live.lines[name];
	const most = values.length ? Math.max(...values) : 0;
	return <div class="bd-card bd-tile" data-name={name}>
		<p class="bd-muted">{t.tiles[name]}</p>
		<p class="bd-big">{shortly(live.now(name))}</p>
		<Spark values={values} label={t.sparkLabel(t.tiles[name], shortly(most))} />
		<p class="bd-muted bd-fine">{name === "refused" ? t.refusedAll(live.refusedTotal)
			: t.most(shortly(most))}</p>
	</div>;
}

const HEALTH = { ok: "good", late: "wait", stopped: "bad", gone: "bad" };

function healthOf(p) {
	return p.health === "ok" ? t.processStates[p.state] ?? p.state
		: t.health[p.health] ?? p.health;
}

function Processes({ all, now }) {
	return <section class="bd-card" aria-label={t.processes}>
		<h2>{t.processes}</h2>
		<div class="bd-scroll" tabIndex="0" role="region" aria-label={t.processes}>
			<table class="bd-table">
				<thead><tr><th scope="col">{t.process}</th><th scope="col">{t.state}</th>
					<th scope="col">{t.pid}</th><th scope="col">{t.age}</th>
					<th scope="col">{t.memory}</th><th scope="col">{t.connections}</th>
					<th scope="col">{t.turns}</th><th scope="col">{t.beat}</th></tr></thead>
				<tbody>{all.map((p) => <tr key={p.slot} data-pid={p.pid}>
					<th scope="row">{p.kind} {p.slot}</th>
					<td><State kind={p.state === "serving" || p.health !== "ok"
						? HEALTH[p.health] ?? "off" : "wait"}>{healthOf(p)}</State></td>
					<td>{p.pid}</td>
					<td><Age ms={p.started_ms} now={now} isSpan /></td>
					<td>{t.megabytes(p.memory_bytes)}</td>
					<td>{p.connections ?? 0}</td>
					<td>{p.turns ?? 0}{p.turns_waiting > 0 && ` + ${p.turns_waiting}`}</td>
					<td>{p.beat_age_ms === null ? "–" : t.took(p.beat_age_ms)}</td>
				</tr>)}</tbody>
			</table>
		</div>
	</section>;
}

const STATES = { running: "busy", waiting: "wait", idle: "off" };

function Sessions({ sessions, now, onInspect }) {
	if (!sessions) return <p class="bd-note bd-warn">{t.registryBroken}</p>;
	return <section class="bd-card" aria-label={t.sessions}>
		<h2>{t.sessions} <span class="bd-muted">
			{t.sessionsShown(sessions.list.length, sessions.known)}</span></h2>
		{!sessions.list.length && <p class="bd-muted">{t.noSessions}</p>}
		{sessions.list.length > 0 && <div class="bd-scroll" tabIndex="0" role="region"
			aria-label={t.sessions}>
			<table class="bd-table">
				<thead><tr><th scope="col">{t.session}</th><th scope="col">{t.owner}</th>
					<th scope="col">{t.state}</th><th scope="col">{t.lastEvent}</th>
					<th scope="col">{t.age}</th><th scope="col">{t.events}</th>
					<th scope="col">{t.worker}</th></tr></thead>
				<tbody>{sessions.list.map((s) => <tr key={s.number} data-session={s.id}>
					<th scope="row">{s.id ? <button type="button" class="bd-link bd-id"
						onClick={() => onInspect(s.id)}><Shown text={s.id} /></button>
						: <span class="bd-muted">{t.unnamed}</span>}</th>
					<td class="bd-id" title={s.owner}>{s.owner ? t.short(s.owner) : t.nobody}</td>
					<td><State kind={STATES[s.state] ?? "off"}>{s.waits_for
						? t.waitsFor[s.waits_for] ?? s.waits_for
						: t.sessionStates[s.state] ?? s.state}</State></td>
					<td>{s.last_event ?? "–"}{s.last_event_ms > 0 && <>{" "}
						<span class="bd-muted"><Age ms={s.last_event_ms} now={now} /></span></>}</td>
					<td><Age ms={s.created_ms} now={now} isSpan /></td>
					<td>{s.events}</td>
					<td>{s.worker ?? "–"}</td>
				</tr>)}</tbody>
			</table>
		</div>}
	</section>;
}

/** What the server does now. */
export function Now({ live, now, onInspect }) {
	const { snapshot } = live;
	if (!snapshot) return <p class="bd-empty bd-muted">{t.connecting}</p>;
	const { server } = snapshot;
	return <>
		<p class="bd-facts">
			<State kind={server.state === "ok" ? "good" : "bad"}>
				{server.state === "ok" ? t.runsWell : t.degraded}</State>
			<span class="bd-muted">co-hostd {server.version} · {t.up(server.uptime_ms)} ·{" "}
				{t.restarts(server.restarts ?? 0, server.hung ?? 0)}</span>
		</p>
		{server.reasons?.length > 0 && <ul class="bd-note bd-warn">
			{server.reasons.map((r) => <li key={r}><Shown text={r} /></li>)}</ul>}
		<div class="bd-strip">{LINES.map((name) => <Tile key={name} name={name} live={live} />)}</div>
		<Processes all={snapshot.processes} now={now} />
		<Sessions sessions={snapshot.sessions} now={now} onInspect={onInspect} />
	</>;
}
