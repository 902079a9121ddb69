// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The agents that this user may see.
import { useState } from "preact/hooks";
import { isHosted } from "./ons_store.js";
import { Age, Line, State } from "./parts.jsx";
import { t } from "./strings.js";

/** The kind of dot of each status. */
export const STATUS_KINDS = { online: "good", busy: "busy", executing: "busy", offline: "off",
	error: "bad" };

const FILTERS = ["all", "online", "busy", "offline", "error"];

function Control({ agent, center }) {
	const act = (event) => {
		const action = event.currentTarget.value;
		event.currentTarget.value = "";
		if (action === "FORGET") center.forgetAgent(agent.id);
		else if (action) center.control(agent.id, action);
	};
	const actions = isHosted(agent) ? ["STOP"] : Object.keys(t.actions);
	return <select class="bd-small" aria-label={t.control(agent.name)} value="" onChange={act}>
		<option value="">{t.controlWord}</option>
		{agent.status === "offline" ? <option value="FORGET">{t.forget}</option>
			: actions.map((a) => <option key={a} value={a}>{t.actions[a]}</option>)}
	</select>;
}

function Card({ agent, center, now, isChosen, onChoose, onCommand }) {
	center.tick.value; // drawn again when the store has changed: agents change in place
	const isAway = agent.status === "offline";
	return <li class="bd-card bd-agent" data-id={agent.id}>
		<header>
			<label class="bd-choose">
				<input type="checkbox" checked={isChosen} disabled={isAway}
					aria-label={t.choose(agent.name)} onChange={() => onChoose(agent.id)} />
				<h2 dir="auto">{agent.name}</h2>
			</label>
			<span class="bd-badge">{agent.type}</span>
		</header>
		<p><State kind={STATUS_KINDS[agent.status] ?? "off"}>
			{t.status[agent.status] ?? agent.status}</State></p>
		{agent.description && <p dir="auto">{agent.description}</p>}
		<dl>
			<dt>{t.host}</dt><dd dir="auto">{agent.host || "–"}</dd>
			<dt>{t.version}</dt><dd>{agent.version || "–"}</dd>
			<dt>{t.heartbeat}</dt><dd><Age ms={agent.seen} now={now} /></dd>
			<dt>{t.queue}</dt><dd>{t.waitingCommands(agent.queued)}</dd>
			{agent.metrics?.memoryUsage > 0 && <><dt>{t.memory}</dt>
				<dd>{Math.round(agent.metrics.memoryUsage)} MB</dd></>}
		</dl>
		<footer>
			<button type="button" class="bd-button bd-first" disabled={isAway}
				onClick={() => onCommand([agent.id])}>{t.command}</button>
			<Control agent={agent} center={center} />
		</footer>
	</li>;
}

/** The page of agents. `chosen` is a Set of ids; onCommand(ids) goes to the command centre. */
export function Agents({ center, now, chosen, onChoose, onCommand }) {
	const [query, setQuery] = useState("");
	const [filter, setFilter] = useState("all");
	const all = center.store.sortedAgents();
	const word = query.trim().toLowerCase();
	const shown = all.filter((a) => (filter === "all" || a.status === filter) && (!word ||
		`${a.name} ${a.id} ${a.type} ${a.host} ${a.description}`.toLowerCase().includes(word)));
	return <>
		<div class="bd-bar">
			<h1>{t.agents}</h1>
			<input type="search" placeholder={t.search} aria-label={t.search} value={query}
				onInput={(e) => setQuery(e.currentTarget.value)} />
			<div class="bd-tabs" role="group" aria-label={t.shown}>
				{FILTERS.map((f) => <button key={f} type="button" aria-pressed={f === filter}
					onClick={() => setFilter(f)}>
					{f === "all" ? t.all : t.status[f]}{" "}
					<span class="bd-muted">{f === "all" ? all.length
						: all.filter((a) => a.status === f).length}</span>
				</button>)}
			</div>
			{chosen.size > 0 && <button type="button" class="bd-button bd-first"
				onClick={() => onCommand([...chosen])}>{t.commandThem(chosen.size)}</button>}
		</div>
		{!all.length && <div class="bd-empty"><p>{t.noAgents}</p><p>{t.noAgentsWhat}</p>
			<Line text={t.noAgentsCommand(location.origin)} /></div>}
		{all.length > 0 && !shown.length && <p class="bd-empty bd-muted">{t.noMatch}</p>}
		<ul class="bd-grid">
			{shown.map((agent) => <Card key={agent.id} agent={agent} center={center} now={now}
				isChosen={chosen.has(agent.id)} onChoose={onChoose} onCommand={onCommand} />)}
		</ul>
	</>;
}
