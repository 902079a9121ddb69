// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The operator's board, for admins: #/board/PLACE, and #/board/session/ID for the inspector.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Http } from "../oip/http.js";
import { watch } from "./admin.js";
import { Inspector } from "./op_inspect.jsx";
import { Live } from "./live.js";
import { Logs } from "./op_logs.jsx";
import { Now } from "./op_now.jsx";
import { People } from "./op_people.jsx";
import { Settings } from "./op_settings.jsx";
import { Line, State, useNow } from "./parts.jsx";
import { t } from "./strings.js";

const PLACES = ["now", "logs", "people", "settings"];

// {place, id} of "#/board/...".
function placeOf(hash) {
	const [, , place = "", id = ""] = hash.split("/");
	if (place === "session" && id) return { place: "now", id: decodeURIComponent(id) };
	return { place: PLACES.includes(place) ? place : "now", id: "" };
}

// Requests in the name of this browser; null until it has an identity.
function useHttp(identity) {
	const [state, set] = useState({ http: null, info: null, error: "" });
	useEffect(() => {
		if (!identity) return undefined;
		let isOver = false;
		const http = new Http({ base: new URL(".", document.baseURI).href.replace(/\/$/, ""), identity });
		const ask = () => http.info().then((info) => {
			if (!isOver) set({ http, info, error: "" });
		}, (e) => {
			if (isOver) return;
			set({ http: null, info: null, error: e.message });
			setTimeout(ask, 2000);
		});
		ask();
		return () => {
			isOver = true;
		};
	}, [identity]);
	return state;
}

// The stream of snapshots: {live, tick, phase, error}.
function useLive(http) {
	const live = useMemo(() => new Live(), [http]);
	const [state, set] = useState({ tick: 0, phase: "opening", error: null });
	useEffect(() => http ? watch(http, "/admin/live", ({ data }) => {
		if (live.take(data)) set((old) => ({ tick: old.tick + 1, phase: "ready", error: null }));
	}, (error) => set((old) => ({ ...old, error,
		phase: error.status === 403 ? "refused" : "waiting" }))) : undefined, [http]);
	return { live, ...state };
}

function NotAdmin({ identity, error }) {
	return <section class="bd-card bd-signin" aria-label={t.notAdmin}>
		<h1>{t.notAdmin}</h1>
		<p>{t.notAdminWhy}</p>
		<Line text={`echo ${identity.address} >> .co/admins.txt`} />
		<p class="bd-muted">{t.notAdminThen}</p>
		{error && error.status !== 403 && <p class="bd-error">{t.failed(error.message)}</p>}
	</section>;
}

const PHASES = { opening: "wait", ready: "good", waiting: "bad", refused: "off" };

/** The board. `model` is that of views/: its identity is this browser's. */
export function Operator({ model }) {
	const identity = model.identity.value;
	const { http, info, error } = useHttp(identity);
	const { live, tick, phase, error: refusal } = useLive(http);
	const [{ place, id }, setPlace] = useState(placeOf(location.hash));
	const now = useNow();
	useEffect(() => {
		const onHash = () => setPlace(placeOf(location.hash));
		addEventListener("hashchange", onHash);
		document.title = `${t.board} · ${t.name}`;
		return () => removeEventListener("hashchange", onHash);
	}, []);
	const inspect = (session) => {
		location.hash = `#/board/session/${encodeURIComponent(session)}`;
	};
	// The server's clock, by which the times of snapshots are.
	const serverNow = now + (http?.aheadMs ?? 0);
	return <div class="bd">
		<header class="bd-top">
			<strong class="bd-name">{info?.name ?? t.name}</strong>
			<nav aria-label={t.board}>
				{PLACES.map((p) => <a key={p} href={`#/board/${p}`}
					aria-current={p === place ? "page" : undefined}>{t.places[p]}</a>)}
			</nav>
			<span class="bd-space" />
			<span role="status"><State kind={PHASES[phase]}>
				{phase === "refused" ? t.notAdminWord : t.phases[phase]}</State></span>
			<a class="bd-button bd-small" href="#/">{t.toChat}</a>
		</header>
		<main class="bd-main">
			<h1 class="sr-only">{t.board}</h1>
			{error && <p class="bd-note bd-warn" role="alert">{t.failed(error)}</p>}
			{phase === "waiting" && <p class="bd-note bd-warn" role="status">{t.liveLost}</p>}
			{phase === "refused" && identity ? <NotAdmin identity={identity} error={refusal} />
				: !http ? <p class="bd-empty bd-muted">{t.connecting}</p>
				: id ? <Inspector key={id} http={http} id={id}
					onClose={() => { location.hash = "#/board/now"; }} />
				: place === "logs" ? <Logs http={http} />
				: place === "people" ? <People http={http} own={info.address} me={identity.address} />
				: place === "settings" ? <Settings http={http} />
				: <Now live={live} tick={tick} now={serverNow} onInspect={inspect} />}
		</main>
	</div>;
}
