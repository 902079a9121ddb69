// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// One command: what it is, how it is, what it wrote, what it asks.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { pieces } from "../md/marks.js";
import { isOver } from "./ons_store.js";
import { download, Rows, State } from "./parts.jsx";
import { t } from "./strings.js";

/** The kind of dot of each state. */
export const KINDS = { sending: "wait", queued: "wait", executing: "busy", completed: "good",
	failed: "bad", cancelled: "off", refused: "bad" };

// Nobody shall approve what they cannot see.
const visibleText = (text) => pieces(text).map((p) => p.isMark ? `‹${p.text}›` : p.text).join("");

// Until ansi.js is there, and for all that is no colour.
const plain = (text) => text.replace(/\x1b\[[\d;:?]*[A-Za-z]/g, "");

let ansi = null;
const loading = import("../md/ansi.js").then((module) => {
	ansi = module.ansiNodes;
});

// One line of a terminal.
function Text({ line }) {
	const node = useRef();
	useEffect(() => {
		const text = line.sgr + line.text;
		if (ansi) node.current.replaceChildren(...ansi(text));
		else {
			node.current.textContent = plain(text);
			loading.then(() => node.current?.replaceChildren(...ansi(text)));
		}
	}, [line, line.text]);
	return <bdi ref={node} dir="auto" />;
}

const ROW = 20;

// version: that of the output, which changes in place.
function Terminal({ it, name, version, isEnded }) {
	const [isFollowing, follow] = useState(true);
	const [shown, show] = useState("both");
	const [query, find] = useState("");
	const [isLarge, enlarge] = useState(false);
	const { output } = it;
	const lines = useMemo(() => {
		if (shown === "both" && !query) return output.lines;
		const word = query.toLowerCase();
		return output.lines.filter((l) => (shown === "both" || l.stream === shown) &&
			(!word || plain(l.text).toLowerCase().includes(word)));
	}, [version, shown, query]);
	if (!output.lines.length)
		return <p class="bd-muted bd-empty">{isEnded ? t.noOutput : t.noOutputYet}</p>;
	return <>
		<div class="bd-tools">
			<button type="button" class="bd-button bd-small" aria-pressed={isFollowing}
				title={t.followHint} onClick={() => follow(!isFollowing)}>
				{isFollowing ? t.follow : t.paused}
			</button>
			<label class="bd-inline"><span class="sr-only">{t.shown}</span>
				<select value={shown} onChange={(e) => show(e.currentTarget.value)}>
					<option value="both">{t.both}</option>
					<option value="out">{t.stdout}</option>
					<option value="err">{t.stderr}</option>
				</select>
			</label>
			<input type="search" placeholder={t.find} aria-label={t.find} value={query}
				onInput={(e) => find(e.currentTarget.value)} />
			<span class="bd-muted bd-count">{t.lines(lines.length)}</span>
			<button type="button" class="bd-button bd-small" onClick={() => enlarge(!isLarge)}>
				{isLarge ? t.smaller : t.larger}
			</button>
		</div>
		{output.nDropped > 0 && <p class="bd-gap">{t.dropped(output.nDropped)}</p>}
		<Rows label={t.outputOf(it.text || name)} count={lines.length} rowHeight={ROW}
			keyOf={(i) => lines[i].n} isFollowing={isFollowing} onFollow={follow}
			class={`bd-rows bd-terminal${isLarge ? " bd-large" : ""}`}
			version={version}
			row={(i) => <span class={`bd-text bd-${lines[i].stream}` +
				(lines[i].isGap ? " bd-isgap" : "")}><Text line={lines[i]} /></span>} />
	</>;
}

// What an agent asks: in its own words if the server says no more.
function Question({ it, name, onAnswer }) {
	const q = it.question;
	const [text, write] = useState("");
	const isApproval = q.kind === "approval_needed";
	const isPlan = q.kind === "plan_review";
	const send = (event) => {
		event.preventDefault();
		if (text.trim()) onAnswer(text);
	};
	const title = isApproval ? t.mayRun(visibleText(q.tool ?? "")) : isPlan ? t.planQuestion : q.text;
	return <form class="bd-question" role="group" aria-label={`${t.asks(name)}: ${title}`}
		onSubmit={send}>
		<p><strong>{t.asks(name)}</strong></p>
		<p dir="auto">{title}</p>
		{isApproval && q.arguments && <pre tabIndex="0">
			{visibleText(JSON.stringify(q.arguments, null, 2))}</pre>}
		{isApproval && q.text && <p dir="auto">{q.text}</p>}
		{isPlan && <pre tabIndex="0" dir="auto">{visibleText(q.text)}</pre>}
		<div class="bd-choices">
			{isApproval && <button type="button" class="bd-button bd-first"
				onClick={() => onAnswer("yes")}>{t.allow}</button>}
			{isPlan && <button type="button" class="bd-button bd-first"
				onClick={() => onAnswer("Looks good, proceed")}>{t.approve}</button>}
			{(Array.isArray(q.options) ? q.options : []).map(String).map((o) => <button key={o}
				type="button" class="bd-button" dir="auto" onClick={() => onAnswer(o)}>{o}
			</button>)}
		</div>
		<label>{isApproval || isPlan ? t.why : t.answer}
			<input value={text} onInput={(e) => write(e.currentTarget.value)} dir="auto" />
		</label>
		<div class="bd-choices">
			<button class="bd-button" disabled={!text.trim()}>
				{isApproval ? t.refuse : t.answer}
			</button>
		</div>
	</form>;
}

function Times({ it, now }) {
	const since = it.startedAt || it.createdAt;
	const ms = (isOver(it.state) ? it.endedAt : now) - since;
	return it.state === "executing" || (isOver(it.state) && it.startedAt)
		? <span class="bd-muted">{t.took(Math.max(0, ms))}</span> : null;
}

/**
 * One command and its output.
 * @param {{it: object, center: object, agent: object, now: number, onHide: Function,
 *	onAgain: Function}} props
 */
export function Pane({ it, center, agent, now, onHide, onAgain }) {
	center.tick.value; // drawn again when the store has changed: it changes in place
	const name = agent?.name ?? it.agent;
	const isRunning = !isOver(it.state);
	useEffect(() => {
		if (!isRunning && !it.isMine) center.fetchOutput(it.id);
	}, [it.id]);
	const isStream = it.kind === "stream";
	return <article class={`bd-card bd-pane bd-is-${it.state}`} data-id={it.id}>
		<header>
			<h3 dir="auto" title={it.text}>{isStream ? t.stream(name) : it.text}</h3>
			<p class="bd-facts">
				{!isStream && <><span dir="auto">{name}</span>
					<State kind={KINDS[it.state] ?? "off"}>
						{isRunning && it.isCancelling ? t.cancelling : t.states[it.state]}
					</State></>}
				{it.state === "queued" && it.position > 0 &&
					<span class="bd-muted">{t.position(it.position)}</span>}
				{!isStream && <Times it={it} now={now} />}
				{it.exitCode !== null && <span class="bd-muted">{t.exit(it.exitCode)}</span>}
			</p>
			<div class="bd-buttons">
				{isRunning && !isStream && <button type="button" class="bd-button bd-small"
					disabled={it.isCancelling} onClick={() => center.cancel(it.id)}>
					{t.cancel}</button>}
				{!isRunning && it.text && <button type="button" class="bd-button bd-small"
					onClick={() => onAgain(it)}>{t.runAgain}</button>}
				{it.output.lines.length > 0 && <button type="button"
					class="bd-button bd-small" onClick={async () => download(`${it.id}.txt`,
						plain(await center.wholeOutput(it.id)), "text/plain")}>
					{t.download}</button>}
				<button type="button" class="bd-button bd-small" onClick={onHide}>
					{t.hide}</button>
			</div>
		</header>
		{it.error && <p class="bd-error" dir="auto">{it.error}</p>}
		<Terminal it={it} name={name} version={it.output.version}
			isEnded={!isRunning} />
		{it.question && <Question it={it} name={name}
			onAnswer={(text) => center.answer(it.id, text)} />}
		{it.answered && !it.question && <p class="bd-muted" dir="auto">
			{it.answered.failure ? t.notAnswered : t.answered(it.answered.text)}</p>}
	</article>;
}
