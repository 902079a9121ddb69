/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/turn_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/conversation.h"
#include "limits/usage.h"
#include "session/claim.h"
#include "session/hold.h"
#include "session/record_put.h"
#include "session/title.h"
#include "session/waiting.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

/*
 * The images of an input are in its event if all of them together have no more
 * bytes. Larger ones would push other events out of the journal.
 */
#define IMAGES_BYTES ((size_t)256 * 1024)

static enum record_status end_status(const struct turn *t)
{
	if (!t->has_failed)
		return RECORD_DONE;
	return strcmp(err_reason_status(t->reason), "interrupted") == 0
		   ? RECORD_INTERRUPTED
		   : RECORD_FAILED;
}

static struct store_span span_of(const struct buf *b)
{
	return (struct store_span){b->data ? b->data : "", b->len};
}

static struct store_span span_str(const char *s)
{
	return (struct store_span){s, strlen(s)};
}

static void put_record(
    struct commit *c, const struct turn *t, enum record_status status)
{
	int64_t now = clock_wall_ms();
	struct buf extra = {0};
	struct record r = {
	    .number = t->session->number,
	    .turn = t->number,
	    .client_turn = t->client_turn,
	    .status = status,
	    .created_ms = t->created_ms,
	    .expires_ms = t->created_ms + turn_conf(t)->result_ttl * 1000,
	    .updated_ms = now,
	    .started_us = t->started_us,
	    .duration_ms = status == RECORD_RUNNING ? -1 : t->duration_ms,
	    .id = span_str(t->session->id),
	    .caller = span_str(
		session_is_nobodys(t->session) ? "" : t->input->caller),
	    .prompt = {t->input->prompt, t->input->prompt_len},
	    .epoch = t->epoch,
	};
	if (t->input->agent)
		r.agent = span_str(t->input->agent);
	if (status == RECORD_DONE)
		r.result = span_of(&t->result);
	if (status == RECORD_FAILED || status == RECORD_INTERRUPTED)
		r.reason = span_str(err_reason_word(t->reason));
	call_extra(&extra, t->input, status == RECORD_RUNNING);
	if (extra.len)
		r.extra = span_of(&extra);
	(void)record_put(c, t->session, &r);
	buf_fini(&extra);
}

/* Only a turn that is running according to the store may be ended, once. */
static int check_running(struct store_txn *txn, struct commit *c)
{
	struct store_key key = store_key1(c->number);
	struct store_span row;
	struct record r;
	enum store_found found =
	    store_look(txn, TABLE_SESSIONS, key.bytes, 8, &row);
	if (found == STORE_DAMAGED)
		return 0; /* the end replaces it */
	if (found == STORE_NONE || !record_decode(&r, row))
		return 1;
	return r.turn == c->turn && r.status == RECORD_RUNNING ? 0 : 1;
}

/* What the caller has used today, including this turn. */
static void put_usage(struct commit *c, const struct turn *t)
{
	struct usage_sums sums = {
	    turn_all(t)->setup.heritage, turn_all(t)->setup.store};
	struct usage_row row;
	if (!usage_row(&row, &sums, t->input->caller))
		return;
	struct commit_put *p =
	    journal_put(c, TABLE_USAGE, row.key, sizeof row.key);
	buf_append(&p->value, &row.sum, sizeof row.sum);
	p->write = usage_write;
}

static void put_end_facts(struct commit *c, const struct turn *t)
{
	struct store_key key = store_key1(c->number);
	enum record_status status = end_status(t);
	put_record(c, t, status);
	if (t->talk.len)
		buf_append(&journal_put(c, TABLE_TALKS, key.bytes, 8)->value,
		    t->talk.data, t->talk.len);
	if (t->input->has_id) {
		struct claim claim = {
		    .status = status, .duration_ms = t->duration_ms};
		if (status == RECORD_DONE)
			claim.result = span_of(&t->result);
		else
			claim.reason = span_str(err_reason_word(t->reason));
		claim_put(c, t->input, t->number, &claim);
	}
	if (t->has_usage)
		put_usage(c, t);
	c->check = check_running;
	waiting_settle(c);
	turn_stimuli_say(t, c);
}

static void add_end_event(struct commit *c, const struct turn *t)
{
	const struct buf *name = &t->input->input_id;
	struct draft d = {0};
	event_begin(&d, t->has_failed ? EV_FAILED : EV_DONE, t->number);
	if (t->has_failed) {
		const char *word = err_reason_word(t->reason);
		event_str(&d, "reason", word, strlen(word));
	} else {
		event_str(&d, "result", t->result.data, t->result.len);
	}
	event_int(&d, "duration_ms", t->duration_ms);
	if (name->len)
		event_str(&d, "input_id", name->data, name->len);
	journal_add(c, &d);
	event_fini(&d);
}

/* Read the record of the latest turn; turn 0 if there is none. */
static void turn_rows_read_record(
    struct record *r, struct store_txn *txn, const struct store_key *key)
{
	struct store_span row;
	if (!store_get(txn, TABLE_SESSIONS, key->bytes, 8, &row) ||
	    !record_decode(r, row))
		*r = (struct record){.turn = 0};
}

