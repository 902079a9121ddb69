/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "session/claim.h"
#include "session/hold.h"
#include "store/record.h"
#include "session/turn.h"
#include "session/upload.h"
#include "session/uploads.h"
#include "session/usage.h"
#include "session/waiting.h"

/* Longest name a client may give an input, in bytes. */
#define MAX_INPUT_ID 200

/* ---- an earlier input of the same name ---- */

/* Whether the session of that input is one that this caller may open. */
static bool is_open_to_caller(const struct session_call *c)
{
	const char *id = c->receipt.session_id;
	return session_is_open_to(c->session->all, id, strlen(id), c->caller);
}

/* Answer from an earlier input with the same id; false when there is none. */
static bool answer_repeated(struct session_call *c)
{
	enum claim_found found = claim_find(c);
	if (found == CLAIM_UNUSED)
		return false;
	if (found == CLAIM_REUSED)
		(void)err_set(&c->err, ERR_REUSED, NULL);
	else if (found == CLAIM_DAMAGED)
		(void)err_set(&c->err, ERR_DAMAGED, NULL);
	else if (!is_open_to_caller(c))
		(void)err_set(&c->err, ERR_NO_SESSION, NULL);
	else if (c->receipt.id && !c->receipt.is_over && !c->may_join)
		/* Whose turn it will be is not known yet. */
		(void)err_set(&c->err, ERR_BUSY, NULL);
	if (c->err.code)
		call_refuse(c);
	else
		call_answer(c, INPUT_REPEATED);
	return true;
}

/* ---- into a running turn ---- */

/* What is in the facts is accepted: if the turn did not hear of it, the next one
 * is its own. */
static void on_joined(struct commit *commit)
{
	struct session_call *c = commit->arg;
	const struct conf *conf = c->session->all->setup.conf;
	if (commit->are_facts_written) {
		c->receipt.turn = commit->turn;
		c->receipt.seq = commit->last_seq;
		call_answer(c, c->receipt.outcome);
		session_grew(c->session);
	} else if (commit->outcome == COMMIT_FAILED) {
		c->err = commit->err;
		call_refuse(c);
	} else if (commit->refusal == WAITING_DAMAGED) {
		call_refuse_with(c, ERR_DAMAGED);
	} else if (commit->refusal == WAITING_TOO_MANY) {
		(void)err_set(&c->err, ERR_NOT_ACCEPTING,
		    "too many prompts wait for the agent (max: %lld); retry "
		    "after OUTPUT, or increase max_waiting in host.yaml",
		    (long long)conf->max_waiting);
		call_refuse(c);
	} else {
		call_later(c); /* the turn ended, or a twin was first */
	}
	journal_commit_free(commit);
}

static void push_joined(struct session_call *c, struct draft *d, uint32_t turn)
{
	struct session *s = c->session;
	struct commit *commit =
	    journal_commit(s->number, s->at, turn, COMMIT_IN_TURN);
	journal_add(commit, d);
	commit->n_stimuli = 1;
	waiting_join(commit, c, d->id, d->type == EV_ANSWER);
	buf_reset(&c->mem);
	buf_str(&c->mem, d->id);
	c->receipt.id = buf_cstr(&c->mem);
	commit->done = on_joined;
	commit->arg = c;
	journal_push(s->all->journal, commit, true);
}

static void join_turn(struct session_call *c, uint32_t turn)
{
	struct draft d = {0};
	uint64_t question;
	if (c->may_answer &&
	    session_is_waiting(c->session, EV_ASK_USER, &question)) {
		struct buf answer = {0};
		event_begin(&d, EV_ANSWER, turn);
		event_str(&d, "kind", "ask_user", 8);
		buf_json(&answer, c->prompt, c->prompt_len);
		event_json(&d, "answer", answer.data, answer.len);
		event_int(&d, "question", (int64_t)question);
		buf_fini(&answer);
		c->receipt.outcome = INPUT_ANSWERED;
	} else {
		event_begin(&d, EV_MORE_INPUT, turn);
		event_str(&d, "prompt", c->prompt, c->prompt_len);
		c->receipt.outcome = INPUT_ADDED;
	}
	push_joined(c, &d, turn);
	event_fini(&d);
}

