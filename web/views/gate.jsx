// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Before one is let in: a code, or why not and what a person can do about it.
import { signal } from "@preact/signals";
import { duration } from "./format.js";
import { model } from "./model.js";
import { CopyButton, Shown } from "./parts.jsx";
import { t } from "./strings.js";

function Address() {
	const address = model.identity.value?.address ?? "";
	return (
		<div class="copy-line"><code>{address}</code>
			<CopyButton text={address} label={t("gate.copyAddress")} /></div>
	);
}

// A line that breaks takes the form away, and must not take what was typed.
const typed = signal("");

function Code({ chat }) {
	const code = typed.value;
	const { onboard, why } = chat.state.value;
	const agent = model.agentName.value;
	const methods = onboard?.methods ?? [];
	return (
		<div class="gate">
			<h2>{t("gate.code")}</h2>
			<p>{t("gate.codeAbout", { agent })}</p>
			<form class="choices" onSubmit={(e) => {
				e.preventDefault();
				if (code.trim()) chat.onboard({ code: code.trim() });
			}}>
				<label class="field"><span>{t("gate.codeField")}</span>
					<input value={code} autocomplete="one-time-code" autocapitalize="off"
						spellcheck={false} onInput={(e) => { typed.value = e.currentTarget.value; }} /></label>
				{why && <p class="bad" role="alert"><Shown text={why.message} /></p>}
				<div class="row"><button type="submit" class="primary" disabled={!code.trim()}>
					{t("gate.codeDo")}</button></div>
			</form>
			{methods.includes("payment") && onboard.payment_address && <>
				<p>{t("gate.payAbout", { amount: onboard.payment_amount })}</p>
				<div class="copy-line"><code>{onboard.payment_address}</code>
					<CopyButton text={onboard.payment_address} /></div></>}
			<p class="hint">{t("identity.address")}:</p>
			<Address />
		</div>
	);
}

const REASONS = {
	forbidden: ["gate.refused", "gate.refusedAbout", true],
	blocked: ["gate.blocked", "gate.blockedAbout", true],
	held: ["gate.refused", "gate.refusedAbout", true],
	clock: ["gate.clock", "gate.clockAbout", false],
	seal: ["gate.seal", "gate.sealAbout", false],
	gone: ["gate.gone", "gate.goneAbout", false],
	deleted: ["gate.deleted", "gate.deletedAbout", false],
};

// Reasons that the page found itself, not the server.
const OURS = new Set(["gone", "deleted"]);

function Refused({ chat }) {
	const { why, aheadMs } = chat.state.value;
	const agent = model.agentName.value;
	const [title, about, hasAddress] = REASONS[why?.word] ?? ["gate.other", "", false];
	return (
		<div class="gate">
			<h2>{t(title, { agent })}</h2>
			{about && <p>{t(about, { agent, time: duration(Math.abs(aheadMs ?? 0)) })}</p>}
			{hasAddress && <Address />}
			{why?.message && !OURS.has(why.word) && <p class="hint">
				<Shown text={t("gate.said", { message: why.message })} /></p>}
			<div class="row"><button type="button" class="primary" onClick={() => chat.retry()}>
				{t("gate.retry")}</button></div>
		</div>
	);
}

/** @param {{chat: object}} props a session whose phase is onboarding or refused */
export const Gate = ({ chat }) => (
	<div class="scroll" tabIndex={0} role="region" aria-label={model.agentName.value}>
		{chat.state.value.phase === "onboarding" ? <Code chat={chat} /> : <Refused chat={chat} />}
	</div>
);
