/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_int.h"

#include "core/stimulus_line.h"

#include <string.h>

static struct mux_turn *turn_of(struct channel *c)
{
	return (struct mux_turn *)(void *)c;
}

static bool is_interrupt(const char *line, size_t n)
{
	return n == strlen(STIMULUS_INTERRUPT) &&
	       memcmp(line, STIMULUS_INTERRUPT, n) == 0;
}

/*
 * An interrupted turn gets one more window, so that it can end although its
 * output is paused.
 */
void mux_channel_write(struct mux_turn *t, const char *line, size_t n)
{
	mux_life_write(t->mux, t->number, line, n);
	if (!t->task_bytes) {
		t->task_bytes = n;
		t->mux->task_bytes += n;
	} else if (is_interrupt(line, n) && !t->is_stopping) {
		t->credit.window += MUX_WINDOW;
		(void)mux_life_give(t, MUX_WINDOW);
		mux_life_stop(t);
	}
}

static bool mux_write(
    struct channel *c, const void *line, size_t n, size_t limit)
{
	struct mux_turn *t = turn_of(c);
	size_t n_waiting = t->mux ? mux_life_waiting(t->mux) : t->early.len;

	if (n > limit || n_waiting > limit - n)
		return false;
	if (t->mux)
		mux_channel_write(t, line, n);
	else if (t->queue)
		buf_append(&t->early, line, n);
	return true;
}

static void mux_pause(struct channel *c, bool is_paused)
{
	struct mux_turn *t = turn_of(c);

	if (!t->mux || t->credit.is_paused == is_paused)
		return;
	mux_credit_pause(&t->credit, is_paused);
	if (is_paused || t == t->mux->current)
		return; /* credit is given when the frame is processed */
	mux_life_unblock(t);
	(void)mux_life_give(t, mux_credit_give(&t->credit));
}

/* The owner lets go of a turn that the process has ended. */
static void mux_retire(struct channel *c)
{
	struct mux_turn *t = turn_of(c);
	struct mux *m = t->mux;

	if (t->queue)
		mux_queue_remove(t);
	if (m && t == m->current)
		m->current = NULL;
	if (m)
		mux_life_detach(t);
	mux_turn_free(t);
	if (m)
		mux_life_settle(m);
}

/* What it writes from now on is discarded, so its credit is given back. */
static void close_turn(struct mux_turn *t)
{
	struct mux *m = t->mux;

	if (t == m->current)
		m->current = NULL;
	t->is_closed = true;
	m->n_heard--;
	mux_life_unblock(t);
	mux_credit_pause(&t->credit, false);
	(void)mux_life_give(t, t->credit.done);
	t->credit.done = 0;
	mux_life_say(m, t->number, "{\"type\":\"CLOSE\"}\n");
	mux_life_stop(t);
	mux_life_settle(m);
}

static void mux_kill(struct channel *c)
{
	struct mux_turn *t = turn_of(c);

	if (t->mux && !t->is_ended)
		close_turn(t);
	else
		mux_retire(c);
}

static const struct channel_ops turn_ops = {
    .write = mux_write,
    .pause = mux_pause,
    .retire = mux_retire,
    .kill = mux_kill,
};

struct mux_turn *mux_turn(const struct channel_handlers *handlers, void *arg)
{
	return mux_turn_new(&turn_ops, handlers, arg);
}
