// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The settings that are in force, and where each came from.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./admin.js";
import { Shown } from "./parts.jsx";
import { t } from "./strings.js";

const textOf = (value) => value === null || value === undefined ? "–"
	: typeof value === "string" ? value : JSON.stringify(value);

/** The settings; they cannot be changed here. */
export function Settings({ http }) {
	const [all, setAll] = useState(null);
	const [error, setError] = useState("");
	const [query, find] = useState("");
	const [isChanged, onlyChanged] = useState(false);
	useEffect(() => {
		ask(http, "/admin/settings").then(setAll, (e) => setError(e.message));
	}, [http]);
	const word = query.trim().toLowerCase();
	const shown = (all?.settings ?? []).filter((s) => (!isChanged || s.origin !== "default") &&
		(!word || `${s.key} ${textOf(s.value)} ${s.where}`.toLowerCase().includes(word)));
	return <section class="bd-card" aria-label={t.settings}>
		<div class="bd-tools">
			<input type="search" placeholder={t.findSettings} aria-label={t.findSettings}
				value={query} onInput={(e) => find(e.currentTarget.value)} />
			<label class="bd-inline"><input type="checkbox" checked={isChanged}
				onChange={() => onlyChanged(!isChanged)} />{t.onlyChanged}</label>
			{all?.file && <span class="bd-muted bd-count"><Shown text={all.file} /></span>}
		</div>
		{error && <p class="bd-error" role="alert">{t.failed(error)}</p>}
		<div class="bd-scroll" tabIndex="0" role="region" aria-label={t.settings}>
			<table class="bd-table">
				<thead><tr><th scope="col">{t.key}</th><th scope="col">{t.value}</th>
					<th scope="col">{t.preset}</th>
					<th scope="col">{t.from}</th><th scope="col">{t.takesEffect}</th></tr></thead>
				<tbody>{shown.map((s) => <tr key={s.key}>
					<th scope="row"><code>{s.key}</code></th>
					<td><code class="bd-value"><Shown text={textOf(s.value)} /></code></td>
					<td class="bd-muted"><code><Shown text={textOf(s.default)} /></code></td>
					<td>{s.where ? <Shown text={s.where} /> : t.origins[s.origin] ?? s.origin}</td>
					<td class="bd-muted">{t.changes[s.change] ?? s.change}</td>
				</tr>)}</tbody>
			</table>
		</div>
	</section>;
}