/*
 * The number of turns in the stored conversation, without parsing it. 0: the
 * record cannot tell, since the latest turn left the conversation unchanged.
 */
static uint32_t turns_of_record(const struct record *r)
{
	return r->turn && r->status == RECORD_DONE ? r->client_turn : 0;
}

/* A session keeps the agent of its first turn, whatever later inputs name. */
static void settle_agent(struct turn *t, const struct record *r)
{
	struct session_call *c = t->input;
	if (r->turn) {
		free(c->agent);
		c->agent = r->agent.len
			       ? mem_strndup(r->agent.data, r->agent.len)
			       : NULL;
	}
	turn_set_agent(t, agent_dir_find(turn_all(t)->setup.agents, c->agent,
			      c->agent ? strlen(c->agent) : 0));
}

/* An anonymous caller must not be taken for the previous requester. */
static void drop_requester(struct turn *t)
{
	struct buf talk = {0};
	if (!t->before.len ||
	    !memmem(t->before.data, t->before.len, "\"requester\"", 11))
		return;
	conversation_unset(&talk, t->before.data, t->before.len, "requester");
	buf_fini(&t->before);
	t->before = talk;
}

/* Tell the agent who the requester is; only the server may set that. */
static void add_requester(struct turn *t)
{
	struct buf talk = {0}, who = {0};
	if (!t->input->caller[0]) {
		drop_requester(t);
		return;
	}
	buf_printf(&who, "{\"address\":\"%s\",\"level\":\"%s\"}",
	    t->input->caller, t->input->level);
	conversation_set(
	    &talk, t->before.data, t->before.len, "requester", &who);
	buf_fini(&who);
	buf_fini(&t->before);
	t->before = talk;
}

void turn_rows_load_talk(struct turn *t)
{
	struct session *s = t->session;
	struct store_key key = store_key1(s->number);
	struct store_txn txn;
	struct store_span row;
	struct record r;
	struct err err;
	const struct buf *mine = &t->input->conversation;
	store_read(s->all->setup.store, &txn, STORE_FACTS);
	if (!store_get(&txn, TABLE_TALKS, key.bytes, 8, &row))
		row = (struct store_span){"", 0};
	if (mine->len)
		(void)conversation_merge(&t->before, mine->data, mine->len,
		    row.data, row.len, s->id);
	else
		buf_append(&t->before, row.data, row.len);
	turn_rows_read_record(&r, &txn, &key);
	uint32_t turns = mine->len ? 0 : turns_of_record(&r);
	settle_agent(t, &r);
	hold_settle(t->input, &txn);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
	if (!turns && t->before.len)
		turns = conversation_turn(t->before.data, t->before.len);
	t->client_turn = turns + 1;
	add_requester(t);
}

void turn_rows_input(struct commit *c, const struct turn *t)
{
	const struct session_call *in = t->input;
	struct draft d = {0};
	event_begin(&d, EV_INPUT, t->number);
	event_str(&d, "prompt", in->prompt, in->prompt_len);
	if (in->input_id.len)
		event_str(&d, "input_id", in->input_id.data, in->input_id.len);
	if (in->images_len > 2 && in->images_len <= IMAGES_BYTES)
		event_json(&d, "images", in->images, in->images_len);
	journal_add(c, &d);
	event_fini(&d);
}

void turn_rows_mark(struct commit *c, struct turn *t)
{
	struct draft d = {0};
	event_begin(&d, EV_START, t->number);
	journal_add(c, &d);
	event_fini(&d);
	t->n_starts++;
}

/*
 * A turn whose end is missing in the facts must not be overwritten: on a full
 * disk the end went only to the journal, which is the only source of the result
 * until the sweep has brought the facts up to date.
 */
static int check_begin(struct store_txn *txn, struct commit *c)
{
	struct store_key key = store_key1(c->number);
	struct store_span row;
	struct record r;
	if (store_get(txn, TABLE_SESSIONS, key.bytes, 8, &row) &&
	    record_decode(&r, row) && r.status == RECORD_RUNNING &&
	    r.turn != c->turn) {
		(void)err_set(&c->err, ERR_STORE, NULL);
		return WAITING_UNSETTLED;
	}
	return claim_check(txn, c);
}

void turn_rows_claim(struct commit *c, struct turn *t)
{
	const struct session *s = t->session;
	const struct session_call *in = t->input;
	struct store_key key = store_key1(s->number);
	record_put_id(c, s);
	put_record(c, t, RECORD_RUNNING);
	title_put_default(c, s, in->prompt, in->prompt_len);
	if (in->conversation.len)
		buf_append(&journal_put(c, TABLE_TALKS, key.bytes, 8)->value,
		    t->before.data, t->before.len);
	if (in->has_id)
		claim_put(c, in, t->number, NULL);
	c->check = check_begin;
	if (in->row)
		waiting_take(c, in);
	turn_rows_input(c, t);
	/*
	 * A commit of its own would be one more wait for each turn. If another
	 * worker will start the agent, that one marks it.
	 */
	if (!turn_is_effect_free(t) && turn_is_here(t))
		turn_rows_mark(c, t);
}

void turn_rows_end(struct commit *c, const struct turn *t)
{
	if (!t->is_end_journal_only)
		put_end_facts(c, t);
	add_end_event(c, t);
}
