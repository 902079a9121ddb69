// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The command centre: who, what, and what became of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { STATUS_KINDS } from "./ons_agents.jsx";
import { isOver } from "./ons_store.js";
import { KINDS, Pane } from "./ons_pane.jsx";
import { Age, State } from "./parts.jsx";
import { t } from "./strings.js";

const MAX_PANES = 12;

function Choice({ agents, chosen, onChoose }) {
	return <fieldset class="bd-choice">
		<legend>{t.toWhom}</legend>
		{agents.map((a) => <label key={a.id} class={a.status === "offline" ? "bd-muted" : ""}>
			<input type="checkbox" checked={chosen.has(a.id)}
				disabled={a.status === "offline" && !chosen.has(a.id)}
				onChange={() => onChoose(a.id)} />
			<span dir="auto">{a.name}</span>
			<State kind={STATUS_KINDS[a.status] ?? "off"}>{t.status[a.status] ?? a.status}</State>
		</label>)}
		{!agents.length && <p class="bd-muted">{t.noAgents}</p>}
	</fieldset>;
}

function Composer({ center, agents, chosen, onChoose, draft, onDraft }) {
	const [options, setOptions] = useState({ priority: "normal", minutes: 5, dir: "" });
	const [complaint, complain] = useState("");
	const field = useRef();
	useEffect(() => {
		if (draft) field.current?.focus();
	}, [draft]);
	const set = (key) => (event) => setOptions({ ...options, [key]: event.currentTarget.value });
	const run = (event) => {
		event?.preventDefault();
		const text = field.current.value.trim();
		if (!text || !chosen.size) {
			complain(text ? t.chooseFirst : t.writeFirst);
			return;
		}
		complain("");
		center.run([...chosen], text, { priority: options.priority,
			timeLimitMs: Math.max(1, Math.round(options.minutes * 60000)),
			dir: options.dir.trim() });
		field.current.value = "";
		onDraft("");
	};
	const onKey = (event) => {
		if (event.key === "Enter" && !event.shiftKey && !event.isComposing &&
				matchMedia("(pointer: fine)").matches) run(event);
	};
	return <form class="bd-card bd-composer" onSubmit={run}>
		<Choice agents={agents} chosen={chosen} onChoose={onChoose} />
		<div class="bd-write">
			<label>{t.what}
				<textarea ref={field} rows="3" dir="auto" defaultValue={draft} key={draft}
					onKeyDown={onKey} />
			</label>
			<div class="bd-tools">
				<label class="bd-inline">{t.priority}
					<select value={options.priority} onChange={set("priority")}>
						{Object.entries(t.priorities).map(([k, v]) =>
							<option key={k} value={k}>{v}</option>)}
					</select>
				</label>
				<label class="bd-inline">{t.timeLimit}
					<input type="number" min="0.1" max="1440" step="any" value={options.minutes}
						onInput={set("minutes")} />
					<span>{t.minutes}</span>
				</label>
				<label class="bd-inline bd-dir">{t.dir}
					<input value={options.dir} placeholder={t.dirHint} onInput={set("dir")} />
				</label>
				<button class="bd-button bd-first">{t.run}</button>
			</div>
			<p class="bd-error" role="alert">{complaint}</p>
		</div>
	</form>;
}

function Queue({ center, agentOf }) {
	center.tick.value; // drawn again when the store has changed
	const waiting = center.store.running().filter((c) => c.state === "queued" ||
		c.state === "sending");
	return <section class="bd-card bd-queue" aria-label={t.queueTitle}>
		<h2>{t.queueTitle} <span class="bd-muted">{waiting.length || ""}</span></h2>
		{!waiting.length && <p class="bd-muted">{t.queueEmpty}</p>}
		<ul>{waiting.map((c) => <li key={c.id}>
			<span class="bd-cut" dir="auto" title={c.text}>{c.text}</span>
			<span class="bd-muted"><span dir="auto">{agentOf(c)?.name ?? c.agent}</span>{" · "}
				{t.priorities[c.priority] ?? c.priority} {t.position(c.position)}</span>
			<button type="button" class="bd-button bd-small" disabled={c.isCancelling}
				aria-label={`${t.cancel}: ${c.text}`} onClick={() => center.cancel(c.id)}>
				{t.cancel}</button>
		</li>)}</ul>
	</section>;
}

function Earlier({ all, agentOf, now, onShow }) {
	if (!all.length) return null;
	return <section class="bd-card bd-earlier" aria-label={t.earlier}>
		<h2>{t.earlier}</h2>
		<ul>{all.map((c) => <li key={c.id}>
			<button type="button" class="bd-link" dir="auto" onClick={() => onShow(c.id)}>
				{c.text || c.id}</button>
			<span class="bd-muted"><span dir="auto">{agentOf(c)?.name ?? c.agent}</span>{" · "}
				<Age ms={c.createdAt} now={now} /></span>
			<State kind={KINDS[c.state] ?? "off"}>{t.states[c.state] ?? c.state}</State>
		</li>)}</ul>
	</section>;
}

/** The page of the command centre. */
export function CommandCenter({ center, now, chosen, onChoose }) {
	const [draft, setDraft] = useState("");
	const [view, setView] = useState({ hidden: new Set(), opened: new Set() });
	const { store } = center;
	const agentOf = (c) => store.agents.get(c.agent);
	const change = (f) => {
		const next = { hidden: new Set(view.hidden), opened: new Set(view.opened) };
		f(next);
		setView(next);
	};
	const all = [...store.commands.values()].reverse();
	const isShown = (c) => !view.hidden.has(c.id) && (view.opened.has(c.id) || !isOver(c.state) ||
		c.isMine);
	const panes = all.filter((c) => isShown(c) && (c.kind === "command" || c.output.lines.length))
		.slice(0, MAX_PANES);
	const shownIds = new Set(panes.map((c) => c.id));
	return <>
		<h1 class="sr-only">{t.center}</h1>
		<Composer center={center} agents={store.sortedAgents()} chosen={chosen}
			onChoose={onChoose} draft={draft} onDraft={setDraft} />
		<div class="bd-columns">
			<section class="bd-panes" aria-label={t.outputs}>
				{!panes.length && <p class="bd-empty bd-muted">{t.noCommands}</p>}
				{panes.map((c) => <Pane key={c.id} it={c} center={center} agent={agentOf(c)}
					now={now} version={c.output.version}
					onAgain={(it) => {
						if (it.agent && !chosen.has(it.agent)) onChoose(it.agent);
						setDraft(it.text);
					}}
					onHide={() => change((v) => {
						v.hidden.add(c.id);
						v.opened.delete(c.id);
					})} />)}
			</section>
			<div class="bd-side">
				<Queue center={center} agentOf={agentOf} />
				<Earlier all={all.filter((c) => c.kind === "command" && !shownIds.has(c.id))}
					agentOf={agentOf} now={now} onShow={(id) => change((v) => {
						v.hidden.delete(id);
						v.opened.add(id);
					})} />
			</div>
		</div>
	</>;
}
