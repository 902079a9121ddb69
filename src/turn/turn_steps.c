/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The transitions of a turn: the actions of states.tbl, and the commits that
 * lead to them.
 */
#include "turn/turn_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/stat.h"

/* How many bytes of a prompt or result the agent log shows. */
#define ACTIVITY_TEXT 200

/* The delay before a failed write is retried. */
#define RETRY_MS 500

/* How often the log reports that the end of a turn cannot be written. */
#define QUIET_MS 30000

/* Write a line to the agent log, with the beginning of a text. */
static void activity_text(
    struct turn *t, const char *what, const char *text, size_t len)
{
	struct buf line = {0};
	buf_printf(&line, "turn=%u %s: ", t->number, what);
	buf_append(&line, text, len < ACTIVITY_TEXT ? len : ACTIVITY_TEXT);
	turn_activity(t, line.data, line.len);
	buf_fini(&line);
}

/* ---- commits ---- */

/*
 * The facts have the end, but the journal has damaged pages where it belongs:
 * it counts as written there and lost, which readers can handle.
 */
static void end_without_journal(struct turn *t)
{
	struct sessions *all = turn_all(t);
	struct session *s = t->session;
	log_error("session=%s turn=%u: the journal is damaged: only the facts "
		  "have its end",
	    s->id, t->number);
	registry_lost_end(all->registry, s->at, s->number, t->number);
	registry_end(all->registry, s->at, all->self, true);
}

static void turn_steps_on_end(struct commit *c)
{
	struct turn *t = c->arg;
	enum commit_outcome outcome = c->outcome;
	/* Do not write the same facts again. */
	t->is_end_in_facts |= c->are_facts_written;
	if (outcome == COMMIT_FAILED && c->are_facts_written)
		t->is_end_journal_only = true;
	t->lacks_room = c->lacks_room;
	if (outcome == COMMIT_FAILED && c->met_damage && t->is_end_in_facts) {
		end_without_journal(t);
		outcome = COMMIT_OK;
	}
	session_grew(t->session);
	turn_commit_back(t, c);
	turn_step(t, outcome == COMMIT_FAILED ? STIM_RETRY : STIM_ENDED);
	turn_maybe_free(t);
}

void turn_push_end(struct turn *t)
{
	struct commit *c = turn_commit(t, COMMIT_END, turn_steps_on_end);
	turn_rows_end(c, t);
	c->ends_turn_of = turn_all(t)->self;
	c->is_quiet = clock_mono_ms() < t->quiet_until_ms;
	t->n_commits++;
	t->n_in_facts++;
	journal_push(turn_all(t)->journal, c, true);
}

static void on_claimed(struct commit *c)
{
	struct turn *t = c->arg;
	enum commit_outcome outcome = c->outcome;
	bool written = c->are_facts_written;
	t->met_damage = c->met_damage;
	if (t->input) {
		t->input->receipt.turn = t->number;
		t->input->receipt.seq = c->first_seq;
		t->input->err = c->err;
	}
	if (outcome == COMMIT_OK)
		t->cursor = c->last_seq;
	turn_commit_back(t, c);
	if (outcome == COMMIT_OK)
		turn_step(t, STIM_CLAIMED);
	else if (written)
		turn_step(t, STIM_LOST);
	else
		turn_step(t, STIM_REFUSED);
	if (outcome == COMMIT_OK)
		session_grew(t->session);
	turn_maybe_free(t);
}

void turn_push_claim(struct turn *t)
{
	struct commit *c = turn_commit(t, COMMIT_BEGIN, on_claimed);
	turn_rows_claim(c, t);
	turn_push(t, c);
}

static void on_started(struct commit *c)
{
	struct turn *t = c->arg;
	t->n_unwritten -= c->n_events;
	if (c->outcome != COMMIT_OK)
		log_error("session=%s turn=%u: start mark not written",
		    t->session->id, t->number);
	session_grew(t->session);
	turn_commit_back(t, c);
	turn_step(t, STIM_STARTED);
	turn_maybe_free(t);
}

void turn_push_mark(struct turn *t)
{
	struct commit *c = turn_commit(t, COMMIT_IN_TURN, on_started);
	turn_rows_mark(c, t);
	t->n_unwritten++;
	turn_push(t, c);
}

bool turn_may_repeat(const struct turn *t)
{
	return turn_conf(t)->restart == RESTART_SAFE && t->n_starts == 1;
}

static void push_open(struct turn *t)
{
	if (t->open)
		turn_flush(t);
}

void turn_repeat(struct turn *t)
{
	struct entry *e = session_entry(t->session);
	turn_forget_heard(t);
	list_remove(&t->decided);
	t->cursor = t->before_seq;
	t->stimuli = atomic_load(&e->stimuli) - 1;
	t->question = 0;
	entry_clear_question(e);
	turn_tools_close(t, err_reason_word(REASON_INTERRUPTED));
	push_open(t);
	turn_push_mark(t);
}

/* ---- actions of states.tbl ---- */

static void do_accept(struct turn *t)
{
	activity_text(t, "Processing", t->input->prompt, t->input->prompt_len);
	t->input->receipt.outcome = INPUT_STARTED;
	call_tell(t->input);
}

