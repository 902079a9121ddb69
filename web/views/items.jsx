// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The items of a transcript (store/items.js), one view for each kind.
import { Component } from "preact";
import { useState } from "preact/hooks";
import { isImage } from "../md/links.js";
import { count, duration, price } from "./format.js";
import { Markdown } from "./markdown.jsx";
import { model } from "./model.js";
import { Arguments, LongText, Output, Pre, summaryOf, toolIcon } from "./output.jsx";
import { CopyButton, Icon, Shown, Time } from "./parts.jsx";
import { Approval, Ask, Review } from "./question.jsx";
import { hasText, t } from "./strings.js";

/** A <details> whose inside is made when it is opened. */
function Fold({ class: name = "step", summary, children, isOpen: isOpenFirst = false }) {
	const [isOpen, setOpen] = useState(isOpenFirst);
	return (
		<details class={name} open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
			<summary>{summary}</summary>
			{isOpen && <div class="inside">{children()}</div>}
		</details>
	);
}

const Chevron = () => <span class="chevron"><Icon name="chevron" /></span>;

function Pictures({ images }) {
	if (!images?.length) return null;
	return (
		<div class="thumbs">
			{images.map((image) => isImage(image)
				? <img src={image} alt="" />
				: <span class="file-chip"><Icon name="image" />{t("item.badImage")}</span>)}
		</div>
	);
}

function Files({ files }) {
	if (!files?.length) return null;
	return (
		<div class="thumbs">
			{files.map((file) => (
				<span class="file-chip"><Icon name="file" />
					<span class="cut"><Shown text={file.name ?? file.path ?? file} /></span></span>
			))}
		</div>
	);
}

// Characters of an address.
const URL_SHOWN = 200;

const RUNTIME = { waiting: "item.runtimeWaits", dropped: "item.dropped" };

function User({ item }) {
	return (
		<>
			<h2 class="sr-only">{t("item.you")}</h2>
			<div class="bubble">
				<Pictures images={item.images} />
				<LongText text={item.text} />
			</div>
			<div class="under is-mine">
				<span class="on-hover row">
					<Time ts={item.ts} />
					<CopyButton text={item.text} />
					<button type="button" class="quiet small"
						onClick={() => model.fill(item.text)}>
						<Icon name="again" />{t("item.again")}</button>
				</span>
				{item.isRuntime && <span>{t(RUNTIME[item.state] ?? "item.runtime")}</span>}
			</div>
		</>
	);
}

/** What was written and not acknowledged yet. */
export function Unsent({ input, isConnected, onTakeBack }) {
	const reason = input.why
		? t("item.notSent", { why: input.why.message || input.why.word })
		: t(isConnected ? "item.sending" : "item.queued");
	return (
		<div class="item">
			<div class="bubble is-queued">
				<Pictures images={input.images} />
				<Files files={input.files} />
				<div dir="auto">{input.prompt}</div>
			</div>
			<div class="under is-mine">
				<span>{reason}</span>
				{(!isConnected || input.why) && <button type="button" class="quiet small"
					onClick={onTakeBack}>{t("item.takeBack")}</button>}
			</div>
		</div>
	);
}

function Agent({ item }) {
	return (
		<>
			<h2 class="sr-only">{t("item.agent", { agent: model.agentName.value })}</h2>
			<Markdown text={item.text} isGrowing={item.isStreaming} />
			{!item.isStreaming && (
				<div class="under">
					<span class="row"><CopyButton text={item.text} />
						<span class="on-hover"><Time ts={item.ts} /></span></span>
				</div>
			)}
		</>
	);
}

function Thinking({ item }) {
	return (
		<Fold summary={<><Icon name="thought" />
			<span class="name">{t("item.thinking")}</span>
			<span class="summary cut">{item.text.replace(/\s+/g, " ").slice(0, 160)}</span>
			<span class="time">{t("item.characters", { n: item.text.length })}</span>
			<Chevron /></>}>
			{() => <LongText class="thought" text={item.text} />}
		</Fold>
	);
}

