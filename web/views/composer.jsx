// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Where one writes: the field, what is attached, the mode, send and stop.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { membersOf, take } from "./attach.js";
import { size } from "./format.js";
import { keyOf } from "./items.jsx";
import { model } from "./model.js";
import { Icon, IconButton, Menu, Shown } from "./parts.jsx";
import { questionLine } from "./question.jsx";
import { hasText, t } from "./strings.js";

const hasKeyboard = () => !matchMedia("(pointer: coarse)").matches;
const canSize = CSS.supports("field-sizing", "content");

function fit(field) {
	if (canSize || !field) return;
	field.style.height = "auto";
	field.style.height = `${field.scrollHeight}px`;
}

function Chips({ attached, onRemove }) {
	if (!attached.length) return null;
	return (
		<ul class="chips" aria-label={t("composer.files")}>
			{attached.map((one) => (
				<li class="chip" key={one.url}>
					{one.isImage ? <img src={one.url} alt="" /> : <Icon name="file" />}
					<span class="cut"><Shown text={one.name} /></span>
					<span class="dim">{size(one.size)}</span>
					<IconButton icon="close" class="small" onClick={() => onRemove(one)}
						label={t("composer.remove", { name: one.name })} />
				</li>
			))}
		</ul>
	);
}

const modeText = (mode) => hasText(`mode.${mode}`) ? t(`mode.${mode}`) : mode;

function Modes({ chat, isRunning }) {
	const { modes, mode, turnsLeft } = chat.state.value;
	const all = modes.map((one) => one.id);
	if (all.length < 2 || !mode) return null;
	const left = turnsLeft ? ` (${t("mode.left", { n: turnsLeft })})` : "";
	return (
		<Menu label={t("composer.mode", { mode: modeText(mode) })} class="quiet small"
			button={<>{modeText(mode)}{left}</>} isDisabled={isRunning}
			choices={all.map((one) => ({
				label: modeText(one),
				hint: hasText(`mode.${one}.about`) ? t(`mode.${one}.about`) : undefined,
				isChecked: one === mode,
				onChoose: () => chat.setMode(one),
			}))} />
	);
}

// Text that is written while a question waits: for the question, or beside it?
function Choice({ onAnswer, onAdd, onCancel }) {
	const first = useRef();
	useEffect(() => first.current.focus(), []);
	return (
		<div class="waiting-bar" role="group" aria-label={t("composer.answerOrAdd")}>
			<span class="grow">{t("composer.answerOrAdd")}</span>
			<button type="button" class="small" ref={first} onClick={onAnswer}>
				{t("composer.asAnswer")}</button>
			<button type="button" class="small" onClick={onAdd}>{t("composer.asAddition")}</button>
			<button type="button" class="quiet small" onClick={onCancel}>
				{t("composer.cancel")}</button>
		</div>
	);
}

function WaitingBar({ item }) {
	return (
		<div class="waiting-bar">
			<span class="grow cut"><Shown text={t("ask.bar", { what: questionLine(item) })} /></span>
			<button type="button" class="small" onClick={() => {
				const card = document.querySelector(`[data-key="${CSS.escape(keyOf(item))}"]`);
				card?.scrollIntoView({ block: "center" });
				card?.querySelector("input, button")?.focus({ preventScroll: true });
			}}>{t("ask.jump")}</button>
		</div>
	);
}

function StopButton({ chat }) {
	const { isStopping } = chat.state.value;
	return (
		<button type="button" onClick={() => chat.interrupt()} disabled={isStopping}>
			<Icon name="stop" />
			<span>{t(isStopping ? "composer.stopping" : "composer.stop")}</span>
		</button>
	);
}

function useDrop(onFiles) {
	const [isOver, setOver] = useState(false);
	const hasFiles = (e) => e.dataTransfer?.types.includes("Files");
	useEffect(() => {
		const over = (e) => {
			if (!hasFiles(e)) return;
			e.preventDefault();
			setOver(true);
		};
		const leave = (e) => !e.relatedTarget && setOver(false);
		const drop = (e) => {
			setOver(false);
			if (!hasFiles(e)) return;
			e.preventDefault();
			onFiles.current(e.dataTransfer.files);
		};
		addEventListener("dragover", over);
		addEventListener("dragleave", leave);
		addEventListener("drop", drop);
		return () => {
			removeEventListener("dragover", over);
			removeEventListener("dragleave", leave);
			removeEventListener("drop", drop);
		};
	}, []);
	return isOver;
}

