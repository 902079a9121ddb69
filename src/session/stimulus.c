/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * What clients say to a running turn, in whatever worker: the answer to its
 * question, and the request to stop. Part of session.h.
 */
#include "base/log.h"
#include "session/session_int.h"

#include <string.h>

static void on_said(struct commit *c)
{
	struct session *s = c->arg;
	if (c->outcome == COMMIT_FAILED)
		log_error("session=%s: stimulus lost: %s", s->id, c->err.text);
	session_grew(s);
	session_close(&s);
	journal_commit_free(c);
}

static void say(struct session *s, struct draft *d)
{
	struct commit *c =
	    journal_commit(s->number, s->at, session_turn(s), COMMIT_IN_TURN);
	journal_add(c, d);
	c->n_stimuli = 1;
	c->done = on_said;
	c->arg = session_ref(s);
	journal_push(s->all->journal, c, false);
}

int session_answer(struct session *s, enum event_type kind, const char *json,
    size_t len, struct err *err)
{
	struct draft d = {0};
	uint64_t question;
	if (!session_is_waiting(s, kind, &question))
		return err_set(err, ERR_STALE, NULL);
	event_begin(&d, EV_ANSWER, session_turn(s));
	event_str(&d, "kind", event_name(kind), strlen(event_name(kind)));
	event_json(&d, "answer", json, len);
	event_int(&d, "question", (int64_t)question);
	say(s, &d);
	event_fini(&d);
	return 0;
}

int session_interrupt(struct session *s, enum session_stop how, struct err *err)
{
	struct draft d = {0};
	if (session_status(s) != SESSION_RUNNING)
		return err_set(err, ERR_NOT_RUNNING, NULL);
	event_begin(&d, EV_INTERRUPT, session_turn(s));
	if (how == SESSION_PAUSE)
		event_bool(&d, "is_pause", true);
	say(s, &d);
	event_fini(&d);
	return 0;
}