// Class and word of each state.
const STATES = {
	running: ["is-running", "item.running"], success: ["", "item.ok"],
	error: ["is-failed", "item.failed"], blocked: ["is-failed", "item.blocked"],
	stopped: ["is-failed", "item.stopped"],
};

const textOf = (value) => typeof value === "string" ? value
	: value === undefined || value === null ? "" : JSON.stringify(value, null, 2);

function Tool({ item }) {
	const { status } = item;
	const [name, word] = STATES[status] ?? STATES.success;
	return (
		<Fold summary={<><Icon name={toolIcon(item.name)} />
			<span class="name cut"><Shown text={item.name} /></span>
			<span class="summary cut"><Shown text={item.summary || summaryOf(item.args)} /></span>
			{item.ms > 0 && <span class="time">{duration(item.ms)}</span>}
			<span class={`state ${name}`}>{t(word)}</span>
			<Chevron /></>}>
			{() => <>
				<Arguments args={item.args} />
				{status !== "running" && <div><h4>{t("item.result")}</h4>
					<Output text={textOf(item.result)} /></div>}
				<Fold class="raw" summary={t("item.raw")}>
					{() => <Pre text={JSON.stringify(item, null, 2).slice(0, 64 * 1024)}
						label={t("item.raw")} />}
				</Fold>
			</>}
		</Fold>
	);
}

const PLAN = {
	completed: { sign: "✓", name: "is-done", word: "item.planDone" },
	in_progress: { sign: "▸", name: "is-now", word: "item.planNow" },
	pending: { sign: "○", name: "", word: "item.planOpen" },
};

const planState = (entry) => PLAN[entry.status] ?? PLAN.pending;
const planDone = (entries) => entries.filter((entry) => entry.status === "completed").length;

/** The steps of a plan, with their states. */
function PlanSteps({ entries }) {
	return (
		<div class="plan"><ul>
			{entries.map((entry) => {
				const { sign, name, word } = planState(entry);
				return (
					<li class={name}>
						<span class="sign" aria-hidden="true">{sign}</span>
						<span><Shown text={entry.content} />
							<span class="sr-only"> – {t(word)}</span></span>
					</li>
				);
			})}
		</ul></div>
	);
}

/** How far a plan is. */
function PlanProgress({ entries }) {
	const done = planDone(entries);
	return (
		<>
			<progress max={entries.length || 1} value={done} aria-label={t("item.plan")} />
			<span class="time">{t("item.planProgress", { done, n: entries.length })}</span>
		</>
	);
}

/** The plan of the running turn, below the bar. */
export function PinnedPlan({ item }) {
	const now = item.entries.find((entry) => entry.status === "in_progress") ??
		item.entries.find((entry) => entry.status !== "completed");
	return (
		<div class="pinned"><div class="measure">
			<Fold summary={<><Icon name="plan" />
				<span class="summary cut"><Shown text={now?.content ?? t("item.plan")} /></span>
				<PlanProgress entries={item.entries} /><Chevron /></>}>
				{() => <PlanSteps entries={item.entries} />}
			</Fold>
		</div></div>
	);
}

function Plan({ item }) {
	return (
		<div class="card">
			<div class="row"><Icon name="plan" /><h3 class="grow">{t("item.plan")}</h3>
				<PlanProgress entries={item.entries} /></div>
			<PlanSteps entries={item.entries} />
		</div>
	);
}

// An image from elsewhere is never fetched; its address is said.
const NoImage = ({ url }) => (
	<p class="hint">{t("item.badImage")} {/^https?:/.test(url) &&
		<code class="mono"><Shown text={url.slice(0, URL_SHOWN)} /></code>}</p>
);

function Image({ item }) {
	return (
		<div class="picture-box">
			{isImage(item.image) ? <img src={item.image} alt={t("item.image")} />
				: <NoImage url={item.image} />}
		</div>
	);
}

function FilesItem({ item }) {
	return (
		<>
			<p class="hint">{t("item.files", { n: item.files.length })}</p>
			<Files files={item.files} />
		</>
	);
}

function Terminal({ item }) {
	return <Output text={item.text} />;
}

