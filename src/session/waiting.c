/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/waiting.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "session/call.h"
#include "session/claim.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

static struct store_span span_str(const char *s)
{
	return (struct store_span){s, strlen(s)};
}

static struct store_span span_of(const struct buf *b)
{
	return (struct store_span){b->data ? b->data : "", b->len};
}

/* ---- rows, in a transaction of either kind ---- */

static bool is_of(struct store_span key, uint64_t number)
{
	return key.len == 16 && store_number(key.data) == number;
}

static uint64_t place_of(struct store_span key)
{
	return store_number((const char *)key.data + 8);
}

/* View a row, after checking that it belongs at this key. */
static bool view(
    struct store_span key, struct store_span row, struct waiting *w)
{
	return record_decode_waiting(w, row) && is_of(key, w->number) &&
	       place_of(key) == w->place;
}

/* Read the record of a session from the facts. */
static enum store_found waiting_read_record(
    struct store_txn *t, uint64_t number, struct record *r)
{
	struct store_key key = store_key1(number);
	struct store_span row;
	enum store_found found =
	    store_look(t, TABLE_SESSIONS, key.bytes, 8, &row);
	if (found == STORE_FOUND && !record_decode(r, row))
		return STORE_DAMAGED;
	return found;
}

/* ---- to join, in a committer thread ---- */

struct counting {
	uint64_t number;
	uint32_t n;
	uint64_t last; /* place */
};

static bool count_one(struct store_span key, struct store_span value, void *arg)
{
	struct counting *k = arg;
	(void)value;
	if (!is_of(key, k->number))
		return false;
	k->n++;
	k->last = place_of(key);
	return true;
}

static struct counting count(struct store_txn *t, uint64_t number)
{
	struct counting k = {.number = number};
	struct store_key key = store_key2(number, 0);
	store_each(t, TABLE_WAITING, key.bytes, 16, count_one, &k);
	return k;
}

bool waiting_is_any(struct store_txn *t, uint64_t number)
{
	return count(t, number).n > 0;
}

/*
 * A turn whose end is written accepts nothing more. With a damaged record that
 * is unknown; a retry would not help before the turn has ended.
 */
static int check_join(struct store_txn *t, struct commit *c)
{
	struct record r;
	uint32_t most;
	int rc = claim_check(t, c);
	if (rc)
		return rc;
	enum store_found found = waiting_read_record(t, c->number, &r);
	if (found == STORE_DAMAGED)
		return WAITING_DAMAGED;
	if (found == STORE_NONE || r.turn != c->turn ||
	    r.status != RECORD_RUNNING)
		return WAITING_TOO_LATE;
	memcpy(&most, c->note.data, sizeof most);
	return count(t, c->number).n >= most ? WAITING_TOO_MANY : 0;
}

static void write_join(struct store_txn *t, struct commit *c)
{
	struct waiting w;
	struct buf row = {0};
	uint64_t place = count(t, c->number).last + 1;
	struct store_key key = store_key2(c->number, place);
	if (!record_decode_waiting(
		&w, (struct store_span){c->note.data + sizeof(uint32_t),
			c->note.len - sizeof(uint32_t)}))
		panic("waiting: the row of a commit is damaged");
	w.place = place;
	record_encode_waiting(&row, &w);
	store_put(t, TABLE_WAITING, key.bytes, 16, row.data, row.len);
	buf_fini(&row);
}

/* ---- to settle, in a committer thread ---- */

struct settled {
	struct list link;
	uint64_t place;
	enum verdict verdict;
	bool has_claim;
	uint8_t claim[16];
};

struct settling {
	struct commit *commit;
	struct list rows;
};

/* Returns the verdict on an id; VERDICT_GIVEN if there is none. */
static enum verdict verdict_on(const struct buf *note, struct store_span id)
{
	for (size_t at = 0; at < note->len;) {
		uint16_t len;
		memcpy(&len, note->data + at + 1, sizeof len);
		const char *name = note->data + at + 1 + sizeof len;
		if (len == id.len && memcmp(name, id.data, len) == 0)
			return (enum verdict)note->data[at];
		at += 1 + sizeof len + len;
	}
	return VERDICT_GIVEN;
}

