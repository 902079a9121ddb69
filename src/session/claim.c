/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/claim.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/conf.h"
#include "session/input.h"
#include "session/journal.h"
#include "session/record.h"
#include "trust/ident.h"

static void copy_span(struct buf *mem, struct store_span span)
{
	if (span.data)
		buf_append(mem, span.data, span.len);
	buf_char(mem, 0);
}

/*
 * Whether the turn of a claim still runs. The facts may know its end before the
 * journal does; clients hear it from the journal, or they would speak again
 * while the turn seems to run.
 */
static bool is_running(const struct sessions *all, const struct claim *claim)
{
	uint8_t key[REGISTRY_KEY];
	if (claim->status == RECORD_RUNNING)
		return true;
	if (claim->status == RECORD_DONE && !claim->result.data)
		return false; /* it joined a turn, and has no end of its own */
	session_key(key, claim->id.data, claim->id.len);
	uint32_t at = registry_look(all->registry, key);
	if (at == REGISTRY_NONE)
		return false;
	const struct entry *e = registry_entry(all->registry, at);
	return atomic_load(&e->state) == ENTRY_RUNNING &&
	       atomic_load(&e->turn) == claim->turn;
}

/*
 * Tell of the first input with this id;
 * strings are copied, for the row is a view.
 */
static void fill_repeated(struct session_call *c, const struct claim *claim)
{
	struct session_receipt *r = &c->receipt;
	size_t result = claim->id.len + 1;
	size_t reason = result + claim->result.len + 1;
	buf_reset(&c->mem);
	copy_span(&c->mem, claim->id);
	copy_span(&c->mem, claim->result);
	copy_span(&c->mem, claim->reason);
	r->session_id = c->mem.data;
	r->turn = claim->turn;
	r->is_over = !is_running(c->session->all, claim);
	r->has_failed = r->is_over && claim->status != RECORD_DONE;
	r->result = claim->result.data ? c->mem.data + result : NULL;
	r->result_len = claim->result.len;
	r->reason = c->mem.data + reason;
	r->duration_ms = claim->duration_ms;
}

/* What the store knows of a claim; when it is repeated, its row is in *claim. */
static enum claim_found look_up(struct store_txn *t, enum store_table table,
    const uint8_t key[16], const uint8_t body[16], struct claim *claim)
{
	struct store_span row;
	if (!store_get(t, table, key, 16, &row) ||
	    !record_decode_claim(claim, row))
		return CLAIM_UNUSED;
	if (claim->status != RECORD_RUNNING &&
	    claim->expires_ms < clock_wall_ms())
		return CLAIM_UNUSED;
	return memcmp(claim->body, body, 16) == 0 ? CLAIM_REPEATED
						  : CLAIM_REUSED;
}

static int check(struct store_txn *t, struct commit *c)
{
	struct claim mine = {0}, other;
	for (unsigned i = 0; i < c->n_puts; i++) {
		const struct commit_put *p = &c->puts[i];
		struct store_span row = {p->value.data, p->value.len};
		if ((p->table == TABLE_CLAIMS || p->table == TABLE_JOINS) &&
		    record_decode_claim(&mine, row))
			return (int)look_up(t, p->table,
			    (const uint8_t *)p->key.data, mine.body, &other);
	}
	return 0;
}

void claim_put(struct commit *commit, enum store_table table,
    const struct session_call *c, uint32_t turn, const struct claim *end)
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
	record_encode_claim(
	    journal_put(commit, table, c->claim, sizeof c->claim), &row);
	if (!end || table == TABLE_JOINS)
		commit->check = check;
}

static void digest_body(struct session_call *c, const struct session_input *in)
{
	struct buf text = {0};
	size_t n;
	const char *p;
	buf_append(&text, in->prompt, in->prompt_len);
	buf_char(&text, 0);
	if (in->images && (p = json_text(in->images, &n)))
		buf_append(&text, p, n);
	buf_char(&text, 0);
	if (in->files && (p = json_text(in->files, &n)))
		buf_append(&text, p, n);
	ident_digest16(c->body, text.data, text.len);
	buf_fini(&text);
}

/*
 * The scope of an input_id: caller and session; without a session the id alone.
 */
static void digest_claim(struct session_call *c, const struct session_input *in)
{
	struct buf text = {0};
	if (!in->is_unscoped)
		buf_str(&text, c->session->id);
	else
		buf_str(&text, c->caller);
	buf_char(&text, 0);
	buf_append(&text, in->input_id, in->input_id_len);
	ident_digest16(c->claim, text.data, text.len);
	buf_fini(&text);
	c->has_id = true;
	buf_append(&c->input_id, in->input_id, in->input_id_len);
}

/* ---- what inputs call ---- */

void claim_name(struct session_call *c, const struct session_input *in)
{
	digest_body(c, in);
	digest_claim(c, in);
}

enum claim_found claim_find(struct session_call *c, enum store_table table)
{
	struct store_txn t;
	struct claim claim;
	struct err err;
	if (!c->has_id)
		return CLAIM_UNUSED;
	store_read(c->session->all->setup.store, &t, store_part_of(table));
	enum claim_found found = look_up(&t, table, c->claim, c->body, &claim);
	if (found == CLAIM_REPEATED)
		fill_repeated(c, &claim);
	return store_read_end(&t, &err) == 0 ? found : CLAIM_UNUSED;
}
