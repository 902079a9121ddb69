// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The emergency stop: one cannot press it by mistake, and it says what it will hit.
import { useEffect, useRef, useState } from "preact/hooks";
import { Dialog } from "./parts.jsx";
import { t } from "./strings.js";

const HOLD_MS = 1000;

function Hold({ onDone }) {
	const [isHeld, hold] = useState(false);
	const timer = useRef(0);
	const begin = () => {
		if (timer.current) return;
		hold(true);
		timer.current = setTimeout(() => {
			timer.current = 0;
			hold(false);
			onDone();
		}, HOLD_MS);
	};
	const end = () => {
		clearTimeout(timer.current);
		timer.current = 0;
		hold(false);
	};
	useEffect(() => () => clearTimeout(timer.current), []);
	const key = (f) => (event) => {
		if (event.key !== " " && event.key !== "Enter") return;
		event.preventDefault();
		f();
	};
	return <button type="button" class={`bd-button bd-danger bd-hold${isHeld ? " bd-held" : ""}`}
		onPointerDown={begin} onPointerUp={end} onPointerLeave={end} onPointerCancel={end}
		onKeyDown={key(begin)} onKeyUp={key(end)} onBlur={end}
		onContextMenu={(event) => event.preventDefault()}>
		{isHeld ? t.stopHolding : t.stopHold}
	</button>;
}

/** The button and its dialog. onDone(text) says what was stopped. */
export function EmergencyStop({ center, onDone }) {
	const [isOpen, open] = useState(false);
	const [reason, setReason] = useState("");
	const [word, setWord] = useState("");
	const [failure, fail] = useState("");
	const stop = async () => {
		const done = await center.stopAll(reason.trim());
		if (!done) {
			fail(t.stopFailed);
			return;
		}
		open(false);
		onDone(t.stopDone(done));
	};
	const submit = (event) => {
		event.preventDefault();
		if (word.trim().toLowerCase() === t.stopWord) stop();
	};
	const begin = () => {
		setReason("");
		setWord("");
		fail("");
		open(true);
	};
	return <>
		<button type="button" class="bd-button bd-danger" onClick={begin}>{t.stop}</button>
		{isOpen && <Dialog title={t.stopTitle} onClose={() => open(false)}>
			<p>{t.stopReach(center.store.reach())}</p>
			<label>{t.stopReason}
				<input value={reason} maxLength="500" dir="auto"
					onInput={(e) => setReason(e.currentTarget.value)} />
			</label>
			<Hold onDone={stop} />
			<form onSubmit={submit}>
				<label>{t.stopType(t.stopWord)}
					<input value={word} autoComplete="off"
						onInput={(e) => setWord(e.currentTarget.value)} />
				</label>
			</form>
			{failure && <p class="bd-error" role="alert">{failure}</p>}
			<div class="bd-choices">
				<button type="button" class="bd-button" onClick={() => open(false)}>
					{t.cancel}</button>
			</div>
		</Dialog>}
	</>;
}
