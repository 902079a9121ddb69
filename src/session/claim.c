/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/claim.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/conf.h"
#include "identity/digest.h"
#include "journal/journal.h"
#include "session/call.h"
#include "store/record.h"

#include <string.h>

static void copy_span(struct buf *mem, struct store_span span)
{
	if (span.data)
		buf_append(mem, span.data, span.len);
	buf_char(mem, 0);
}

/*
 * Whether the turn of a claim is still running. The facts may have its end
 * before the journal does; clients learn of it from the journal, and would
 * otherwise speak again while the turn still seems to run.
 */
static bool is_running(const struct sessions *all, const struct claim *claim)
{
	uint8_t key[REGISTRY_KEY];
	if (claim->status == RECORD_RUNNING)
		return true;
	session_key(key, claim->id.data, claim->id.len);
	uint32_t at = registry_look(all->registry, key);
	if (at == REGISTRY_NONE)
		return false;
	const struct entry *e = registry_entry(all->registry, at);
	return atomic_load(&e->state) == ENTRY_RUNNING &&
	       atomic_load(&e->turn) == claim->turn;
}

/*
 * Describe the first input with this id. Strings are copied, since the row is a
 * view.
 */
static void fill_repeated(struct session_call *c, const struct claim *claim)
{
	struct session_receipt *r = &c->receipt;
	size_t result = claim->id.len + 1;
	size_t reason = result + claim->result.len + 1;
	size_t joined = reason + claim->reason.len + 1;
	buf_reset(&c->mem);
	copy_span(&c->mem, claim->id);
	copy_span(&c->mem, claim->result);
	copy_span(&c->mem, claim->reason);
	copy_span(&c->mem, claim->joined);
	r->session_id = c->mem.data;
	r->turn = claim->turn;
	r->is_over = !is_running(c->session->all, claim);
	r->has_failed = r->is_over && claim->status != RECORD_DONE;
	r->result = claim->result.data ? c->mem.data + result : NULL;
	r->result_len = claim->result.len;
	r->reason = c->mem.data + reason;
	r->id = claim->joined.len ? c->mem.data + joined : NULL;
	r->duration_ms = claim->duration_ms;
}

/* Whether the stored conversation is still the one after the claim's turn. */
static bool is_latest(struct store_txn *t, const struct claim *claim)
{
	struct store_key key = store_key1(claim->number);
	struct store_span row;
	struct record r;
	return store_get(t, TABLE_SESSIONS, key.bytes, 8, &row) &&
	       record_decode(&r, row) && r.turn == claim->turn &&
	       r.status != RECORD_RUNNING;
}

/* Look up a claim; if it is repeated, its row is decoded into *claim. */
static enum claim_found look_up(struct store_txn *t, const uint8_t key[16],
    const uint8_t body[16], struct claim *claim)
{
	struct store_span row;
	enum store_found found = store_look(t, TABLE_CLAIMS, key, 16, &row);
	if (found == STORE_NONE)
		return CLAIM_UNUSED;
	/* It certainly existed, so the input must not run again. */
	if (found == STORE_DAMAGED || !record_decode_claim(claim, row))
		return CLAIM_DAMAGED;
	if (claim->status != RECORD_RUNNING &&
	    claim->expires_ms < clock_expiry_ms())
		return CLAIM_UNUSED;
	return memcmp(claim->body, body, 16) == 0 ? CLAIM_REPEATED
						  : CLAIM_REUSED;
}

int claim_check(struct store_txn *t, struct commit *c)
{
	struct claim mine = {0}, other;
	for (unsigned i = 0; i < c->n_puts; i++) {
		const struct commit_put *p = &c->puts[i];
		struct store_span row = {p->value.data, p->value.len};
		if (p->table == TABLE_CLAIMS && record_decode_claim(&mine, row))
			return (int)look_up(
			    t, (const uint8_t *)p->key.data, mine.body, &other);
	}
	return 0;
}