/* ---- a place ---- */

static void place_in_running(struct session_call *c)
{
	struct entry *e = session_entry(c->session);
	uint64_t claim = atomic_load(&e->claim);
	if (claim && claim == claim_hash(c))
		call_later(c); /* its twin is being committed */
	else if (atomic_load(&e->ended) == atomic_load(&e->turn) ||
		 atomic_load(&e->closing) == atomic_load(&e->turn))
		call_later(c); /* its owner is about to give it up */
	else if (!c->may_join)
		call_refuse_with(c, ERR_BUSY);
	else if (c->n_files || c->images_len > 2)
		call_refuse_with(c, ERR_NOT_ACCEPTING);
	else if (!registry_runs(e))
		call_later(c); /* its journal takes nothing before its input */
	else
		join_turn(c, atomic_load(&e->begun));
}

/* Whether the caller may have one more turn; else c->err says why not. */
static bool may_begin(struct session_call *c)
{
	const struct sessions_setup *setup = &c->session->all->setup;
	struct usage_sums sums = {setup->heritage, setup->store};
	struct limits_who who = {c->caller, c->peer, c->peer_is_loopback};
	if (usage_check(&sums, setup->conf, c->caller, &c->err) == 0)
		return limits_hold(setup->limits, LIMITS_RUNS, &who, &c->held,
			   &c->err) == 0;
	stat_add(limited_budget, 1);
	return false;
}

static bool is_put_off(const struct session *s)
{
	return clock_mono_ms() < s->put_off_until_ms;
}

/* Whether what was acknowledged before waits for the next turn. */
static bool is_behind(const struct session_call *c)
{
	struct waiting w;
	struct buf mem = {0};
	bool is_it = session_status(c->session) != SESSION_RUNNING &&
		     waiting_first(c->session, &mem, &w);
	buf_fini(&mem);
	return is_it;
}

void input_begin_waiting(struct session *s)
{
	struct sessions *all = s->all;
	struct waiting w;
	struct buf mem = {0};
	if (!all->is_draining && !all->is_leaving && !session_is_crowded(all) &&
	    !store_is_for_ends(all->setup.store) && !is_put_off(s) &&
	    waiting_first(s, &mem, &w)) {
		struct session_call *c = call_of_waiting(s, &w);
		struct limits_who who = {
		    c->caller, c->peer, c->peer_is_loopback};
		uint32_t turn = registry_begin(
		    all->registry, s->at, all->self, claim_hash(c));
		/* It was accepted: limits count it and do not refuse it. */
		if (turn)
			(void)limits_hold(all->setup.limits, LIMITS_RUNS, &who,
			    &c->held, NULL);
		if (turn)
			turn_begin(s, c, turn);
		else
			call_free(c);
	}
	buf_fini(&mem);
}

static void begin_all_waiting(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->ended))) {
		struct session *s = list_entry(l, struct session, ended);
		input_begin_waiting(s);
		session_close(&s);
	}
}

/* What was acknowledged before c comes first. */
static void place_behind(struct session_call *c)
{
	if (is_put_off(c->session) && c->session->is_store_failing) {
		call_refuse_with(c, ERR_STORE);
		return;
	}
	input_begin_waiting(c->session);
	call_later(c);
}

