/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* Drafts: that part of session.h. */
#include "session/draft.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "session/record_put.h"
#include "session/session_int.h"

#include <stdlib.h>
#include <string.h>

/* The commit was refused: the session has max_waiting drafts. */
#define TOO_MANY 1

struct session_draft_call {
	struct session *session;
	session_draft_fn *fn; /* NULL: cancelled */
	void *arg;
};

/* ---- rows, in a transaction ---- */

static bool is_of(struct store_span key, uint64_t number)
{
	return key.len == 16 && store_number(key.data) == number;
}

static uint64_t place_of(struct store_span key)
{
	return store_number((const char *)key.data + 8);
}

struct counting {
	uint64_t number;
	uint64_t n;
	uint64_t last;
};

static bool count_one(struct store_span key, struct store_span value, void *arg)
{
	struct counting *k = arg;
	(void)value;
	if (!is_of(key, k->number))
		return false;
	k->last = place_of(key);
	k->n++;
	return true;
}

static struct counting count(struct store_txn *t, uint64_t number)
{
	struct counting k = {.number = number};
	struct store_key key = store_key2(number, 0);
	store_each(t, TABLE_DRAFTS, key.bytes, 16, count_one, &k);
	return k;
}

/* The first draft of a session. */
struct first {
	uint64_t number;
	uint64_t place; /* 0: there is none */
};

static bool take_first(
    struct store_span key, struct store_span value, void *arg)
{
	struct first *f = arg;
	(void)value;
	if (is_of(key, f->number))
		f->place = place_of(key);
	return false;
}

static uint64_t first_place(struct store_txn *t, uint64_t number)
{
	struct first f = {.number = number};
	struct store_key key = store_key2(number, 0);
	store_each(t, TABLE_DRAFTS, key.bytes, 16, take_first, &f);
	return f.place;
}

void draft_delete(struct store_txn *t, uint64_t number, uint64_t upto)
{
	uint64_t place;
	while ((place = first_place(t, number)) && place <= upto && !t->rc) {
		struct store_key key = store_key2(number, place);
		store_delete(t, TABLE_DRAFTS, key.bytes, 16);
	}
}

static int check_keep(struct store_txn *t, struct commit *c)
{
	uint64_t most;
	if (c->note.len <= sizeof most)
		return 0;
	memcpy(&most, c->note.data, sizeof most);
	return count(t, c->number).n >= most ? TOO_MANY : 0;
}

static void write_keep(struct store_txn *t, struct commit *c)
{
	const size_t head = sizeof(uint64_t);
	struct store_key key =
	    store_key2(c->number, count(t, c->number).last + 1);
	if (c->note.len > head)
		store_put(t, TABLE_DRAFTS, key.bytes, 16, c->note.data + head,
		    c->note.len - head);
}

static void write_drop(struct store_txn *t, struct commit *c)
{
	uint64_t upto;
	memcpy(&upto, c->note.data, sizeof upto);
	draft_delete(t, c->number, upto);
}

/* ---- on the loop ---- */

static void on_kept(struct commit *c)
{
	struct session_draft_call *call = c->arg;
	const struct conf *conf = call->session->all->setup.conf;
	struct err err = {0};
	if (c->outcome == COMMIT_REFUSED && c->refusal == TOO_MANY)
		(void)err_set(&err, ERR_NOT_ACCEPTING,
		    "too many messages wait for a run (max: %lld); run them, "
		    "or increase max_waiting in host.yaml",
		    (long long)conf->max_waiting);
	else if (c->outcome != COMMIT_OK && !c->are_facts_written)
		err = c->err;
	journal_commit_free(c);
	if (call->fn)
		call->fn(call->arg, err.code ? &err : NULL);
	session_close(&call->session);
	free(call);
}

struct session_draft_call *session_keep(struct session *s, const char *text,
    size_t len, const char *caller, session_draft_fn *fn, void *arg)
{
	struct session_draft_call *call = mem_zero(sizeof *call);
	struct commit *c = journal_commit(s->number, s->at, 0, COMMIT_IN_TURN);
	uint64_t most = (uint64_t)s->all->setup.conf->max_waiting;
	call->session = session_ref(s);
	call->fn = fn;
	call->arg = arg;
	if (session_turn(s) == 0) {
		record_put_id(c, s);
		record_put_idle(c, s, caller, false);
	}
	buf_append(&c->note, &most, sizeof most);
	buf_append(&c->note, text, len);
	c->has_facts = true;
	c->check = check_keep;
	c->also = write_keep;
	c->done = on_kept;
	c->arg = call;
	journal_push(s->all->journal, c, true);
	return call;
}

void session_keep_forget(struct session_draft_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}

static void on_dropped(struct commit *c)
{
	journal_commit_free(c); /* a failure is logged; they come once more */
}

void session_drop_drafts(struct session *s, uint64_t upto)
{
	struct commit *c = journal_commit(s->number, s->at, 0, COMMIT_IN_TURN);
	buf_append(&c->note, &upto, sizeof upto);
	c->has_facts = true;
	c->also = write_drop;
	c->done = on_dropped;
	journal_push(s->all->journal, c, true);
}

struct reading {
	uint64_t number;
	void (*fn)(uint64_t place, const char *text, size_t len, void *arg);
	void *arg;
	uint64_t last;
};

static bool read_one(struct store_span key, struct store_span value, void *arg)
{
	struct reading *r = arg;
	if (!is_of(key, r->number))
		return false;
	r->last = place_of(key);
	r->fn(r->last, value.data, value.len, r->arg);
	return true;
}

uint64_t session_drafts(const struct session *s,
    void (*fn)(uint64_t place, const char *text, size_t len, void *arg),
    void *arg)
{
	struct reading r = {.number = s->number, .fn = fn, .arg = arg};
	struct store_key key = store_key2(s->number, 0);
	struct store_txn t;
	struct err err;
	store_read(s->all->setup.store, &t, STORE_FACTS);
	store_each(&t, TABLE_DRAFTS, key.bytes, 16, read_one, &r);
	if (store_read_end(&t, &err) != 0)
		log_error("%s", err.text);
	return r.last;
}
