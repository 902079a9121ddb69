/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/turn_int.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool is_stimulus(enum event_type type)
{
	return type == EV_MORE_INPUT || type == EV_ANSWER ||
	       type == EV_INTERRUPT;
}

static bool gather_stimulus(const struct event *ev, void *arg)
{
	if (is_stimulus(ev->type))
		turn_stimuli_keep(arg, ev);
	return true;
}

static void deliver(struct turn *t, const struct event *ev)
{
	if (!t->agent || t->is_ended)
		return;
	if (ev->type == EV_ANSWER && !turn_stimuli_settle(t, ev))
		return;
	turn_all(t)->setup.kind->deliver(t->agent, ev);
}

void turn_stimuli_keep(struct list *to, const struct event *ev)
{
	struct event_copy *copy =
	    mem_zero(sizeof *copy + ev->id_len + ev->body_len);
	copy->ev = *ev;
	copy->ev.id = copy->text;
	copy->ev.body = copy->text + ev->id_len;
	memcpy(copy->text, ev->id, ev->id_len);
	if (ev->body_len)
		memcpy(copy->text + ev->id_len, ev->body, ev->body_len);
	list_append(to, &copy->link);
}

bool turn_stimuli_settle(struct turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	int64_t question = 0;
	const struct json *v = event_fields(ev, &doc, &text);
	(void)json_int(json_get(v, "question"), &question);
	struct entry *e = session_entry(t->session);
	uint64_t waiting = atomic_load(&e->waiting);
	bool fits = question && waiting >> 8 == (uint64_t)question;
	if (fits) {
		atomic_compare_exchange_strong(&e->waiting, &waiting, 0);
		t->question = 0;
	}
	json_fini(&doc);
	buf_fini(&text);
	return fits;
}

/* The events are copied out first: agents may act, and a read is open
 * meanwhile. */
void turn_look(struct turn *t)
{
	struct entry *e = session_entry(t->session);
	uint64_t stimuli = atomic_load(&e->stimuli);
	struct list found, *l;
	if (stimuli == t->stimuli || !t->agent || t->is_ended)
		return;
	t->stimuli = stimuli;
	list_init(&found);
	while (journal_read(turn_all(t)->setup.store, t->session->number,
		   &t->cursor, UINT64_MAX, gather_stimulus,
		   &found) == JOURNAL_GONE)
		;
	while ((l = list_shift(&found))) {
		struct event_copy *copy =
		    list_entry(l, struct event_copy, link);
		deliver(t, &copy->ev);
		free(copy);
	}
}

/* ---- what nobody heard ---- */

/* Prompts of a turn that its agent has not taken up. */
struct rest {
	struct list events;
	uint32_t turn;
	bool has_echo; /* the agent says which it takes up */
	uint64_t heard;
};

static void drop_rest(struct rest *r)
{
	struct list *l;
	while ((l = list_shift(&r->events)))
		free(list_entry(l, struct event_copy, link));
}

static void drop_echoed(struct rest *r, const struct event *echo)
{
	list_each_safe(it, &r->events)
	{
		struct event_copy *copy =
		    list_entry(it, struct event_copy, link);
		if (copy->ev.id_len != echo->id_len ||
		    memcmp(copy->ev.id, echo->id, echo->id_len) != 0)
			continue;
		list_remove(&copy->link);
		free(copy);
	}
}

static bool gather_rest(const struct event *ev, void *arg)
{
	struct rest *r = arg;
	if (ev->turn != r->turn)
		return true;
	if (ev->type == EV_INTERRUPT)
		drop_rest(r); /* a stop is for all that was said before it */
	else if (ev->type == EV_USER_INPUT && r->has_echo)
		drop_echoed(r, ev);
	else if (ev->type == EV_MORE_INPUT &&
		 (r->has_echo || ev->seq > r->heard))
		turn_stimuli_keep(&r->events, ev);
	return true;
}

/* Say it again, for the same caller; nobody waits for this receipt. */
static void say_again(struct turn *t, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	struct session_input in = {
	    .caller = t->input->caller,
	    .level = t->input->level,
	    .peer = t->input->peer,
	    .peer_is_loopback = t->input->peer_is_loopback,
	    .may_answer = true,
	    .may_join = true,
	};
	const struct json *v = event_fields(ev, &doc, &text);
	in.prompt = json_str(json_get(v, "prompt"), &scratch, &in.prompt_len);
	if (in.prompt)
		(void)session_input(t->session, &in, NULL, NULL);
	buf_fini(&scratch);
	buf_fini(&text);
	json_fini(&doc);
}

void turn_stimuli_rest(struct turn *t)
{
	struct entry *e = session_entry(t->session);
	struct rest r = {
	    .turn = t->number,
	    .has_echo = turn_all(t)->setup.kind->flags & AGENT_ECHOES,
	    .heard = t->cursor,
	};
	uint64_t cursor = t->before_seq;
	struct list *l;
	if (!t->is_adopted && atomic_load(&e->stimuli) == t->stimuli_before)
		return;
	list_init(&r.events);
	while (journal_read(turn_all(t)->setup.store, t->session->number,
		   &cursor, UINT64_MAX, gather_rest, &r) == JOURNAL_GONE)
		;
	while ((l = list_shift(&r.events))) {
		struct event_copy *copy =
		    list_entry(l, struct event_copy, link);
		say_again(t, &copy->ev);
		free(copy);
	}
}
