/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/input.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent_dir.h"
#include "core/conf.h"
#include "core/stat.h"
#include "files/upload.h"
#include "files/uploads.h"
#include "limits/usage.h"
#include "session/claim.h"
#include "session/hold.h"
#include "session/waiting.h"
#include "store/record.h"
#include "turn/turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest name that a client may give to an input, in bytes. */
#define MAX_INPUT_ID 200

/* A call that is being placed. */
struct placing {
	struct session_call *c;
	uint32_t turn; /* the turn begun for it; 0: none yet */
};

/* The result of a check. */
enum found {
	FOUND_NOTHING, /* continue with the next check */
	FOUND_ANSWER,  /* answered, or an answer is pending */
	FOUND_WAIT,    /* place the call again later */
};

static enum found refuse(const struct placing *p, enum err_code code)
{
	call_refuse_with(p->c, code);
	return FOUND_ANSWER;
}

/* ---- an earlier input of the same name ---- */

/* Whether the session of that input is one that this caller may open. */
static bool is_open_to_caller(const struct session_call *c)
{
	const char *id = c->receipt.session_id;
	return session_is_open_to(c->session->all, id, strlen(id), c->caller);
}

/* Whether an earlier input of the same name answers this one. */
static enum found check_repeated(struct placing *p)
{
	struct session_call *c = p->c;
	enum claim_found found = claim_find(c);
	if (found == CLAIM_UNUSED)
		return FOUND_NOTHING;
	if (found == CLAIM_REUSED)
		return refuse(p, ERR_REUSED);
	if (found == CLAIM_DAMAGED)
		return refuse(p, ERR_DAMAGED);
	if (!is_open_to_caller(c))
		return refuse(p, ERR_NO_SESSION);
	/* It is not known yet in which turn it will run. */
	if (c->receipt.id && !c->receipt.is_over && !c->may_join)
		return refuse(p, ERR_BUSY);
	call_answer(c, INPUT_REPEATED);
	return FOUND_ANSWER;
}

/* ---- into a running turn ---- */

/*
 * What is in the facts has been accepted: if the turn did not hear of it, it
 * gets the next one.
 */
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
		if (c->input_id.len)
			event_str(
			    &d, "input_id", c->input_id.data, c->input_id.len);
		c->receipt.outcome = INPUT_ADDED;
	}
	push_joined(c, &d, turn);
	event_fini(&d);
}

/* ---- a place ---- */

static enum found check_deleted(struct placing *p)
{
	return session_is_deleted(p->c->session) ? refuse(p, ERR_NO_SESSION)
						 : FOUND_NOTHING;
}

static enum found check_draining(struct placing *p)
{
	return p->c->session->all->is_draining ? refuse(p, ERR_DRAINING)
					       : FOUND_NOTHING;
}

static enum found check_runs(struct placing *p)
{
	return session_is_crowded(p->c->session->all) ? refuse(p, ERR_RUNS)
						      : FOUND_NOTHING;
}

/* The store's remaining room may be reserved for the ends of turns. */
static enum found check_room(struct placing *p)
{
	return store_is_for_ends(p->c->session->all->setup.store)
		   ? refuse(p, ERR_STORE)
		   : FOUND_NOTHING;
}

static bool is_put_off(const struct session *s)
{
	return clock_mono_ms() < s->put_off_until_ms;
}

/* Whether inputs acknowledged earlier wait for the next turn. */
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
		/*
		 * It was accepted before, so limits count it and do not refuse
		 * it.
		 */
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

/* Inputs acknowledged earlier go first. */
static enum found check_order(struct placing *p)
{
	struct session *s = p->c->session;
	if (!is_behind(p->c))
		return FOUND_NOTHING;
	if (is_put_off(s) && s->is_store_failing)
		return refuse(p, ERR_STORE);
	input_begin_waiting(s);
	return FOUND_WAIT;
}

/* Begin a turn, unless one is running. */
static enum found check_begin(struct placing *p)
{
	const struct session *s = p->c->session;
	struct registry *r = s->all->registry;
	p->turn = registry_begin(r, s->at, s->all->self, claim_hash(p->c));
	return !p->turn && registry_is_stuck(r) ? refuse(p, ERR_LOCKED)
						: FOUND_NOTHING;
}

