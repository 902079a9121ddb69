// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
//
// Who may come in: the trust lists, and changes of them.
import { useEffect, useState } from "preact/hooks";
import { ask } from "./admin.js";
import { Copy, Shown } from "./parts.jsx";
import { t } from "./strings.js";

const LISTS = ["admins", "contacts", "whitelist", "blocklist"];

// What can be done with one who is in this list.
const ACTIONS = {
	admins: ["remove"],
	contacts: ["promote", "demote", "block"],
	whitelist: ["demote", "block"],
	blocklist: ["unblock"],
};

const PATHS = { add: "/superadmin/add", remove: "/superadmin/remove" };

function change(http, action, id, reason) {
	if (PATHS[action]) return http.post(PATHS[action], { admin_id: id });
	return http.post(`/admin/trust/${action}`, { client_id: id, ...(reason ? { reason } : {}) });
}

function List({ name, list, isOwner, onAct }) {
	const canAct = name !== "admins" || isOwner;
	return <section class="bd-card bd-people" data-list={name} aria-label={t.lists[name]}>
		<h2>{t.lists[name]} <span class="bd-muted">{list.total}</span></h2>
		<p class="bd-muted">{t.listsWhat[name]}</p>
		{list.error && <p class="bd-error">{list.error}</p>}
		{!list.entries.length && <p class="bd-muted">{t.nobodyListed}</p>}
		<ul>{list.entries.map((id) => <li key={id}>
			<code class="bd-cut" title={id}><Shown text={id} /></code>
			<span class="bd-buttons">
				<Copy text={id} />
				{canAct && !id.includes("*") && ACTIONS[name].map((action) =>
					<button key={action} type="button" class="bd-button bd-small"
						aria-label={`${t.acts[action]}: ${id}`} onClick={() => onAct(action, id)}>
						{t.acts[action]}</button>)}
			</span>
		</li>)}</ul>
		{list.total > list.entries.length && <p class="bd-muted">
			{t.moreListed(list.total - list.entries.length)}</p>}
	</section>;
}

/** The trust lists. `own` is the address of the server, `me` that of this browser. */
export function People({ http, own, me }) {
	const [lists, setLists] = useState(null);
	const [query, setQuery] = useState("");
	const [said, say] = useState({ text: "", isBad: false });
	const [wish, wishAgain] = useState(0);
	useEffect(() => {
		let isOver = false;
		const load = () => ask(http, "/admin/trust", query ? { q: query } : {}).then(
			(value) => isOver || setLists(value),
			(e) => isOver || say({ text: t.failed(e.message), isBad: true }));
		const timer = setTimeout(load, query ? 300 : 0);
		return () => {
			isOver = true;
			clearTimeout(timer);
		};
	}, [http, query, wish]);
	const act = async (action, id, reason) => {
		try {
			const done = await change(http, action, id, reason);
			say({ text: done.message ?? done.error ?? `${t.acts[action]}: ${id}`,
				isBad: done.success === false || !!done.error });
		} catch (e) {
			say({ text: t.failed(e.message), isBad: true });
		}
		wishAgain(wish + 1);
	};
	const submit = (event) => {
		event.preventDefault();
		const form = new FormData(event.currentTarget);
		const id = String(form.get("id")).trim();
		if (!id) return;
		act(String(form.get("action")), id, String(form.get("reason")).trim());
		event.currentTarget.reset();
	};
	const isOwner = own === me;
	return <>
		<form class="bd-card bd-tools bd-change" onSubmit={submit}>
			<label>{t.address}<input name="id" placeholder="0x…" autoComplete="off"
				spellcheck={false} /></label>
			<label>{t.doWhat}<select name="action">
				{["promote", "demote", "block", "unblock", ...(isOwner ? ["add", "remove"] : [])]
					.map((a) => <option key={a} value={a}>{t.actsLong[a]}</option>)}
			</select></label>
			<label>{t.reason}<input name="reason" maxLength="200" /></label>
			<button class="bd-button bd-first">{t.doIt}</button>
		</form>
		<div class="bd-bar">
			<input type="search" placeholder={t.findPeople} aria-label={t.findPeople} value={query}
				onInput={(e) => setQuery(e.currentTarget.value.trim())} />
			<p role="status" class={said.isBad ? "bd-error" : ""}><Shown text={said.text} /></p>
		</div>
		{!lists && !said.text && <p class="bd-muted bd-empty">{t.connecting}</p>}
		{lists && <div class="bd-grid bd-lists">{LISTS.map((name) => <List key={name} name={name}
			list={lists[name] ?? { total: 0, entries: [] }} isOwner={isOwner} onAct={act} />)}</div>}
	</>;
}