/** @param {{chat: object}} props the open session */
export function Composer({ chat }) {
	const field = useRef();
	const picker = useRef();
	const [attached, setAttached] = useState([]);
	const [problem, setProblem] = useState("");
	const [isAsking, setAsking] = useState(false);
	const turn = chat.turn.value;
	const question = chat.question.value;
	const text = chat.draft.value;
	const refusal = chat.problem.value;
	const agent = model.agentName.value;

	useLayoutEffect(() => {
		model.composer = field.current;
		fit(field.current);
	});

	/* Who opens an empty chat is about to write; the keyboard of a phone would cover it. */
	useEffect(() => {
		if (hasKeyboard() && chat.isNew.value && document.activeElement === document.body)
			field.current.focus();
	}, []);

	const add = useRef();
	add.current = async (files) => {
		const { taken, problem: why } = await take(attached, files, model.info.value);
		setAttached((now) => [...now, ...taken]);
		setProblem(why);
	};
	const isOver = useDrop(add);

	const clear = () => {
		chat.draft.value = "";
		setAttached([]);
		setProblem("");
		setAsking(false);
	};
	const say = () => {
		try {
			model.send({ prompt: text.trim(), ...membersOf(attached) });
			clear();
		} catch (e) {
			setProblem(e.message);
		}
	};
	const send = (e) => {
		e?.preventDefault();
		if (!text.trim() && !attached.length) return;
		if (turn.isRunning && attached.length) return setProblem(t("composer.filesWait"));
		if (question?.kind === "question" && turn.isRunning) return setAsking(true);
		say();
	};
	const onKeyDown = (e) => {
		if (e.key !== "Enter" || e.shiftKey || e.isComposing || !hasKeyboard()) return;
		e.preventDefault();
		send();
	};
	const onPaste = (e) => {
		const { files } = e.clipboardData;
		if (!files.length || e.clipboardData.types.includes("text/plain")) return;
		e.preventDefault();
		add.current(files);
	};
	const answer = () => {
		chat.answer(question, question.isMulti ? [text.trim()] : text.trim());
		clear();
	};

	return (
		<div class="measure">
			{isAsking && question
				? <Choice onAnswer={answer} onAdd={say} onCancel={() => {
					setAsking(false);
					field.current.focus();
				}} />
				: question && <WaitingBar item={question} />}
			<form class={`composer ${isOver ? "is-over" : ""}`} onSubmit={send}>
				<Chips attached={attached} onRemove={(one) => {
					setAttached(attached.filter((other) => other !== one));
					setProblem("");
				}} />
				<textarea id="field" ref={field} rows={1} value={text} dir="auto"
					aria-label={t("composer.label", { agent })} enterkeyhint="enter"
					placeholder={isOver ? t("composer.drop")
						: t(turn.isRunning ? "composer.placeholderRunning" : "composer.placeholder",
							{ agent })}
					onInput={(e) => { chat.draft.value = e.currentTarget.value; }}
					onKeyDown={onKeyDown} onPaste={onPaste} />
				{(problem || refusal) && <p class="problem" role="alert">
					<Shown text={problem || refusal.message} /></p>}
				<div class="tools">
					<IconButton icon="clip" label={t("composer.attach")}
						onClick={() => picker.current.click()} />
					<input type="file" multiple hidden ref={picker} onChange={(e) => {
						add.current([...e.currentTarget.files]);
						e.currentTarget.value = "";
					}} />
					<Modes chat={chat} isRunning={turn.isRunning} />
					<span class="grow" />
					{turn.isRunning && <StopButton chat={chat} />}
					<button type="submit" class="primary icon-only"
						disabled={!text.trim() && !attached.length}
						aria-label={t(turn.isRunning ? "composer.add" : "composer.send")}
						title={t(turn.isRunning ? "composer.add" : "composer.send")}>
						<Icon name={turn.isRunning ? "plus" : "send"} />
					</button>
				</div>
			</form>
			<p class="hint keys">{t("composer.keys")}</p>
		</div>
	);
}
