/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/turn_int.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/conf.h"
#include "store/record.h"

#include <stdlib.h>

/* What the journal knows about the turn. */
struct past {
	struct list events;
	unsigned n_starts;
	bool is_input_there;
	bool is_elsewhere; /* it began in another journal, now lost */
	bool has_hole;	   /* events are damaged or no longer kept */
	bool has_end;
	bool end_failed;
};

static bool gather_past(const struct event *ev, void *arg)
{
	struct past *p = arg;
	if (ev->type == EV_INPUT)
		p->is_input_there = true;
	if (ev->type == EV_START)
		p->n_starts++;
	if (event_class(ev->type) == EVENT_TERMINAL) {
		p->has_end = true;
		p->end_failed = ev->type == EV_FAILED;
	}
	turn_stimuli_keep(&p->events, ev);
	return true;
}

static void free_past(struct past *p)
{
	struct list *l;
	while ((l = list_shift(&p->events)))
		free(list_entry(l, struct event_copy, link));
}

static void read_past(struct turn *t, struct past *p)
{
	struct sessions *all = turn_all(t);
	struct journal_meta meta;
	struct store_txn txn;
	struct err err;
	store_read(all->setup.store, &txn, STORE_JOURNAL);
	(void)journal_meta(&txn, t->session->number, &meta);
	if (store_read_end(&txn, &err) != 0)
		log_error("%s", err.text);
	/* The dead worker may have written more than it reported. */
	registry_found(all->registry, t->session->at,
	    meta.turn == t->number ? meta.began : 0, meta.ended, meta.last);
	t->cursor = meta.last;
	if (meta.turn != t->number)
		return;
	uint64_t cursor = meta.began - 1;
	t->before_seq = cursor;
	while (journal_read(all->setup.store, t->session->number, &cursor,
		   UINT64_MAX, gather_past, p) == JOURNAL_GONE)
		p->has_hole = true;
	t->cursor = cursor;
}

static void push_input_again(struct turn *t)
{
	struct commit *c = turn_commit(t, COMMIT_BEGIN, turn_written);
	turn_rows_input(c, t);
	t->n_unwritten++;
	turn_push(t, c);
}

/*
 * Tell the agent what it did and heard before, and which question still waits.
 */
static void recall_past(struct turn *t, struct past *p)
{
	struct entry *e = session_entry(t->session);
	list_each(it, &p->events)
	{
		struct event *ev = &list_entry(it, struct event_copy, link)->ev;
		if (turn_is_question(ev->type))
			entry_set_question(e, ev->seq, ev->type);
		if (ev->type == EV_ANSWER && !turn_stimuli_settle(t, ev))
			continue;
		t->named->kind->recall(t->agent, ev);
	}
	t->question = entry_question(e).seq;
	t->asked_ms = clock_mono_ms();
}

static void go_on(struct turn *t, struct past *p)
{
	if (!p->is_input_there)
		push_input_again(t);
	t->state = TURN_RUNNING;
	t->is_resumed = turn_resumes(t);
	turn_start_agent(t);
	recall_past(t, p);
	turn_run_agent(t);
}

/* The journal has the end and the facts do not: bring the facts up to date. */
static void end_as_journal(struct turn *t, struct past *p)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	struct event_copy *last =
	    list_entry(p->events.prev, struct event_copy, link);
	const struct json *v = event_fields(&last->ev, &doc, &text);
	const char *field = p->end_failed ? "reason" : "result";
	size_t n = 0;
	const char *word = json_str(json_get(v, field), &scratch, &n);
	t->state = TURN_RUNNING;
	if (p->end_failed)
		turn_sink_fail(t, err_reason_of(word, n), NULL);
	else
		turn_sink_finish(t, word ? word : "", n, NULL, 0);
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&scratch);
}

/*
 * The facts have the end and the journal does not: bring the journal up to
 * date.
 */
