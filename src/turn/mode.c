/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/mode.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conversation.h"
#include "session/record_put.h"
#include "session/session_int.h"

#include <stdlib.h>
#include <string.h>

/* A change in progress. */
struct session_mode_call {
	struct session *session;
	session_mode_fn *fn; /* NULL: cancelled */
	void *arg;
	struct err err;
};

static void read_mode(const char *talk, size_t len, struct session_mode *mode)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    len ? json_parse(&doc, talk, len, JSON_SHALLOW, &why) : NULL;
	mode->id = conversation_mode(v, &mode->turns_left);
	json_fini(&doc);
}

static void write_mode(struct buf *out, const char *talk, size_t len,
    const struct session_mode *mode)
{
	struct buf half = {0}, value = {0};
	buf_json_str(&value, mode->id);
	conversation_set(&half, talk, len, "mode", &value);
	buf_reset(&value);
	if (mode->turns_left)
		buf_int(&value, mode->turns_left);
	else
		buf_str(&value, "null");
	conversation_set(out, half.data, half.len, "turns_left", &value);
	buf_fini(&half);
	buf_fini(&value);
}

void mode_count_turn(struct buf *talk)
{
	struct session_mode mode;
	struct buf out = {0};
	if (!talk->len ||
	    !memmem(talk->data, talk->len, CONVERSATION_FULL_ACCESS,
		strlen(CONVERSATION_FULL_ACCESS)))
		return;
	read_mode(talk->data, talk->len, &mode);
	if (!mode.turns_left)
		return;
	if (--mode.turns_left == 0)
		mode.id = CONVERSATION_AUTO;
	write_mode(&out, talk->data, talk->len, &mode);
	buf_fini(talk);
	*talk = out;
}

/* Append the stored conversation; nothing if there is none. */
static void read_talk(struct session *s, struct buf *talk)
{
	struct store_key key = store_key1(s->number);
	struct store_txn txn;
	struct store_span row;
	struct err err;
	store_read(s->all->setup.store, &txn, STORE_FACTS);
	if (store_get(&txn, TABLE_TALKS, key.bytes, 8, &row))
		buf_append(talk, row.data, row.len);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
}

void session_mode(struct session *s, struct session_mode *mode)
{
	struct buf talk = {0};
	read_talk(s, &talk);
	read_mode(talk.data, talk.len, mode);
	buf_fini(&talk);
}

/* ---- changes ---- */

static void finish(struct session_mode_call *call)
{
	struct sessions *all = call->session->all;
	registry_end(all->registry, call->session->at, all->self, false);
	if (call->fn)
		call->fn(call->arg, call->err.code ? &call->err : NULL);
	session_close(&call->session);
	free(call);
}

static void on_written(struct commit *c)
{
	struct session_mode_call *call = c->arg;
	if (c->outcome == COMMIT_FAILED)
		call->err = c->err;
	journal_commit_free(c);
	finish(call);
}

/*
 * The turn that registry_begin() assigned to us prevents others from running
 * while the conversation is written; it is never used.
 */
static void push(struct session_mode_call *call,
    const struct session_mode *mode, const char *caller)
{
	struct session *s = call->session;
	struct store_key key = store_key1(s->number);
	struct buf talk = {0};
	struct commit *c = journal_commit(s->number, s->at, 0, COMMIT_IN_TURN);
	read_talk(s, &talk);
	/* A session that has never run gets a record, which stores its mode. */
	if (session_turn(s) == 0) {
		record_put_id(c, s);
		record_put_idle(c, s, caller, true);
	}
	write_mode(&journal_put(c, TABLE_TALKS, key.bytes, 8)->value, talk.data,
	    talk.len, mode);
	buf_fini(&talk);
	c->done = on_written;
	c->arg = call;
	journal_push(s->all->journal, c, true);
}

struct session_mode_call *session_set_mode(struct session *s,
    const struct session_mode *mode, const char *caller, session_mode_fn *fn,
    void *arg)
{
	struct sessions *all = s->all;
	if (!registry_begin(all->registry, s->at, all->self, 0))
		return NULL;
	struct session_mode_call *call = mem_zero(sizeof *call);
	call->session = session_ref(s);
	call->fn = fn;
	call->arg = arg;
	push(call, mode, caller);
	return call;
}

void session_mode_forget(struct session_mode_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}