void input_place(struct session_call *c)
{
	struct sessions *all = c->session->all;
	limits_drop(all->setup.limits, &c->held);
	if (answer_repeated(c))
		return;
	if (all->is_draining) {
		call_refuse_with(c, ERR_DRAINING);
		return;
	}
	if (session_is_crowded(all)) {
		call_refuse_with(c, ERR_RUNS);
		return;
	}
	if (store_is_for_ends(all->setup.store)) {
		call_refuse_with(c, ERR_STORE);
		return;
	}
	if (is_behind(c)) {
		place_behind(c);
		return;
	}
	uint32_t turn = registry_begin(
	    all->registry, c->session->at, all->self, claim_hash(c));
	if (!turn && registry_is_stuck(all->registry)) {
		call_refuse_with(c, ERR_LOCKED);
	} else if (!turn) {
		place_in_running(c);
	} else if (!may_begin(c)) {
		registry_end(all->registry, c->session->at, all->self, false);
		call_refuse(c);
	} else {
		turn_begin(c->session, c, turn);
	}
}

void input_retry(struct sessions *all)
{
	struct list again, *l;
	begin_all_waiting(all);
	list_init(&again);
	while ((l = list_shift(&all->retries)))
		list_append(&again, l);
	while ((l = list_shift(&again)))
		input_place(list_entry(l, struct session_call, link));
}

/* ---- from outside ---- */

static void on_saved(
    void *arg, struct agent_file *files, size_t n, const struct err *err)
{
	struct session_call *c = arg;
	if (err) {
		c->err = *err;
		call_refuse(c);
		return;
	}
	c->files = files;
	c->n_files = n;
	input_place(c);
}

static int check_input(
    const struct session *s, const struct session_input *in, struct err *err)
{
	const struct conf *conf = s->all->setup.conf;
	if (in->prompt_len > (size_t)conf->max_prompt)
		return err_set(err, ERR_TOO_LARGE,
		    "prompt too long: %zu bytes (max: %lld). Increase "
		    "max_prompt in host.yaml",
		    in->prompt_len, (long long)conf->max_prompt);
	if (in->input_id &&
	    (!in->input_id_len || in->input_id_len > MAX_INPUT_ID))
		return err_set(err, ERR_BAD_REQUEST,
		    "input_id must have 1 to %d bytes", MAX_INPUT_ID);
	if (in->conversation_len > (size_t)conf->max_session)
		return err_set(err, ERR_TOO_LARGE,
		    "session too large: %zu bytes (max: %lld). Increase "
		    "max_session in host.yaml",
		    in->conversation_len, (long long)conf->max_session);
	return upload_check(in->images, in->files, conf, err);
}

struct session_call *session_input(struct session *s,
    const struct session_input *in, session_receipt_fn *fn, void *arg)
{
	struct session_call *c = mem_zero(sizeof *c);
	list_init(&c->link);
	c->session = session_ref(s);
	c->fn = fn;
	c->arg = arg;
	c->may_join = in->may_join;
	c->is_holder = in->is_holder;
	c->may_answer = in->may_answer;
	if (in->place)
		hold_digest(c->place, in->place);
	c->has_place = in->place != NULL;
	(void)snprintf(c->caller, sizeof c->caller, "%s", in->caller);
	(void)snprintf(c->level, sizeof c->level, "%s", in->level);
	(void)snprintf(c->peer, sizeof c->peer, "%s", in->peer ? in->peer : "");
	c->peer_is_loopback = in->peer_is_loopback;
	c->receipt.session_id = s->id;
	if (check_input(s, in, &c->err) != 0) {
		call_refuse(c);
		return c;
	}
	c->prompt = mem_strndup(in->prompt, in->prompt_len);
	c->prompt_len = in->prompt_len;
	const char *images = "[]";
	c->images_len = 2;
	if (json_count(in->images))
		images = json_text(in->images, &c->images_len);
	c->images = mem_strndup(images, c->images_len);
	buf_append(&c->conversation, in->conversation, in->conversation_len);
	if (in->input_id)
		claim_name(c, in);
	if (json_count(in->files))
		uploads_save(s->all->uploads, in->files, on_saved, c);
	else
		input_place(c);
	return c;
}