static void end_as_facts(struct turn *t, struct past *p, const struct record *r)
{
	t->is_end_journal_only = t->is_end_in_facts = true;
	if (r->result.data)
		buf_append(&t->result, r->result.data, r->result.len);
	if (turn_is_effect_free(t) && !p->n_starts) {
		go_on(t, p); /* its events may be missing too */
		return;
	}
	if (!p->is_input_there)
		push_input_again(t);
	t->state = TURN_RUNNING;
	if (r->status == RECORD_DONE)
		turn_sink_finish(t, "", 0, NULL, 0);
	else
		turn_sink_fail(
		    t, err_reason_of(r->reason.data, r->reason.len), NULL);
}

/* Both have the end; only the registry was not updated. */
static void end_in_registry(struct turn *t)
{
	struct sessions *all = turn_all(t);
	struct session *s = t->session;
	registry_end(all->registry, s->at, all->self, true);
	session_grew(s);
	session_begin_next(s);
	turn_free(t);
}

/*
 * A journal other than that of the input, or with a hole, cannot tell what
 * happened.
 */
static bool is_past_known(const struct past *p)
{
	return !p->has_hole && !p->is_elsewhere;
}

/* Record the prompts that have joined so far, for the end of the turn. */
static void note_past(struct turn *t, const struct past *p)
{
	list_each(it, &p->events)
	{
		struct event *ev = &list_entry(it, struct event_copy, link)->ev;
		turn_stimuli_note(t, ev);
		turn_tools_note(t, ev->type, ev->body, ev->body_len);
	}
	if (p->has_end)
		turn_forget_tools(t); /* nothing follows it */
	if (!is_past_known(p) && !turn_is_effect_free(t) && !turn_resumes(t))
		turn_stimuli_doubt(t);
}

/*
 * Whether its agent can tell from its own events what it has done; if these are
 * missing, it knows at least that it may have done something.
 */
static bool may_go_on(const struct turn *t, const struct past *p)
{
	if (turn_is_effect_free(t))
		return !p->n_starts;
	return turn_resumes(t) && (p->n_starts || !is_past_known(p));
}

static bool may_start(const struct turn *t, const struct past *p)
{
	if (is_past_known(p) && !p->n_starts)
		return true;
	return turn_may_repeat(t);
}

void turn_adopt(struct session *s, const struct record *r)
{
	struct turn *t = turn_new(s, call_of_record(s, r), r->turn);
	struct limits_who who = {.caller = t->input->caller};
	turn_sink_init(t);
	(void)limits_hold(turn_all(t)->setup.limits, LIMITS_RUNS, &who,
	    &t->input->held, NULL);
	t->has_usage = true; /* what it used before was not written */
	struct past past = {
	    .is_elsewhere =
		!record_is_in_journal(r, store_epoch(turn_all(t)->setup.store)),
	};
	list_init(&past.events);
	t->started_us = r->started_us;
	/* According to the clock, which may have been set back. */
	int64_t ago_us = clock_expiry_ms() * 1000 - r->started_us;
	t->began_us -= ago_us > 0 ? ago_us : 0;
	t->created_ms = r->created_ms;
	t->epoch = r->epoch;
	turn_rows_load_talk(t);
	atomic_store(&session_entry(s)->home, turn_home(t));
	t->client_turn = r->client_turn;
	read_past(t, &past);
	t->n_starts = past.n_starts;
	t->stimuli = atomic_load(&session_entry(s)->stimuli);
	bool is_settled = r->status != RECORD_RUNNING;
	note_past(t, &past);
	if (past.has_end && is_settled) {
		end_in_registry(t);
	} else if (past.has_end) {
		end_as_journal(t, &past);
	} else if (is_settled) {
		end_as_facts(t, &past, r);
	} else if (may_go_on(t, &past)) {
		go_on(t, &past);
	} else if (may_start(t, &past)) {
		if (!past.is_input_there)
			push_input_again(t);
		t->state = TURN_STARTING;
		turn_repeat(t);
	} else {
		if (!past.is_input_there)
			push_input_again(t);
		t->state = TURN_RUNNING;
		turn_sink_fail(t, REASON_INTERRUPTED,
		    "the process that ran the turn died");
	}
	free_past(&past);
}
