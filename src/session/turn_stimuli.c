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
	if (stimuli == t->stimuli || !t->agent)
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
