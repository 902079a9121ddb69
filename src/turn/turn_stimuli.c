/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "turn/turn_int.h"

#include "base/json.h"
#include "base/mem.h"
#include "session/waiting.h"
#include "store/record.h"

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

/* A prompt that joined the turn. */
struct heard {
	struct list link; /* first member: turn_forget_heard() */
	enum verdict verdict;
	bool is_told; /* a drop was reported */
	size_t len;
	char id[]; /* NUL-terminated */
};

static struct heard *find_heard(struct turn *t, const char *id, size_t len)
{
	list_each(it, &t->heard)
	{
		struct heard *h = list_entry(it, struct heard, link);
		if (h->len == len && memcmp(h->id, id, len) == 0)
			return h;
	}
	return NULL;
}

static void hear(struct turn *t, const char *id, size_t len)
{
	if (len > EVENT_ID_MAX || find_heard(t, id, len))
		return;
	struct heard *h = mem_zero(sizeof *h + len + 1);
	h->len = len;
	memcpy(h->id, id, len);
	list_append(&t->heard, &h->link);
}

static void change_all(struct turn *t, enum verdict from, enum verdict to)
{
	list_each(it, &t->heard)
	{
		struct heard *h = list_entry(it, struct heard, link);
		if (h->verdict == from)
			h->verdict = to;
	}
}

static void take_up(struct turn *t, const char *id, size_t len)
{
	struct heard *h = find_heard(t, id, len);
	if (h)
		h->verdict = VERDICT_TAKEN;
}

static void note_told(struct turn *t, const char *id, size_t len)
{
	struct heard *h = find_heard(t, id, len);
	if (h)
		h->is_told = true;
}

void turn_stimuli_note(struct turn *t, const struct event *ev)
{
	if (ev->type == EV_MORE_INPUT)
		hear(t, ev->id, ev->id_len);
	else if (ev->type == EV_USER_INPUT)
		take_up(t, ev->id, ev->id_len);
	else if (ev->type == EV_INTERRUPT)
		change_all(t, VERDICT_GIVEN, VERDICT_DROPPED);
	else if (ev->type == EV_INPUT_DROPPED)
		note_told(t, ev->id, ev->id_len);
	else if (ev->type == EV_START) /* undo what an earlier agent took up */
		change_all(t, VERDICT_TAKEN, VERDICT_GIVEN);
}

void turn_stimuli_took(struct turn *t, const char *id)
{
	take_up(t, id, strlen(id));
}

static void turn_stimuli_deliver(struct turn *t, const struct event *ev)
{
	if (!t->agent || t->is_ended)
		return;
	if (ev->type == EV_ANSWER && !turn_stimuli_settle(t, ev))
		return;
	t->named->kind->deliver(t->agent, ev);
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
	bool fits = entry_settle_question(
	    session_entry(t->session), (uint64_t)question);
	if (fits)
		t->question = 0;
	json_fini(&doc);
	buf_fini(&text);
	return fits;
}

/*
 * Copy the events first: agents may act at once, while the read is still open.
 */
static void look(struct turn *t)
{
	struct entry *e = session_entry(t->session);
	uint64_t stimuli = atomic_load(&e->stimuli);
	struct list found, *l;
	if (stimuli == t->stimuli)
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
		turn_stimuli_note(t, &copy->ev);
		turn_stimuli_deliver(t, &copy->ev);
		free(copy);
	}
}

void turn_look(struct turn *t)
{
	if (t->agent && !t->is_ended)
		look(t);
}

/* ---- the end ---- */

static void doubt(const struct waiting *w, void *arg)
{
	struct turn *t = arg;
	hear(t, w->id.data, w->id.len);
}

void turn_stimuli_doubt(struct turn *t)
{
	waiting_each(t->session, t->number, doubt, t);
	change_all(t, VERDICT_GIVEN, VERDICT_DROPPED);
}

/* Tell the clients that wait for it. */
static void tell_dropped(struct turn *t, struct heard *h)
{
	const char *word = err_reason_word(REASON_INTERRUPTED);
	struct draft d = {0};
	event_begin(&d, EV_INPUT_DROPPED, t->number);
	memcpy(d.id, h->id, h->len + 1);
	event_str(&d, "reason", word, strlen(word));
	turn_tell(t, &d);
	event_fini(&d);
	h->is_told = true;
}

void turn_stimuli_last(struct turn *t)
{
	look(t);
	list_each(it, &t->heard)
	{
		struct heard *h = list_entry(it, struct heard, link);
		if (h->verdict == VERDICT_DROPPED && !h->is_told)
			tell_dropped(t, h);
	}
}

void turn_stimuli_say(const struct turn *t, struct commit *c)
{
	list_each(it, &t->heard)
	{
		const struct heard *h = list_entry(it, struct heard, link);
		if (h->verdict != VERDICT_GIVEN)
			waiting_say(c, h->verdict, h->id, h->len);
	}
}
