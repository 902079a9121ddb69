/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* A turn from its begin in a session until the worker leaves it. */
#include "turn/turn_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/conf.h"

static void answer_timeout(struct turn *t)
{
	static const char no[] = "{\"approved\":false,\"scope\":\"once\","
				 "\"mode\":\"reject_hard\"}";
	struct err err;
	log_info("session=%s turn=%u: approval not answered in time",
	    t->session->id, t->number);
	t->question = 0;
	(void)session_answer(
	    t->session, EV_APPROVAL_NEEDED, no, sizeof no - 1, &err);
}

void turn_begin(struct session *s, struct session_call *c, uint32_t number)
{
	struct turn *t = turn_new(s, c, number);
	turn_sink_init(t);
	turn_rows_load_talk(t);
	atomic_store(&session_entry(s)->home, turn_home(t));
	t->state = turn_is_effect_free(t) ? TURN_EAGER : TURN_CLAIMING;
	turn_push_claim(t);
	if (t->state != TURN_EAGER)
		return;
	turn_start_agent(t);
	turn_run_agent(t);
}

void turn_tick(struct turn *t)
{
	const struct conf *conf = turn_conf(t);
	struct entry *e = session_entry(t->session);
	int64_t now = clock_mono_ms();
	if (t->retry_at_ms && now >= t->retry_at_ms) {
		t->retry_at_ms = 0;
		turn_push_end(t);
		return;
	}
	if (!t->agent || t->is_ended)
		return;
	bool is_approval = entry_question(e).type == EV_APPROVAL_NEEDED;
	if (t->question && is_approval &&
	    now - t->asked_ms > conf->approval_timeout * 1000)
		answer_timeout(t);
	if (now - atomic_load(&e->active_ms) <= conf->stuck_timeout * 1000)
		return;
	turn_sink_fail(t, REASON_STUCK, "no event for stuck_timeout seconds");
	turn_end_agent(t);
}

void turn_leave(struct turn *t)
{
	turn_end_agent(t);
	t->is_ended = true;
	turn_free(t);
}
