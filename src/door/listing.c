/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/listing.h"

#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "net/http.h"
#include "net/loop.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdlib.h>

/* What is examined in one tick. */
#define TICK_ROWS 1000
#define TICK_BYTES ((size_t)2 * 1024 * 1024)

struct listing_run {
	struct listing list;
	const struct listing_form *form;
	struct session_query query; /* limit: what is still wanted */
	char *caller;		    /* of the query */
	size_t rows_left;
	unsigned n_ticks;
	bool has_one;
	struct loop_timer tick;
};

static void listing_run_free(struct listing_run *m)
{
	loop_timer_stop(m->list.setup->loop, &m->tick);
	buf_fini(&m->list.out);
	free(m->caller);
	free(m);
}

static void on_gone(void *arg)
{
	struct listing_run *m = arg;
	if (m->form->forget)
		m->form->forget(m->list.arg);
	listing_run_free(m);
}

static void put_one(const struct session_record *r, void *arg)
{
	struct listing_run *m = arg;
	struct buf *out = &m->list.out;
	size_t before = out->len;
	m->query.limit--;
	if (m->has_one)
		buf_char(out, ',');
	size_t begin = out->len;
	m->form->put(out, r);
	if (out->len == begin)
		out->len = before;
	else
		m->has_one = true;
}

static void finish(struct listing_run *m, const struct err *err)
{
	if (m->list.req)
		http_on_gone(m->list.req, NULL, NULL);
	m->list.next = m->query.before;
	m->list.err = err;
	m->form->finish(&m->list);
	listing_run_free(m);
}

static bool is_tired(const struct listing_run *m)
{
	return m->form->most_ticks && m->n_ticks >= m->form->most_ticks;
}

/* Examine the next rows. Returns whether there are more, for the next tick. */
static bool step(struct listing_run *m)
{
	struct session_query query = m->query;
	struct err err;
	uint64_t next = 0;
	size_t n_seen = 0;
	query.most_seen = m->rows_left < TICK_ROWS ? m->rows_left : TICK_ROWS;
	query.most_bytes = TICK_BYTES;
	query.n_seen = &n_seen;
	int rc = session_list(
	    m->list.setup->sessions, &query, put_one, m, &next, &err);
	m->rows_left -= n_seen;
	m->query.before = next;
	m->n_ticks++;
	if (rc == 0 && next && m->query.limit && m->rows_left && !is_tired(m)) {
		loop_timer_set(m->list.setup->loop, &m->tick, 0);
		return true;
	}
	finish(m, rc == 0 ? NULL : &err);
	return false;
}

static void on_tick(void *arg)
{
	(void)step(arg); /* it comes back, or has finished */
}

static struct listing_run *listing_run_new(const struct door_setup *setup,
    const struct listing_form *form, const struct session_query *query,
    void *arg)
{
	struct listing_run *m = mem_zero(sizeof *m);
	m->list.setup = setup;
	m->list.arg = arg;
	m->form = form;
	m->query = *query;
	m->query.caller = m->caller = mem_strdup(query->caller);
	m->rows_left = query->most_seen ? query->most_seen : SIZE_MAX;
	buf_str(&m->list.out, form->head);
	loop_timer_init(&m->tick, on_tick, m);
	return m;
}

void listing_begin(struct http_req *req, const struct door_setup *setup,
    const struct listing_form *form, const struct session_query *query,
    void *arg)
{
	struct listing_run *m = listing_run_new(setup, form, query, arg);
	m->list.req = req;
	http_on_gone(req, on_gone, m);
	(void)step(m); /* the request knows when it has finished */
}

struct listing_run *listing_start(const struct door_setup *setup,
    const struct listing_form *form, const struct session_query *query,
    void *arg)
{
	struct listing_run *m = listing_run_new(setup, form, query, arg);
	return step(m) ? m : NULL;
}

void listing_stop(struct listing_run **m)
{
	if (*m)
		on_gone(*m);
	*m = NULL;
}