/* Join the running turn, unless one was begun for the call. */
static enum found check_joined(struct placing *p)
{
	struct session_call *c = p->c;
	if (p->turn)
		return FOUND_NOTHING;
	struct entry *e = session_entry(c->session);
	uint64_t claim = atomic_load(&e->claim);
	uint32_t turn = atomic_load(&e->turn);
	if (claim && claim == claim_hash(c))
		return FOUND_WAIT; /* its twin is being committed */
	if (atomic_load(&e->ended) == turn || atomic_load(&e->closing) == turn)
		return FOUND_WAIT; /* its owner is about to give it up */
	if (!c->may_join)
		return refuse(p, ERR_BUSY);
	if (c->n_files || c->images_len > 2)
		return refuse(p, ERR_NOT_ACCEPTING);
	if (!registry_runs(e))
		return FOUND_WAIT; /* its input must come first */
	join_turn(c, atomic_load(&e->begun));
	return FOUND_ANSWER;
}

static enum found check_budget(struct placing *p)
{
	struct session_call *c = p->c;
	const struct sessions_setup *setup = &c->session->all->setup;
	struct usage_sums sums = {setup->heritage, setup->store};
	if (usage_check(&sums, setup->conf, c->caller, &c->err) == 0)
		return FOUND_NOTHING;
	stat_add(limited_budget, 1);
	call_refuse(c);
	return FOUND_ANSWER;
}

static enum found check_limits(struct placing *p)
{
	struct session_call *c = p->c;
	struct limits *limits = c->session->all->setup.limits;
	struct limits_who who = {c->caller, c->peer, c->peer_is_loopback};
	if (limits_hold(limits, LIMITS_RUNS, &who, &c->held, &c->err) == 0)
		return FOUND_NOTHING;
	call_refuse(c);
	return FOUND_ANSWER;
}

/*
 * The checks, in this order. An input that was accepted before is answered in
 * any case; one that may not begin a turn may still join one.
 */
static enum found (*const checks[])(struct placing *p) = {
    check_repeated,
    check_deleted,
    check_draining,
    check_runs,
    check_room,
    check_order,
    check_begin,
    check_joined,
    check_budget,
    check_limits,
};

static enum found check_all(struct placing *p)
{
	enum found found = FOUND_NOTHING;
	for (size_t i = 0; i < sizeof checks / sizeof *checks && !found; i++)
		found = checks[i](p);
	return found;
}

/*
 * Find the place of an input: a new turn, a running turn, or an earlier
 * identical input.
 */
static void input_place(struct session_call *c)
{
	struct sessions *all = c->session->all;
	struct placing p = {.c = c};
	limits_drop(all->setup.limits, &c->held);
	enum found found = check_all(&p);
	if (found == FOUND_NOTHING) {
		turn_begin(c->session, c, p.turn);
		return;
	}
	if (p.turn)
		registry_end(all->registry, c->session->at, all->self, false);
	if (found == FOUND_WAIT)
		call_later(c);
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

/* ---- calls from other files ---- */

static void on_saved(
    void *arg, struct agent_file *files, size_t n, const struct err *err)
{
	struct session_call *c = arg;
	list_remove(&c->link);
	if (err) {
		c->err = *err;
		call_refuse(c);
		return;
	}
	c->files = files;
	c->n_files = n;
	input_place(c);
}

static void save_files(struct session_call *c, const struct json *files)
{
	struct uploads *u = c->session->all->uploads;
	if (uploads_save(u, files, on_saved, c, &c->err) == 0)
		list_append(&c->session->all->saves, &c->link);
	else
		call_refuse(c);
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
	if (in->agent &&
	    !agent_dir_find(s->all->setup.agents, in->agent, strlen(in->agent)))
		return err_set(err, ERR_BAD_REQUEST,
		    "there is no agent '%.80s'", in->agent);
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
	if (in->agent && *in->agent)
		c->agent = mem_strdup(in->agent);
	if (in->options) {
		c->options = mem_strndup(in->options, in->options_len);
		c->options_len = in->options_len;
	}
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
		save_files(c, in->files);
	else
		input_place(c);
	return c;
}