static bool settle_one(struct store_span key, struct store_span row, void *arg)
{
	struct settling *x = arg;
	const struct commit *c = x->commit;
	struct waiting w = {.number = 0};
	enum verdict verdict = VERDICT_DROPPED;
	if (!is_of(key, c->number))
		return false;
	if (view(key, row, &w)) {
		verdict = verdict_on(&c->note, w.id);
		if (verdict == VERDICT_GIVEN && w.is_answer &&
		    w.turn <= c->turn)
			verdict = VERDICT_TAKEN;
	} else {
		stat_add(corrupt, 1);
		log_error("session number=%llu: a waiting input is damaged",
		    (unsigned long long)c->number);
	}
	if (verdict == VERDICT_GIVEN)
		return true;
	struct settled *s = mem_zero(sizeof *s);
	s->place = place_of(key);
	s->verdict = verdict;
	s->has_claim = w.has_claim;
	memcpy(s->claim, w.claim, sizeof s->claim);
	list_append(&x->rows, &s->link);
	return true;
}

/* Find the record that this commit has just put. */
static bool end_of(const struct commit *c, struct record *r)
{
	for (unsigned i = 0; i < c->n_puts; i++)
		if (c->puts[i].table == TABLE_SESSIONS)
			return record_decode(r, span_of(&c->puts[i].value));
	return false;
}

/*
 * The claim of the input gets the result of its turn, or that it was cancelled.
 */
static void settle_claim(
    struct store_txn *t, const struct settled *s, const struct record *end)
{
	struct store_span row;
	struct claim claim;
	struct buf out = {0};
	if (!store_get(t, TABLE_CLAIMS, s->claim, sizeof s->claim, &row) ||
	    !record_decode_claim(&claim, row))
		return;
	claim.expires_ms = end->expires_ms;
	if (s->verdict == VERDICT_TAKEN) {
		claim.status = end->status;
		claim.result = end->result;
		claim.reason = end->reason;
		claim.duration_ms = end->duration_ms;
	} else {
		claim.status = RECORD_INTERRUPTED;
		claim.result = (struct store_span){NULL, 0};
		claim.reason = span_str(err_reason_word(REASON_INTERRUPTED));
		claim.duration_ms = 0;
	}
	record_encode_claim(&out, &claim);
	store_put(
	    t, TABLE_CLAIMS, s->claim, sizeof s->claim, out.data, out.len);
	buf_fini(&out);
}

static void write_settlement(struct store_txn *t, struct commit *c)
{
	struct settling x = {.commit = c};
	struct store_key from = store_key2(c->number, 0);
	struct record end;
	struct list *l;
	if (!end_of(c, &end))
		panic("waiting: a settlement without an end");
	list_init(&x.rows);
	store_each(t, TABLE_WAITING, from.bytes, 16, settle_one, &x);
	while ((l = list_shift(&x.rows))) {
		struct settled *s = list_entry(l, struct settled, link);
		struct store_key key = store_key2(c->number, s->place);
		store_delete(t, TABLE_WAITING, key.bytes, 16);
		if (s->has_claim)
			settle_claim(t, s, &end);
		free(s);
	}
}

/* ---- to begin a turn with one, in a committer thread ---- */

/* The note of such a commit: the place of the row, then its id. */
static uint64_t noted_place(const struct commit *c)
{
	uint64_t place;
	memcpy(&place, c->note.data, sizeof place);
	return place;
}

static bool is_noted_id(const struct commit *c, struct store_span id)
{
	const char *noted = c->note.data + sizeof(uint64_t);
	size_t len = c->note.len - sizeof(uint64_t);
	return id.len == len && memcmp(id.data, noted, len) == 0;
}

/*
 * Another turn may have begun with it. The id is compared, since free places
 * are reused. As long as the facts lack the end of the turn that it joined, it
 * is unknown whether that turn took it up.
 */
static int check_take(struct store_txn *t, struct commit *c)
{
	struct store_key key = store_key2(c->number, noted_place(c));
	struct store_span row;
	struct waiting w;
	struct record r;
	if (!store_get(t, TABLE_WAITING, key.bytes, 16, &row) ||
	    !view((struct store_span){key.bytes, 16}, row, &w) ||
	    !is_noted_id(c, w.id))
		return WAITING_TAKEN;
	if (waiting_read_record(t, c->number, &r) != STORE_FOUND ||
	    r.status != RECORD_RUNNING)
		return 0;
	(void)err_set(&c->err, ERR_STORE, NULL);
	return WAITING_UNSETTLED;
}

static void write_take(struct store_txn *t, struct commit *c)
{
	struct store_key key = store_key2(c->number, noted_place(c));
	store_delete(t, TABLE_WAITING, key.bytes, 16);
}

/* ---- on the loop's thread ---- */

