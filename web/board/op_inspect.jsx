// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The inspector: every row of the journal of one session.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Copy, Rows, Shown } from "./parts.jsx";
import { t } from "./strings.js";
import { testCase } from "./testcase.js";

// A page of rows, and how many are fetched before one has to ask for more.
const PAGE = 1000;
const AT_ONCE = 5000;

// How often new rows are looked for.
const LOOK_MS = 2000;

const MAX_JSON = 256 * 1024;
const ROW = 28;

const OWN = new Set(["pos", "turn", "type", "id", "ts"]);

// What a row is about, in one line.
function summary(row) {
	for (const key of ["prompt", "content", "answer", "question", "result", "message", "name", "tool"])
		if (row[key] !== undefined && row[key] !== null && row[key] !== "")
			return (typeof row[key] === "string" ? row[key] : JSON.stringify(row[key])).slice(0, 300);
	const rest = Object.entries(row).filter(([key]) => !OWN.has(key));
	return rest.length ? JSON.stringify(Object.fromEntries(rest)).slice(0, 300) : "";
}

// All rows of a session that are kept, and those that come.
function useRows(http, id) {
	const [state, set] = useState({ rows: [], first: 0, before: null, isLoading: true, error: "" });
	const now = useRef(state);
	const change = (more) => set(now.current = { ...now.current, ...more });
	const older = async (most) => {
		change({ isLoading: true });
		try {
			for (let n = 0; n < most;) {
				const { before } = now.current;
				const page = await http.rows(id, { limit: PAGE,
					...(before === null ? {} : { before }) });
				n += page.rows.length;
				change({ rows: [...page.rows, ...now.current.rows], first: page.first,
					before: page.before, error: "",
					after: now.current.after ?? page.after ?? page.head });
				if (page.before === null || !page.rows.length) break;
			}
		} catch (error) {
			change({ error: error.message });
		}
		change({ isLoading: false });
	};
	useEffect(() => {
		change({ rows: [], before: null, after: undefined, error: "" });
		let isOver = false;
		const newer = async () => {
			if (document.hidden || now.current.isLoading) return;
			const last = now.current.rows.at(-1)?.pos ?? 0;
			const page = await http.rows(id, { after: last, limit: PAGE }).catch(() => null);
			if (!isOver && page?.rows.length && page.rows[0].pos > (now.current.rows.at(-1)?.pos ?? 0))
				change({ rows: [...now.current.rows, ...page.rows] });
		};
		older(AT_ONCE);
		const timer = setInterval(newer, LOOK_MS);
		return () => {
			isOver = true;
			clearInterval(timer);
		};
	}, [id]);
	return { ...state, older: () => older(AT_ONCE) };
}

function Filters({ rows, filter, onFilter }) {
	const types = useMemo(() => {
		const counts = new Map();
		for (const { type } of rows) counts.set(type, (counts.get(type) ?? 0) + 1);
		return [...counts].sort((a, b) => b[1] - a[1]);
	}, [rows.length, rows[0]]);
	const set = (key) => (event) => onFilter({ ...filter, [key]: event.currentTarget.value });
	return <div class="bd-tools bd-filters">
		<label class="bd-inline">{t.type}
			<select value={filter.type} onChange={set("type")}>
				<option value="">{t.all}</option>
				{types.map(([type, n]) => <option key={type} value={type}>{type} ({n})</option>)}
			</select>
		</label>
		<label class="bd-inline">{t.turn}
			<input type="number" min="1" value={filter.turn} onInput={set("turn")} />
		</label>
		<input type="search" placeholder={t.findRows} aria-label={t.findRows} value={filter.text}
			onInput={set("text")} />
	</div>;
}

/** All rows of one session. */
export function Inspector({ http, id, onClose }) {
	const { rows, first, before, isLoading, error, older } = useRows(http, id);
	const [filter, setFilter] = useState({ type: "", turn: "", text: "" });
	const [chosen, choose] = useState(0);
	const [isFollowing, follow] = useState(true);
	const shown = useMemo(() => {
		const { type, turn, text } = filter;
		const word = text.trim().toLowerCase();
		return rows.filter((row) => (!type || row.type === type) && (!turn || row.turn === +turn) &&
			(!word || JSON.stringify(row).toLowerCase().includes(word)));
	}, [rows, filter]);
	const row = rows.find((r) => r.pos === chosen);
	const json = row ? JSON.stringify(row, null, 2) : "";
	const move = (event) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (!step || !shown.length) return;
		event.preventDefault();
		const at = shown.findIndex((r) => r.pos === chosen);
		const next = Math.max(0, Math.min(shown.length - 1, at < 0 ? 0 : at + step));
		choose(shown[next].pos);
		const list = event.currentTarget.querySelector(".bd-rows");
		const top = next * ROW;
		if (top < list.scrollTop) list.scrollTop = top;
		else if (top + ROW > list.scrollTop + list.clientHeight)
			list.scrollTop = top + ROW - list.clientHeight;
	};
	return <section class="bd-inspector" aria-label={t.inspector}>
		<div class="bd-bar">
			<h2 class="bd-id"><Shown text={id} /></h2>
			<span class="bd-muted" role="status">{isLoading ? t.loadingRows(rows.length)
				: t.rowsShown(shown.length, rows.length)}</span>
			<span class="bd-space" />
			<Copy label={t.copyTest} text={() => testCase(id, rows)} />
			<button type="button" class="bd-button bd-small" onClick={onClose}>{t.close}</button>
		</div>
		{error && <p class="bd-error" role="alert">{t.failed(error)}</p>}
		{first > 1 && <p class="bd-gap">{t.rowsGone(first - 1)}</p>}
		<Filters rows={rows} filter={filter} onFilter={setFilter} />
		{before !== null && !isLoading && <p><button type="button" class="bd-button bd-small"
			onClick={older}>{t.olderRows}</button></p>}
		<div class="bd-split">
			<div onKeyDown={move}>
				<Rows label={t.rows} count={shown.length} rowHeight={ROW} version={shown}
					keyOf={(i) => shown[i].pos} isFollowing={isFollowing} onFollow={follow}
					class="bd-rows bd-journal"
					row={(i) => {
						const r = shown[i];
						return <button type="button" tabIndex="-1"
							class={`bd-journal-row${r.pos === chosen ? " bd-chosen" : ""}`}
							aria-pressed={r.pos === chosen} onClick={() => choose(r.pos)}>
							<span class="bd-muted">{r.pos}</span>
							<span class="bd-muted">{new Date(r.ts * 1000).toLocaleTimeString()}</span>
							<strong>{r.type}</strong>
							<span class="bd-cut"><Shown text={summary(r)} /></span>
						</button>;
					}} />
			</div>
			<div class="bd-json">
				{!row && <p class="bd-muted bd-empty">{t.chooseRow}</p>}
				{row && <>
					<p class="bd-facts"><strong>{row.type}</strong>
						<span class="bd-muted">{t.rowPlace(row.pos, row.turn)}</span>
						<Copy text={json} /></p>
					<pre tabIndex="0" aria-label={t.rowJson}><Shown text={json.slice(0, MAX_JSON)} />
						{json.length > MAX_JSON && `\n${t.cut(json.length - MAX_JSON)}`}</pre>
				</>}
			</div>
		</div>
	</section>;
}