static void do_run(struct turn *t)
{
	turn_start_agent(t);
	turn_run_agent(t);
}

static void do_repeat(struct turn *t)
{
	turn_end_agent(t);
	turn_repeat(t);
}

/* The end of the tick pushes what is open, or lets go of the turn. */
static void do_leave(struct turn *t)
{
	struct sessions *all = turn_all(t);
	turn_end_agent(t);
	if (list_is_empty(&t->dirty))
		list_append(&all->dirty, &t->dirty);
	all->setup.ask_flush(all->setup.arg);
}

static void do_begin(struct turn *t)
{
	do_accept(t);
	if (turn_is_here(t))
		do_run(t);
	else
		turn_step(t, STIM_LEAVE);
}

static void do_refuse(struct turn *t)
{
	struct session_call *c = t->input;
	if (!c->err.code)
		(void)err_set(&c->err, ERR_STORE, NULL);
	c->receipt.err = &c->err;
	c->receipt.outcome = INPUT_REFUSED;
	call_tell(c);
}

/*
 * The claim was refused: an earlier input has it, or the store cannot be
 * written.
 */
static void do_abandon(struct turn *t)
{
	struct sessions *all = turn_all(t);
	struct session_call *c = t->input;
	turn_end_agent(t);
	t->is_ended = true;
	registry_end(all->registry, t->session->at, all->self, false);
	turn_detach(t);
	if (c->row) { /* it waits on, or another turn began with it */
		t->session->put_off_until_ms = clock_mono_ms() + RETRY_MS;
		t->session->is_store_failing = c->err.code != 0;
		return;
	}
	if (c->err.code) {
		do_refuse(t);
		return;
	}
	/* A twin with the same input_id was first: look it up. */
	t->input = NULL;
	call_later(c);
}

static int64_t duration_ms(const struct turn *t)
{
	return (clock_mono_us() - t->began_us) / 1000;
}

static void do_end(struct turn *t)
{
	t->duration_ms = duration_ms(t);
	turn_stimuli_last(t);
	turn_tools_close(
	    t, t->has_failed ? err_reason_word(t->reason) : "natural");
	/* A client that learns of the end may begin the next turn. */
	limits_drop(turn_all(t)->setup.limits, &t->input->held);
	push_open(t);
	turn_push_end(t);
}

/*
 * It is in the facts but not in the journal. Clients must not be told to retry
 * what is durable: its name tells how the turn ended, now or later.
 */
static void do_tell_loss(struct turn *t)
{
	if (t->met_damage) {
		(void)err_set(&t->input->err, ERR_DAMAGED, NULL);
	} else {
		(void)err_set(&t->input->err, ERR_AGENT,
		    "store took the input, but could not take its events");
		t->input->err.reason = err_reason_word(REASON_STORE);
	}
	do_refuse(t);
}

/* The agent has not begun, or has no effects, so the turn ends as failed. */
static void do_lose(struct turn *t)
{
	turn_end_agent(t);
	t->is_ended = true;
	t->has_failed = true;
	t->reason = REASON_STORE;
	do_tell_loss(t);
	do_end(t);
}

/* Once per turn: if that is not enough, the end waits. */
static bool make_room(struct turn *t)
{
	if (!t->lacks_room || t->has_made_room)
		return false;
	t->has_made_room = true;
	return store_use_reserve(turn_all(t)->setup.store);
}

/*
 * If the facts cannot be written, the end goes to the journal, and clients see
 * it; the keeper's sweep later updates the facts.
 */
static void do_end_again(struct turn *t)
{
	int64_t now = clock_mono_ms();
	if (now >= t->quiet_until_ms)
		t->quiet_until_ms = now + QUIET_MS;
	if (make_room(t)) {
		turn_push_end(t);
		return;
	}
	t->is_end_journal_only = true;
	t->retry_at_ms = now + RETRY_MS;
}

static void do_close(struct turn *t)
{
	turn_end_agent(t);
	if (!t->has_failed)
		activity_text(t, "Result", t->result.data, t->result.len);
	if (t->has_failed)
		stat_add(runs_failed, 1);
	else
		stat_add(runs_done, 1);
	turn_detach(t);
	session_begin_next(t->session);
}

struct transition {
	enum turn_state state;
	enum turn_stimulus stimulus;
	void (*act)(struct turn *t);
	enum turn_state next;
};

static const struct transition transitions[] = {
#define STATE(code, doc)
#define STIMULUS(code, doc)
#define TRANSITION(from, stimulus, action, to) \
	{TURN_##from, STIM_##stimulus, do_##action, TURN_##to},
#include "turn/states.tbl"
#undef STATE
#undef STIMULUS
#undef TRANSITION
};

void turn_step(struct turn *t, enum turn_stimulus stimulus)
{
	if (turn_all(t)->is_leaving)
		return;
	for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
		const struct transition *x = &transitions[i];
		if (x->state != t->state || x->stimulus != stimulus)
			continue;
		t->state = x->next;
		x->act(t);
		return;
	}
}
