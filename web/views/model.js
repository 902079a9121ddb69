// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// What the views show, as signals, and what they may ask for. A backend gives it what the
// server says: store/ in the page, a script in the tests of the views.
import { computed, effect, signal } from "@preact/signals";
import { t } from "./strings.js";

// A link may be cut, or typed by hand.
function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

const routeOf = ({ hash, pathname }) => {
	const place = pathname.split("/").at(-1);
	if (place === "dashboard" || place === "agents") return { name: "board", part: place };
	const [path, query = ""] = hash.slice(1).split("?");
	const [, name = "", id = ""] = path.split("/");
	if (name === "s" && id) return { name: "chat", id: decoded(id) };
	if (name === "board") return { name: "board", part: id };
	return { name: "new", text: new URLSearchParams(query).get("q") ?? "" };
};

/* Browsers refuse to change the history too often: then it stays, and the page goes on. */
function changeHistory(how, state, hash) {
	try {
		history[how](state, "", hash);
	} catch {
		// SecurityError
	}
}

const toasts = signal([]);
let lastToast = 0;

/**
 * The state of the page. chat is the open session (store/session.js), sessions the list of them
 * (store/sessions.js), prefs what this browser prefers; info and the other members of the host
 * (store/host.js) are its signals.
 */
export const model = {
	info: null,
	identity: null,
	phrase: null,
	level: null,
	isStored: null,
	error: null,
	chat: signal(null),
	sessions: null,
	prefs: null,
	route: signal({ name: "new", text: "" }),
	isSideOpen: signal(false),
	isPaneOpen: signal(false),
	dialog: signal(""),
	isOnline: signal(true),
	hasNewVersion: signal(false),
	crash: signal(null),
	toasts,
	polite: signal(""),
	urgent: signal(""),
	backend: null,
	composer: null,
	toEnd: () => {},

	/** Name of the agent. */
	agentName: computed(() => model.info.value?.name ?? "co-hostd"),

	/** Open a chat by its id. @param {string} id */
	openChat(id) {
		location.hash = `#/s/${encodeURIComponent(id)}`;
		model.isSideOpen.value = false;
	},

	/** Begin another chat. */
	newChat() {
		if (location.hash !== "#/new") changeHistory("pushState", null, "#/new");
		model.follow();
		model.isSideOpen.value = false;
		// The chat before has the field until the next frame.
		requestAnimationFrame(() => model.composer?.focus());
	},

	/** Say what was typed; a new chat gets its address now. */
	send(input) {
		const chat = model.chat.value;
		chat.send(input);
		model.toEnd();
		if (model.route.value.name === "chat") return;
		model.route.value = { name: "chat", id: chat.id };
		changeHistory("replaceState", null);
		changeHistory("pushState", null, `#/s/${encodeURIComponent(chat.id)}`);
	},

	/** Put a text into the field. @param {string} text */
	fill(text) {
		model.chat.value.draft.value = text;
		model.composer?.focus();
	},

	/** Send the prompt of a turn that failed again, as another input. @param {object} item */
	again(item) {
		const first = model.chat.value.pages.value.flat()
			.find(({ kind, turn, isRuntime }) => kind === "user" && turn === item.turn && !isRuntime);
		if (first) model.send({ prompt: first.text,
			images: first.images?.length ? first.images : undefined });
	},

	/**
	 * Show a short message.
	 * @param {string} text
	 * @param {{label: string, onChoose: Function}} [action]
	 * @param {number} [ms] how long
	 * @returns {function(): void} takes it away
	 */
	toast(text, action, ms = 5000) {
		const id = ++lastToast;
		const close = () => { toasts.value = toasts.value.filter((one) => one.id !== id); };
		toasts.value = [...toasts.value, { id, text, action, close }].slice(-3);
		setTimeout(close, ms);
		return close;
	},

	/** Follow the address of the page. */
	follow() {
		const route = routeOf(location);
		model.route.value = route;
		if (route.name === "board") return;
		const old = model.chat.peek();
		if (old && route.name === "chat" && old.id === route.id) return;
		old?.close();
		const isNew = route.name === "new";
		model.chat.value = model.backend.open(isNew ? null : route.id, history.state?.chat);
		// A reload, or a way back, finds what was typed in a chat that is not begun.
		if (isNew) changeHistory("replaceState", { chat: model.chat.value.id });
		if (route.text) model.chat.value.draft.value = route.text;
	},

	/** Begin. @param {object} backend as store/host.js */
	start(backend) {
		const { info, identity, phrase, level, isStored, error, sessions, prefs } = backend;
		Object.assign(model,
			{ backend, info, identity, phrase, level, isStored, error, sessions, prefs });
		addEventListener("hashchange", model.follow);
		addEventListener("online", () => { model.isOnline.value = true; });
		addEventListener("offline", () => { model.isOnline.value = false; });
		model.isOnline.value = navigator.onLine !== false;
		effect(() => {
			document.documentElement.dataset.theme = prefs.theme.value;
		});
		effect(() => {
			const chat = model.chat.value;
			const agent = model.agentName.value;
			const title = chat?.title.value
				? t("app.title", { agent, title: chat.title.value }) : agent;
			document.title = chat?.question.value ? t("app.waiting", { title }) : title;
		});
		watchVersion();
		model.follow();
	},
};

// A server that was restarted may bring another page. It is offered, never loaded by itself.
function watchVersion() {
	let isLost = false;
	effect(() => {
		const phase = model.chat.value?.state.value.phase;
		if (phase === "waiting") isLost = true;
		if (phase !== "ready" || !isLost) return;
		isLost = false;
		const { web } = model.info.peek() ?? {};
		model.backend.http?.info().then((info) => {
			if (web && info.web && info.web !== web) model.hasNewVersion.value = true;
		}, () => {});
	});
}

/** The one word for how things are: of the connection first, then of the turn. */
export const status = computed(() => {
	const chat = model.chat.value;
	if (!chat) return { dot: "idle", text: t("status.connecting") };
	const { phase, retryAt, isStopping } = chat.state.value;
	const turn = chat.turn.value;
	if (phase === "refused") return { dot: "failed", text: t("status.refused") };
	if (phase === "onboarding") return { dot: "waiting", text: t("status.onboarding") };
	if (!model.isOnline.value && phase !== "ready")
		return { dot: "lost", text: t("status.offline") };
	if (phase === "waiting") return { dot: "lost", text: t("status.lost"), retryAt };
	if (chat.question.value) return { dot: "waiting", text: t("status.asking") };
	if (isStopping && turn.isRunning)
		return { dot: "working", text: t("status.stopping"), isBusy: true };
	if (turn.isRunning)
		return { dot: "working", text: t("status.working", { time: "" }), since: turn.since,
			isBusy: true };
	if (phase !== "ready" && phase !== "idle")
		return { dot: "idle", text: t("status.connecting"), isBusy: true };
	return { dot: "ready", text: t("status.ready") };
});
