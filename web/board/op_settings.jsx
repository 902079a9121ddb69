// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// The settings that are in force, and where each came from.
import { useEffect, useState } from "preact/hooks";
import { Shown } from "./parts.jsx";
import { t } from "./strings.js";

/** The settings; they cannot be changed here. */
export function Settings({ http }) {
	const [all, setAll] = useState(null);
	const [error, setError] = useState("");
	const [query, find] = useState("");
	const [isChanged, onlyChanged] = useState(false);
	useEffect(() => {
		http.get("/admin/settings").then((value) => setAll(value.settings),
			(e) => setError(e.message));
	}, [http]);
	const word = query.trim().toLowerCase();
	const shown = (all ?? []).filter((s) => (!isChanged || s.from !== "default") &&
		(!word || `${s.key} ${s.value} ${s.doc}`.toLowerCase().includes(word)));
	return <section class="bd-card" aria-label={t.settings}>
		<div class="bd-tools">
			<input type="search" placeholder={t.findSettings} aria-label={t.findSettings}
				value={query} onInput={(e) => find(e.currentTarget.value)} />
			<label class="bd-inline"><input type="checkbox" checked={isChanged}
				onChange={() => onlyChanged(!isChanged)} />{t.onlyChanged}</label>
		</div>
		{error && <p class="bd-error" role="alert">{t.failed(error)}</p>}
		<div class="bd-scroll" tabIndex="0" role="region" aria-label={t.settings}>
			<table class="bd-table">
				<thead><tr><th scope="col">{t.key}</th><th scope="col">{t.value}</th>
					<th scope="col">{t.from}</th><th scope="col">{t.meaning}</th></tr></thead>
				<tbody>{shown.map((s) => <tr key={s.key}>
					<th scope="row"><code>{s.key}</code></th>
					<td><code><Shown text={String(s.value ?? "")} /></code></td>
					<td>{s.from}</td>
					<td class="bd-muted">{s.doc}</td>
				</tr>)}</tbody>
			</table>
		</div>
	</section>;
}