static void put_row(
    struct commit *commit, const uint8_t key[16], const struct claim *row)
{
	record_encode_claim(
	    &journal_put(commit, TABLE_CLAIMS, key, 16)->value, row);
}

void claim_put(struct commit *commit, const struct session_call *c,
    uint32_t turn, const struct claim *end)
{
	const struct sessions *all = c->session->all;
	struct claim row = {.status = RECORD_RUNNING, .duration_ms = -1};
	if (end)
		row = *end;
	memcpy(row.body, c->body, sizeof row.body);
	row.number = c->session->number;
	row.turn = turn;
	row.expires_ms = clock_wall_ms() + all->setup.conf->result_ttl * 1000;
	row.id = (struct store_span){c->session->id, strlen(c->session->id)};
	put_row(commit, c->claim, &row);
	if (memcmp(c->inner, c->claim, sizeof c->inner) != 0)
		put_row(commit, c->inner, &row);
	if (!end)
		commit->check = claim_check;
}

/* ---- names ---- */

/*
 * One part of what is digested. Its tag and length prevent it from being taken
 * for another part, or for the end of one and the beginning of the next.
 */
static void add_part(struct buf *text, char tag, const char *p, size_t len)
{
	uint64_t n = len;
	buf_char(text, tag);
	buf_append(text, &n, sizeof n);
	buf_append(text, p, len);
}

static void add_json(struct buf *text, char tag, const struct json *v)
{
	size_t len = 0;
	const char *p = v ? json_text(v, &len) : NULL;
	add_part(text, tag, p ? p : "", len);
}

static void digest(uint8_t out[16], struct buf *text)
{
	digest_of(out, text->data, text->len);
	buf_fini(text);
}

static void digest_body(struct session_call *c, const struct session_input *in)
{
	struct buf text = {0};
	add_part(&text, 'p', in->prompt, in->prompt_len);
	add_json(&text, 'm', in->images);
	add_json(&text, 'f', in->files);
	digest(c->body, &text);
}

/*
 * A name counts for its caller, in the session that the client named; and for
 * an anonymous client that names no session, at its place in the network.
 * Inside a session the place is left out: a roaming client returns from another
 * one, and a client that knows the id of a session without an owner may see all
 * of it anyway.
 */
static void digest_scope(uint8_t out[16], const struct session_call *c,
    const struct session_input *in, const char *session_id)
{
	struct buf text = {0};
	if (in->caller[0])
		add_part(&text, 'c', in->caller, strlen(in->caller));
	else if (!session_id)
		add_part(&text, 'n', (const char *)c->place, sizeof c->place);
	if (session_id)
		add_part(&text, 's', session_id, strlen(session_id));
	add_part(&text, 'i', in->input_id, in->input_id_len);
	digest(out, &text);
}

/* ---- calls for inputs ---- */

void claim_name(struct session_call *c, const struct session_input *in)
{
	const char *id = c->session->id;
	digest_body(c, in);
	digest_scope(c->claim, c, in, in->is_unscoped ? NULL : id);
	digest_scope(c->inner, c, in, id);
	c->has_id = true;
	buf_append(&c->input_id, in->input_id, in->input_id_len);
}

uint64_t claim_hash(const struct session_call *c)
{
	uint64_t hash;
	if (!c->has_id)
		return 0;
	memcpy(&hash, c->inner, sizeof hash);
	return hash | 1;
}

enum claim_found claim_find(struct session_call *c)
{
	struct store_txn t;
	struct claim claim;
	struct err err;
	if (!c->has_id)
		return CLAIM_UNUSED;
	store_read(c->session->all->setup.store, &t, STORE_FACTS);
	enum claim_found found = look_up(&t, c->claim, c->body, &claim);
	if (found == CLAIM_REPEATED) {
		fill_repeated(c, &claim);
		c->receipt.is_latest = is_latest(&t, &claim);
	}
	return store_read_end(&t, &err) == 0 ? found : CLAIM_UNUSED;
}