void waiting_join(struct commit *commit, const struct session_call *c,
    const char *id, bool is_answer)
{
	const struct session *s = c->session;
	uint32_t most = (uint32_t)s->all->setup.conf->max_waiting;
	struct waiting w = {
	    .number = s->number,
	    .turn = commit->turn,
	    .is_answer = is_answer,
	    .peer_is_loopback = c->peer_is_loopback,
	    .has_claim = c->has_id,
	    .session = span_str(s->id),
	    .id = span_str(id),
	    .prompt = {c->prompt, c->prompt_len},
	    .caller = span_str(c->caller),
	    .level = span_str(c->level),
	    .peer = span_str(c->peer),
	    .input_id = span_of(&c->input_id),
	};
	if (c->has_id) {
		struct claim claim = {.status = RECORD_RUNNING,
		    .duration_ms = -1,
		    .joined = span_str(id)};
		memcpy(w.claim, c->claim, sizeof w.claim);
		memcpy(w.body, c->body, sizeof w.body);
		claim_put(commit, c, commit->turn, &claim);
	}
	buf_append(&commit->note, &most, sizeof most);
	record_encode_waiting(&commit->note, &w);
	commit->has_facts = true;
	commit->check = check_join;
	commit->also = write_join;
}

void waiting_settle(struct commit *commit)
{
	commit->also = write_settlement;
}

void waiting_say(
    struct commit *commit, enum verdict verdict, const char *id, size_t len)
{
	uint16_t n = (uint16_t)len;
	buf_char(&commit->note, (char)verdict);
	buf_append(&commit->note, &n, sizeof n);
	buf_append(&commit->note, id, n);
}

void waiting_take(struct commit *commit, const struct session_call *c)
{
	buf_append(&commit->note, &c->row, sizeof c->row);
	buf_str(&commit->note, c->id);
	commit->check = check_take;
	commit->also = write_take;
}

struct reading {
	uint64_t number;
	struct buf *mem;
	struct waiting *first;
	void (*fn)(const struct waiting *w, void *arg);
	void *arg;
	uint32_t turn;
	bool is_found;
};

static bool read_first(struct store_span key, struct store_span row, void *arg)
{
	struct reading *r = arg;
	if (!is_of(key, r->number))
		return false;
	if (!view(key, row, r->first) || r->first->is_answer)
		return true;
	buf_append(r->mem, row.data, row.len);
	r->is_found = record_decode_waiting(r->first, span_of(r->mem));
	return false;
}

static void read_rows(const struct session *s, struct reading *r,
    bool (*fn)(struct store_span key, struct store_span row, void *arg))
{
	struct store_key key = store_key2(s->number, 0);
	struct store_txn t;
	struct err err;
	r->number = s->number;
	store_read(s->all->setup.store, &t, STORE_FACTS);
	store_each(&t, TABLE_WAITING, key.bytes, 16, fn, r);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
}

bool waiting_first(const struct session *s, struct buf *mem, struct waiting *w)
{
	struct reading r = {.mem = mem, .first = w};
	read_rows(s, &r, read_first);
	return r.is_found;
}

static bool read_each(struct store_span key, struct store_span row, void *arg)
{
	struct reading *r = arg;
	struct waiting w;
	if (!is_of(key, r->number))
		return false;
	if (view(key, row, &w) && !w.is_answer && w.turn == r->turn)
		r->fn(&w, r->arg);
	return true;
}

void waiting_each(const struct session *s, uint32_t number,
    void (*fn)(const struct waiting *w, void *arg), void *arg)
{
	struct reading r = {.fn = fn, .arg = arg, .turn = number};
	read_rows(s, &r, read_each);
}

/* ---- all sessions ---- */

struct looking {
	uint64_t after; /* number; rows up to it were examined */
	unsigned left;
	bool (*fn)(const struct waiting *w, void *arg);
	void *arg;
};

static bool look_one(struct store_span key, struct store_span row, void *arg)
{
	struct looking *x = arg;
	struct waiting w;
	if (!view(key, row, &w) || w.number == x->after)
		return true; /* only the oldest of each session */
	if (!x->left--)
		return false;
	x->after = w.number;
	return x->fn(&w, x->arg);
}

void waiting_look(struct store *store, uint64_t *cursor, unsigned most,
    bool (*fn)(const struct waiting *w, void *arg), void *arg)
{
	struct looking x = {
	    .after = *cursor, .left = most, .fn = fn, .arg = arg};
	struct store_key key = store_key2(*cursor ? *cursor + 1 : 0, 0);
	struct store_txn t;
	struct err err;
	store_read(store, &t, STORE_FACTS);
	store_each(&t, TABLE_WAITING, key.bytes, 16, look_one, &x);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	*cursor = x.left == UINT32_MAX ? x.after : 0;
}
