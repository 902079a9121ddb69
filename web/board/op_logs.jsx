// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The lines that the server logs, as they come.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { watch } from "./admin.js";
import { Rows, Shown } from "./parts.jsx";
import { t } from "./strings.js";

// The most lines that are kept; the oldest go first.
const KEPT = 5000;
const ROW = 20;

const LEVELS = ["debug", "info", "warn", "error"];

/** The tail of the log. */
export function Logs({ http }) {
	const [lines, setLines] = useState([]);
	const [isPaused, pause] = useState(false);
	const [level, setLevel] = useState("debug");
	const [query, find] = useState("");
	const [error, setError] = useState("");
	const waiting = useRef([]);
	const frame = useRef(0);
	const paused = useRef(false);
	paused.current = isPaused;
	const flush = () => {
		frame.current = 0;
		if (paused.current || !waiting.current.length) return;
		const more = waiting.current.splice(0);
		setLines((old) => [...old, ...more].slice(-KEPT));
	};
	useEffect(() => {
		const add = (line) => {
			waiting.current.push(line);
			if (waiting.current.length > KEPT) waiting.current.shift();
			if (!frame.current) frame.current = setTimeout(flush, 100);
		};
		let key = 0;
		const stop = watch(http, "/admin/logs/tail", ({ event, data }) => {
			setError("");
			if (event === "log") add({ ...data, key: ++key });
			if (event === "missed") add({ key: ++key, level: "warn", isGap: true,
				text: t.linesMissed(data.lines) });
		}, (e) => setError(e.message));
		return () => {
			stop();
			clearTimeout(frame.current);
		};
	}, [http]);
	useEffect(() => flush(), [isPaused]);
	const shown = useMemo(() => {
		const word = query.trim().toLowerCase();
		const least = LEVELS.indexOf(level);
		return lines.filter((l) => LEVELS.indexOf(l.level) >= least &&
			(!word || `${l.process} ${l.text}`.toLowerCase().includes(word)));
	}, [lines, query, level]);
	return <section class="bd-card bd-logs" aria-label={t.logs}>
		<div class="bd-tools">
			<button type="button" class="bd-button bd-small" aria-pressed={!isPaused}
				onClick={() => pause(!isPaused)}>{isPaused ? t.paused : t.follow}</button>
			<label class="bd-inline">{t.level}
				<select value={level} onChange={(e) => setLevel(e.currentTarget.value)}>
					{LEVELS.map((l) => <option key={l} value={l}>{t.levels[l]}</option>)}
				</select>
			</label>
			<input type="search" placeholder={t.findLines} aria-label={t.findLines} value={query}
				onInput={(e) => find(e.currentTarget.value)} />
			<span class="bd-muted bd-count">{t.lines(shown.length)}</span>
		</div>
		{error && <p class="bd-error" role="alert">{t.failed(error)}</p>}
		<Rows label={t.logs} count={shown.length} rowHeight={ROW} version={shown}
			keyOf={(i) => shown[i].key} isFollowing={!isPaused}
			onFollow={(isAtEnd) => pause(!isAtEnd)} class="bd-rows bd-large"
			row={(i) => {
				const l = shown[i];
				return <span class={`bd-text bd-log bd-level-${l.level}${l.isGap ? " bd-isgap" : ""}`}>
					{l.time_ms > 0 && <span class="bd-muted">
						{new Date(l.time_ms).toLocaleTimeString()} </span>}
					{l.process && <span class="bd-muted">{l.process} </span>}
					{(l.level === "warn" || l.level === "error") && `${t.levels[l.level]}: `}
					<Shown text={l.text} /></span>;
			}} />
	</section>;
}
