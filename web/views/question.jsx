// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the agent asks: a question, permission for a tool, a review of its plan. Nothing is
// chosen by itself, and Enter never permits anything unless its button has the focus.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Markdown } from "./markdown.jsx";
import { model } from "./model.js";
import { Arguments } from "./output.jsx";
import { Icon, Shown } from "./parts.jsx";
import { t } from "./strings.js";

// One question is answered once; a lost connection does not ask again.
function useAnswer(item) {
	const [isSent, setSent] = useState(false);
	const answer = (value) => {
		setSent(true);
		// The button that has the focus goes; the focus stays with the question.
		document.activeElement?.closest(".item")?.focus({ preventScroll: true });
		model.chat.value.answer(item, value);
	};
	return [answer, isSent];
}

// Who opens a form is taken to its first field.
function useFocus(selector, isOpen = true) {
	const form = useRef();
	useEffect(() => {
		if (isOpen) form.current?.querySelector(selector)?.focus({ preventScroll: true });
	}, [isOpen]);
	return form;
}

function Waiting({ title, icon, children, isSent }) {
	const id = useId();
	return (
		<div class="card is-waiting" role="group" aria-labelledby={id}>
			<div class="row"><Icon name={icon} /><h3 id={id} class="grow">{title}</h3></div>
			{children}
			{isSent && <p class="hint" role="status">{t("ask.sending")}</p>}
		</div>
	);
}

const Record = ({ icon, children }) => (
	<div class="card record"><div class="row"><Icon name={icon} />
		<div class="grow">{children}</div></div></div>
);

const spoken = (answer) => Array.isArray(answer) ? answer.join(", ")
	: typeof answer === "string" ? answer : JSON.stringify(answer);

/** ask_user: one or several of some options, or a text. */
export function Ask({ item }) {
	const [answer, isSent] = useAnswer(item);
	const [chosen, setChosen] = useState([]);
	const [text, setText] = useState("");
	const name = useId();
	if (item.state !== "open") return (
		<Record icon="info">
			<div><Shown text={item.text} /></div>
			<div class="dim">{item.answer === undefined ? t("ask.noAnswer") : <>
				{t("ask.youSaid")}: <span class="said"><Shown text={spoken(item.answer)} /></span></>}
			</div>
		</Record>
	);
	const toggle = (option) => setChosen(!item.isMulti ? [option]
		: chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option]);
	const all = text.trim() ? [...(item.isMulti ? chosen : []), text.trim()] : chosen;
	const send = (e) => {
		e.preventDefault();
		if (all.length) answer(item.isMulti ? all : all[0]);
	};
	return (
		<Waiting icon="info" isSent={isSent}
			title={t("ask.title", { agent: model.agentName.value })}>
			<form class="choices" onSubmit={send}>
				<fieldset class="choices bare" disabled={isSent}>
					<legend><Shown text={item.text} /></legend>
					{item.options.map((option) => (
						<label key={option} class={chosen.includes(option) ? "is-on" : ""}>
							<input type={item.isMulti ? "checkbox" : "radio"} name={name}
								checked={chosen.includes(option)}
								onChange={() => toggle(option)} />
							<Shown text={option} />
						</label>
					))}
					<label class="field-line">
						<span class={item.options.length ? "hint" : "sr-only"}>
							{t(item.options.length ? "ask.otherOption" : "ask.other")}</span>
						<input type="text" value={text} dir="auto" autocomplete="off"
							placeholder={item.options.length ? "" : t("ask.other")}
							onInput={(e) => setText(e.currentTarget.value)} />
					</label>
					<div class="row"><button type="submit" class="primary" disabled={!all.length}>
						{t("ask.send")}</button></div>
				</fieldset>
			</form>
		</Waiting>
	);
}

const REFUSALS = ["reject_soft", "reject_explain", "reject_hard"];
const WORDS = { reject_soft: "approve.soft", reject_explain: "approve.explain",
	reject_hard: "approve.hard" };

