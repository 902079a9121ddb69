/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_int.h"

#include "agent/mux_frame.h"
#include "core/stat.h"
#include "runner/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of lines other than tasks that may wait for a process. */
#define CREDIT_WAITING_MAX ((size_t)32 << 20)

/* ---- writing ---- */

void mux_life_write(struct mux *m, uint64_t number, const char *line, size_t n)
{
	char head[MUX_FRAME_HEAD];

	if (m->is_over)
		return;
	(void)runner_write(
	    m->runner, head, mux_frame_head(head, number), SIZE_MAX);
	(void)runner_write(m->runner, line, n, SIZE_MAX);
}

void mux_life_say(struct mux *m, uint64_t number, const char *line)
{
	mux_life_write(m, number, line, strlen(line));
}

size_t mux_life_waiting(const struct mux *m)
{
	size_t n = m->is_over ? 0 : runner_waiting(m->runner);

	return n > m->task_bytes ? n - m->task_bytes : 0;
}

bool mux_life_give(struct mux_turn *t, size_t n)
{
	char line[64];

	if (!n)
		return true;
	(void)snprintf(
	    line, sizeof line, "{\"type\":\"CREDIT\",\"bytes\":%zu}\n", n);
	mux_life_say(t->mux, t->number, line);
	return mux_life_waiting(t->mux) < CREDIT_WAITING_MAX;
}

/* ---- the turns of the process ---- */

void mux_life_block(struct mux_turn *t)
{
	if (t->is_blocking)
		return;
	t->is_blocking = true;
	if (t->mux->n_blocking++ == 0)
		runner_pause(t->mux->runner, true);
}

void mux_life_unblock(struct mux_turn *t)
{
	if (!t->is_blocking)
		return;
	t->is_blocking = false;
	if (--t->mux->n_blocking == 0 && !t->mux->is_over)
		runner_pause(t->mux->runner, false);
}

void mux_life_detach(struct mux_turn *t)
{
	struct mux *m = t->mux;

	loop_timer_stop(m->setup->place->loop, &t->grace);
	mux_life_unblock(t);
	m->task_bytes -= t->task_bytes;
	m->n_heard -= !t->is_closed;
	mux_table_remove(&m->running, t);
	list_remove(&t->link);
	t->mux = NULL;
	if (t->is_closed)
		mux_turn_free(t);
}

void mux_life_end(struct mux_turn *t, const struct channel_end *end)
{
	bool is_heard = !t->is_closed;

	mux_life_detach(t);
	if (is_heard)
		t->base.handlers.on_end(t->base.arg, end);
}

/* ---- the end of the process ---- */

void mux_life_dispose(struct mux *m)
{
	loop_timer_stop(m->setup->place->loop, &m->deadline);
	loop_timer_stop(m->setup->place->loop, &m->pulse.timer);
	runner_kill(&m->runner);
	mux_table_fini(&m->running);
	line_fini(&m->frames);
	json_fini(&m->doc);
	free(m);
}

void mux_life_release(struct mux *m)
{
	if (--m->busy == 0 && m->is_over)
		mux_life_dispose(m);
}

/* Tell the turns; those to whom nobody listens are freed. */
static void end_turns(struct mux *m, const struct channel_end *end)
{
	while (!list_is_empty(&m->turns))
		mux_life_end(
		    list_entry(m->turns.next, struct mux_turn, link), end);
}

/*
 * If only one turn was running, it was the cause. Otherwise nobody knows,
 * except if a turn has said so (LOST). What interrupts one turn interrupts all.
 */
void mux_life_over(struct mux *m, enum err_reason reason, const char *why)
{
	static const struct channel_end interrupted = {
	    .reason = REASON_INTERRUPTED,
	    .detail = "the process of the turn ended because of another turn"};
	const struct channel_end own = {.reason = reason, .detail = why};
	bool has_cause = !m->is_lost && m->running.n == 1;
	size_t n_lost = has_cause ? 0 : m->n_heard;

	if (m->is_over)
		return;
	m->busy++;
	m->is_over = true;
	runner_kill(&m->runner);
	stat_add(agent_lost, (int64_t)n_lost);
	m->handlers.on_end(m->arg, &(struct mux_end){reason, why, n_lost});
	end_turns(
	    m, has_cause || reason == REASON_INTERRUPTED ? &own : &interrupted);
	mux_life_release(m);
}

void mux_life_settle(struct mux *m)
{
	if (!m->is_leaving || m->is_over)
		return;
	if (m->running.n == 0) {
		runner_retire(&m->runner); /* it exits by itself */
		mux_life_over(m, REASON_EXITED, "its turns have ended");
	} else if (m->n_heard == 0 && m->has_fault) {
		mux_life_over(m, REASON_KILLED, "its other turns have ended");
	}
}

static void on_deadline(void *arg)
{
	mux_life_over(arg, REASON_INTERRUPTED, "drain_timeout is over");
}

void mux_life_expire(struct mux *m)
{
	const struct mux_setup *s = m->setup;

	if (m->deadline.heap_at)
		return;
	loop_timer_init(&m->deadline, on_deadline, m);
	loop_timer_set(s->place->loop, &m->deadline, s->deadline_ms);
}

void mux_life_fault(struct mux *m, const char *why)
{
	m->has_fault = true;
	m->handlers.on_fault(m->arg, why);
}

static void on_grace(void *arg)
{
	struct mux_turn *t = arg;
	char why[96];

	(void)snprintf(why, sizeof why,
	    "turn %" PRIu64 " did not stop within interrupt_grace", t->number);
	mux_life_fault(t->mux, why);
}

void mux_life_stop(struct mux_turn *t)
{
	const struct mux_setup *s = t->mux->setup;

	if (t->is_stopping)
		return;
	t->is_stopping = true;
	loop_timer_init(&t->grace, on_grace, t);
	loop_timer_set(s->place->loop, &t->grace, s->grace_ms);
}