function Failure({ item }) {
	const reason = hasText(`reason.${item.reason}`) ? t(`reason.${item.reason}`) : "";
	return (
		<div class="card is-bad" role="group" aria-label={t("item.error")}>
			<div class="row"><Icon name="warn" /><h3>{t("item.error")}</h3></div>
			<p><Shown text={item.message || reason || item.reason} /></p>
			{item.message && reason && <p class="hint">{reason}</p>}
			<div class="row">
				<button type="button" onClick={() => model.again(item)}>
					<Icon name="again" />{t("item.tryAgain")}</button>
			</div>
		</div>
	);
}

function noteText(item) {
	if (item.what === "missed")
		return item.missed ? t("item.missed", { n: item.missed }) : t("item.missedSome");
	const key = `note.${item.what}.${item.status}`;
	const word = hasText(key) ? t(key) : hasText(`note.${item.what}`) ? t(`note.${item.what}`)
		: item.what;
	return item.text ? `${word}: ${item.text}` : word;
}

const Note = ({ item }) => <div class="divider"><span><Shown text={noteText(item)} /></span></div>;

/** Under a turn: how long it took, what it cost. */
function End({ item }) {
	const { total = 0, cost = 0 } = item.usage ?? {};
	const facts = [
		item.ms >= 1000 && duration(item.ms),
		total > 0 && t("item.cost", { tokens: count(total) }),
		cost > 0 && price(cost),
		item.contextPercent > 0 && t("item.context", { n: Math.round(item.contextPercent) }),
	].filter(Boolean);
	return facts.length ? <div class="under">{facts.join(" · ")}</div> : null;
}

function Unknown({ item, isBroken }) {
	return (
		<Fold summary={<><Icon name="info" />
			<span class="summary cut"><Shown text={isBroken ? t("item.broken")
				: t("item.unknown", { type: item.row?.type ?? item.kind })} /></span>
			<Chevron /></>}>
			{() => <Pre text={JSON.stringify(item.row ?? item, null, 2).slice(0, 64 * 1024)}
				label={t("item.raw")} />}
		</Fold>
	);
}

const VIEWS = {
	user: User, agent: Agent, thinking: Thinking, tool: Tool, plan: Plan, image: Image,
	files: FilesItem, terminal: Terminal, error: Failure, note: Note, end: End, unknown: Unknown,
	question: Ask, approval: Approval, review: Review,
};
const STEPS = new Set(["thinking", "tool", "unknown"]);

/** Whether an item is one line among others. */
export const isStep = (item) => STEPS.has(item.kind);

/** What names an item in the page. @param {object} item @returns {string} */
export const keyOf = (item) => `${item.turn}:${item.key}`;

/** One item. What an agent sent can be anything: a view that fails shows its JSON. */
export class Item extends Component {
	static getDerivedStateFromError = () => ({ hasFailed: true });

	componentDidUpdate({ item }) {
		if (this.state.hasFailed && item !== this.props.item) this.setState({ hasFailed: false });
	}

	render({ item }, { hasFailed }) {
		const View = hasFailed ? Unknown : VIEWS[item.kind] ?? Unknown;
		return (
			<div class={`item ${isStep(item) ? "is-step" : ""}`} data-key={keyOf(item)}
				tabIndex={-1}>
				<View item={item} isBroken={hasFailed} />
			</div>
		);
	}
}

/** Several finished steps as one line. */
export function Run({ items }) {
	const tools = items.filter((item) => item.kind === "tool");
	const ms = tools.reduce((sum, item) => sum + (item.ms || 0), 0);
	const failed = tools.filter((item) => item.status !== "success").length;
	return (
		<div class="item is-step" tabIndex={-1}>
			<Fold summary={<><Icon name="tool" />
				<span class="summary cut">{t("item.steps", { n: items.length })}</span>
				{failed > 0 && <span class="state is-failed">
					{t("item.failedSteps", { n: failed })}</span>}
				{ms > 0 && <span class="time">{duration(ms)}</span>}
				<Chevron /></>}>
				{() => items.map((item) => <Item key={keyOf(item)} item={item} />)}
			</Fold>
		</div>
	);
}
