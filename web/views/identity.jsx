// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Who one is to the agent: the key of this browser, its words, what the agent's rules mean.
import { useState } from "preact/hooks";
import { shortAddress } from "./format.js";
import { model } from "./model.js";
import { CopyButton, Dialog, Icon, Shown } from "./parts.jsx";
import { hasText, t } from "./strings.js";

function Words({ words, onDone }) {
	return (
		<>
			<p><strong>{t("identity.words")}</strong></p>
			<ol class="words">{words.split(" ").map((word) => <li>{word}</li>)}</ol>
			<div class="row">
				<button type="button" class="primary" onClick={onDone}>
					{t("identity.wordsDone")}</button>
				<CopyButton text={words} label={t("identity.copyWords")} isSmall={false} />
			</div>
		</>
	);
}

// Chats of the key before are not of this one: the page begins at a new chat.
function startOver() {
	history.replaceState(null, "", "#/new");
	location.reload();
}

function NewKey({ onWords }) {
	const [isSure, setSure] = useState(false);
	const [isBusy, setBusy] = useState(false);
	const make = async () => {
		setBusy(true);
		try {
			onWords(await model.backend.makeIdentity());
		} catch (e) {
			model.toast(e.message);
		}
		setBusy(false);
	};
	return (
		<section class="stack">
			<h3>{t("identity.newTitle")}</h3>
			<p class="hint">{t("identity.newAbout")}</p>
			{isSure && <p role="alert">{t("identity.makeSure")}</p>}
			<div class="row">
				{isSure ? <>
					<button type="button" class="danger" disabled={isBusy} onClick={make}>
						{t("identity.makeYes")}</button>
					<button type="button" class="quiet" onClick={() => setSure(false)}>
						{t("composer.cancel")}</button></>
					: <button type="button" onClick={() => setSure(true)}>
						<Icon name="key" />{t("identity.make")}</button>}
			</div>
		</section>
	);
}

// The key of a first visit: its words are known until the page is closed or reloaded.
function Keep({ onWords }) {
	return (
		<section class="stack">
			<h3>{t("identity.keep")}</h3>
			<p class="hint">{t("identity.keepAbout")}</p>
			<div class="row"><button type="button" onClick={onWords}>
				<Icon name="key" />{t("identity.show")}</button></div>
		</section>
	);
}

function Import() {
	const [words, setWords] = useState("");
	const [problem, setProblem] = useState("");
	const use = async (e) => {
		e.preventDefault();
		try {
			const { address } = await model.backend.importIdentity(words);
			setWords("");
			setProblem("");
			model.toast(t("identity.imported", { address: shortAddress(address) }));
			setTimeout(startOver, 1500);
		} catch (error) {
			setProblem(t("identity.importFailed", { why: error.message }));
		}
	};
	return (
		<form class="stack" onSubmit={use}>
			<h3>{t("identity.import")}</h3>
			<p class="hint">{t("identity.importAbout")}</p>
			<label class="field"><span>{t("identity.importField")}</span>
				<textarea rows={2} value={words} spellcheck={false} autocapitalize="off"
					autocomplete="off" onInput={(e) => setWords(e.currentTarget.value)} /></label>
			{problem && <p class="bad" role="alert"><Shown text={problem} /></p>}
			<div class="row"><button type="submit" disabled={!words.trim()}>
				{t("identity.importDo")}</button></div>
		</form>
	);
}

function Appearance() {
	const { theme } = model.prefs;
	return (
		<fieldset class="row bare">
			<legend><h3>{t("identity.theme")}</h3></legend>
			{["auto", "light", "dark"].map((one) => (
				<label class="row"><input type="radio" name="theme" checked={theme.value === one}
					onChange={() => { theme.value = one; }} />{t(`identity.theme.${one}`)}</label>
			))}
		</fieldset>
	);
}

/** The dialog. */
export function Identity({ onClose }) {
	const [words, setWords] = useState("");
	const [isMade, setMade] = useState(false);
	const identity = model.identity.value;
	const trust = model.info.value?.trust;
	const level = model.level.value;
	if (words) return (
		<Dialog title={t("identity.title")}>
			<Words words={words} onDone={() => {
				model.phrase.value = null;
				if (isMade) startOver();
				setWords("");
			}} />
		</Dialog>
	);
	return (
		<Dialog title={t("identity.title")} onClose={onClose}>
			<p>{t("identity.about")}</p>
			<div class="stack">
				<h3>{t("identity.address")}</h3>
				<div class="copy-line"><code>{identity?.address ?? "…"}</code>
					{identity && <CopyButton text={identity.address} />}</div>
			</div>
			<dl class="facts">
				{level && <><dt>{t("identity.level")}</dt>
					<dd>{hasText(`identity.level.${level}`) ? t(`identity.level.${level}`)
						: level}</dd></>}
				{hasText(`identity.trust.${trust}`) && <><dt>{t("identity.trust")}</dt>
					<dd>{t(`identity.trust.${trust}`)}</dd></>}
			</dl>
			<Appearance />
			{model.phrase.value ? <Keep onWords={() => setWords(model.phrase.value)} />
				: <NewKey onWords={(made) => {
					setMade(true);
					setWords(made);
				}} />}
			<Import />
			<p><a href="#/board" onClick={onClose}>{t("identity.board")}</a></p>
		</Dialog>
	);
}
