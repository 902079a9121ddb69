/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_int.h"

#include "agent/mux_frame.h"
#include "base/mem.h"
#include "proc/tree.h"
#include "runner/runner.h"

#include <stdio.h>
#include <string.h>

/* Room for READY, which has the system prompt of the agent. */
#define LINE_MIN_BYTES ((size_t)4 << 20)

static void mux_on_output(void *arg, const char *data, size_t len)
{
	mux_in_take(arg, data, len);
}

/* Turns that begin from now on would be lost. */
static void mux_on_output_end(void *arg)
{
	((struct mux *)arg)->is_silent = true;
}

static void mux_on_complaint(void *arg, const char *text, size_t len)
{
	const struct mux *m = arg;

	m->handlers.on_complaint(m->arg, text, len);
}

static void mux_on_end(void *arg, const struct runner_end *end)
{
	char how[64], why[96];
	enum err_reason reason = runner_reason(end, how, sizeof how);

	(void)snprintf(why, sizeof why, "the process ended: %s", how);
	mux_life_over(arg, reason, why);
}

static const struct runner_handlers runner_handlers = {
    .on_output = mux_on_output,
    .on_output_end = mux_on_output_end,
    .on_complaint = mux_on_complaint,
    .on_end = mux_on_end,
};

struct mux *mux_start(const struct mux_setup *setup,
    const struct mux_handlers *handlers, void *arg, struct err *err)
{
	struct mux *m = mem_zero(sizeof *m);
	size_t most = setup->line_bytes > LINE_MIN_BYTES ? setup->line_bytes
							 : LINE_MIN_BYTES;

	m->setup = setup;
	m->n_allowed = TREE_MORE_PROCESSES / setup->turn_processes;
	m->handlers = *handlers;
	m->arg = arg;
	line_init(&m->frames, most + MUX_FRAME_HEAD);
	list_init(&m->turns);
	m->runner = runner_start(setup->place, &runner_handlers, m, err);
	if (!m->runner) {
		mux_life_dispose(m);
		return NULL;
	}
	runner_claim(m->runner, &runner_handlers, m);
	return m;
}

void mux_free(struct mux **mux)
{
	struct mux *m = *mux;

	*mux = NULL;
	if (!m || m->is_over)
		return;
	m->is_over = true;
	runner_kill(&m->runner);
	list_each_safe(link, &m->turns)
	    mux_life_detach(list_entry(link, struct mux_turn, link));
	if (!m->busy)
		mux_life_dispose(m);
}

/* ---- use ---- */

bool mux_is_open(const struct mux *m)
{
	return !m->is_silent;
}

size_t mux_load(const struct mux *m)
{
	return m->running.n;
}

void mux_leave(struct mux *m)
{
	if (!m->is_leaving && m->running.n)
		mux_life_say(m, 0, "{\"type\":\"DRAIN\"}\n");
	m->is_leaving = true;
	if (m->has_fault)
		mux_life_expire(m);
	mux_life_settle(m);
}

/* Write the lines that came while it waited. */
static void write_early(struct mux_turn *t)
{
	const char *at = t->early.data, *end = at + t->early.len;

	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)(next ? next + 1 - at : end - at);
		mux_channel_write(t, at, n);
		at += n;
	}
	buf_fini(&t->early);
}

/*
 * What it may have grows with its turns, so that a fork bomb finds as little as
 * possible. We are ahead of them, since nobody says when it is allowed.
 */
static void allow_more(struct mux *m)
{
	while (m->n_allowed < 2 * m->running.n) {
		runner_allow_more(m->runner);
		m->n_allowed += TREE_MORE_PROCESSES / m->setup->turn_processes;
	}
}

void mux_begin(struct mux *m, struct mux_turn *t)
{
	t->mux = m;
	t->number = ++m->n_begun;
	mux_table_add(&m->running, t);
	allow_more(m);
	list_append(&m->turns, &t->link);
	m->n_heard++;
	write_early(t);
}

void mux_refuse(struct mux_turn *t, enum err_reason reason, const char *why)
{
	t->base.handlers.on_end(t->base.arg,
	    &(struct channel_end){.reason = reason, .detail = why});
}