function Refusal({ onRefuse, onBack, isSent }) {
	const [mode, setMode] = useState("reject_soft");
	const [feedback, setFeedback] = useState("");
	const name = useId();
	const form = useFocus("input");
	return (
		<form class="choices" ref={form} onSubmit={(e) => {
			e.preventDefault();
			onRefuse({ approved: false, mode, feedback: feedback.trim() || undefined });
		}}>
			{REFUSALS.map((one) => (
				<label key={one} class={mode === one ? "is-on" : ""}>
					<input type="radio" name={name} checked={mode === one}
						onChange={() => setMode(one)} />{t(WORDS[one])}</label>
			))}
			<label class="field"><span>{t("approve.reason")}</span>
				<textarea rows={2} dir="auto" value={feedback}
					onInput={(e) => setFeedback(e.currentTarget.value)} /></label>
			<div class="row">
				<button type="submit" class="danger" disabled={isSent}>{t("approve.refuse")}</button>
				<button type="button" class="quiet" onClick={onBack}>{t("composer.cancel")}</button>
			</div>
		</form>
	);
}

function verdict({ approved, scope, feedback, mode }) {
	const word = approved ? (scope === "session" ? "approve.allowedSession" : "approve.allowed")
		: "approve.refused";
	return [t(word), !approved && WORDS[mode] && t(WORDS[mode]), feedback].filter(Boolean).join(" – ");
}

/** approval_needed: may a tool run? */
export function Approval({ item }) {
	const [answer, isSent] = useAnswer(item);
	const [isRefusing, setRefusing] = useState(false);
	if (item.state !== "open") return (
		<Record icon="lock">
			<code class="mono"><Shown text={item.tool} /></code>{" "}
			<span class="dim">{item.answer ? <span class="said">
				<Shown text={verdict(item.answer)} /></span> : t("ask.noAnswer")}</span>
		</Record>
	);
	const isStill = isSent || isRefusing;
	return (
		<Waiting icon="lock" isSent={isSent} title={<>{t("approve.title",
			{ agent: model.agentName.value, tool: "" }).replace(/\s*\?$/, " ")}
		<code class="mono"><Shown text={item.tool} /></code>?</>}>
			{item.text && <p><Shown text={item.text} /></p>}
			<Arguments args={item.args} />
			{isRefusing
				? <Refusal onRefuse={answer} onBack={() => setRefusing(false)} isSent={isSent} />
				: <div class="row">
					<button type="button" class="primary" disabled={isStill}
						onClick={() => answer({ approved: true, scope: "once" })}>
						{t("approve.once")}</button>
					<button type="button" disabled={isStill}
						onClick={() => answer({ approved: true, scope: "session" })}>
						{t("approve.session")}</button>
					<button type="button" class="danger" disabled={isStill}
						onClick={() => setRefusing(true)}>{t("approve.no")}</button>
				</div>}
		</Waiting>
	);
}

/** plan_review: does the plan suit? */
export function Review({ item }) {
	const [answer, isSent] = useAnswer(item);
	const [isChanging, setChanging] = useState(false);
	const [changes, setChanges] = useState("");
	const focused = useFocus("textarea", isChanging);
	if (item.state !== "open") return (
		<Record icon="plan">
			<Markdown text={item.text} />
			<div class="dim">{item.answer === undefined ? t("ask.noAnswer") : <>
				{t("ask.youSaid")}: <span class="said"><Shown text={spoken(item.answer)} /></span></>}
			</div>
		</Record>
	);
	return (
		<Waiting icon="plan" title={t("review.title")} isSent={isSent}>
			<Markdown text={item.text} />
			{isChanging ? (
				<form class="choices" ref={focused} onSubmit={(e) => {
					e.preventDefault();
					if (changes.trim()) answer(changes.trim());
				}}>
					<label class="field"><span>{t("review.changes")}</span>
						<textarea rows={3} dir="auto" value={changes}
							onInput={(e) => setChanges(e.currentTarget.value)} /></label>
					<div class="row">
						<button type="submit" class="primary" disabled={isSent || !changes.trim()}>
							{t("review.send")}</button>
						<button type="button" class="quiet" onClick={() => setChanging(false)}>
							{t("composer.cancel")}</button>
					</div>
				</form>
			) : (
				<div class="row">
					<button type="button" class="primary" disabled={isSent}
						onClick={() => answer(t("review.message"))}>{t("review.approve")}</button>
					<button type="button" disabled={isSent} onClick={() => setChanging(true)}>
						{t("review.change")}</button>
				</div>
			)}
		</Waiting>
	);
}

/** What a waiting question is about, for the bar above the composer. */
export function questionLine(item) {
	if (item.kind === "approval") return t("approve.bar", { tool: item.tool });
	return item.kind === "review" ? t("review.bar") : item.text;
}
