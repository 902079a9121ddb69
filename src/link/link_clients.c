/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/link_clients.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/stat.h"
#include "link/link_client.h"
#include "link/link_frame.h"
#include "net/wire.h"

#include <stdio.h>
#include <stdlib.h>

/* How often clients are checked for silence. */
#define LOOK_MS 5000

/* The largest frame that a worker may send. */
#define MAX_FRAME_BYTES ((size_t)1 << 30)

static struct link_client *client_of(struct list *l)
{
	return list_entry(l, struct link_client, link);
}

/* ---- workers ---- */

static struct link_worker *least_busy(const struct link_clients *all)
{
	struct link_worker *best = NULL;

	list_each(it, &all->workers)
	{
		struct link_worker *w =
		    list_entry(it, struct link_worker, link);
		if (!best || w->n_clients < best->n_clients)
			best = w;
	}
	return best;
}

static void assign(struct link_client *c)
{
	c->worker = least_busy(c->all);
	if (!c->worker)
		return;
	c->worker->n_clients++;
	trunk_adopt(c->worker->trunk, &c->lane);
}

static void on_worker_text(struct link_clients *all,
    const struct trunk_message *m, struct link_client *c)
{
	c->was_answered = true;
	if (!c->is_leaving)
		all->setup.send(all->setup.arg, m->text, m->len);
}

static void on_worker_close(
    const struct trunk_message *m, struct link_client *c)
{
	char *reason = mem_strndup(m->text, m->len);

	link_client_refuse(c, (int)m->value, reason);
	free(reason);
}

static void on_worker_taken(
    struct link_worker *w, const struct trunk_message *m, struct link_client *c)
{
	trunk_taken(w->trunk, &c->lane, m->value);
	(void)link_client_note(c); /* it became less */
}

static void on_worker_admitted(
    const struct trunk_message *m, struct link_client *c)
{
	c->all->n_admitted += !c->is_admitted;
	c->is_admitted = true;
	c->part.is_proven = m->value != 0;
}

static void on_message(void *arg, const struct trunk_message *m)
{
	struct link_worker *w = arg;
	struct link_clients *all = w->all;
	struct link_client *c =
	    map_get(all->by_number, &m->wire, sizeof m->wire);

	/* It may be of a client that has just left, or was dropped. */
	if (!c || c->worker != w)
		return;
	if (m->type == TRUNK_TEXT)
		on_worker_text(all, m, c);
	else if (m->type == TRUNK_CLOSE)
		on_worker_close(m, c);
	else if (m->type == TRUNK_TAKEN)
		on_worker_taken(w, m, c);
	else if (m->type == TRUNK_ADMITTED)
		on_worker_admitted(m, c);
}

static void on_trunk_room(void *arg)
{
	struct link_worker *w = arg;
	struct link_clients *all = w->all;

	list_each_safe(it, &all->leaving)
	{
		struct link_client *c = client_of(it);
		if (c->worker == w && list_is_empty(&c->lane.parcels))
			link_client_free(c);
	}
	all->setup.on_room(all->setup.arg);
}

static void end_clients_of(struct list *list, const struct link_worker *w)
{
	list_each_safe(it, list)
	{
		struct link_client *c = client_of(it);
		if (c->worker == w)
			link_client_end(c, WIRE_CLOSE_RESTART, "worker ended");
	}
}

static void free_worker(struct link_worker *w)
{
	list_remove(&w->link);
	w->all->n_workers--;
	trunk_close(&w->trunk);
	free(w);
}

/*
 * Its clients cannot go to another: it knew their keys and seals. They are not
 * told an ERROR, which would end their calls, while a break does not.
 */
static void on_trunk_end(void *arg)
{
	struct link_worker *w = arg;
	struct link_clients *all = w->all;

	end_clients_of(&all->active, w);
	end_clients_of(&all->leaving, w);
	free_worker(w);
	all->setup.on_room(all->setup.arg);
}

static const struct trunk_handlers trunk_handlers = {
    .on_message = on_message,
    .on_room = on_trunk_room,
    .on_end = on_trunk_end,
};

/* ---- frames ---- */

static struct link_client *let_in(
    struct link_clients *all, struct link_frame *f)
{
	struct link_client *c = link_client_new(all, f);

	assign(c);
	return c;
}

static struct link_client *admit(struct link_clients *all, struct link_frame *f)
{
	if (!all->is_draining && all->n_clients < all->setup.max_clients)
		return let_in(all, f);
	stat_add(relay_refused, 1);
	if (all->is_draining)
		link_client_turn_away(
		    all, f, WIRE_CLOSE_RESTART, "server is restarting; retry");
	else
		link_client_turn_away(all, f, WIRE_CLOSE_TRY_AGAIN,
		    "server is full: max_connections clients are connected; "
		    "retry later");
	return NULL;
}

static void take_text(struct link_client *c, const char *text, size_t len)
{
	struct link_clients *all = c->all;

	c->heard_ms = clock_mono_ms();
	list_remove(&c->link);
	list_append(&all->active, &c->link);
	link_client_put(c, TRUNK_TEXT, text, len);
	if (c->lane.waiting <= all->setup.max_client_bytes &&
	    link_client_note(c))
		return;
	stat_add(relay_dropped, 1);
	link_client_drop(c, WIRE_CLOSE_POLICY,
	    "too much waits to be taken; send less at once");
}

/* ---- large messages ---- */

static size_t most_of(
    const struct link_clients *all, const struct link_client *c)
{
	return c && c->is_admitted ? all->setup.max_message_bytes
				   : all->setup.max_first_bytes;
}

/* f may lack the ids of its client, c be NULL. */
static void refuse_large(
    struct link_clients *all, struct link_client *c, struct link_frame *f)
{
	char why[100];

	stat_add(relay_oversized, 1);
	(void)snprintf(why, sizeof why,
	    c && c->is_admitted
		? "message too large: %zu bytes are the limit"
		: "message too large: %zu bytes are the limit before CONNECT",
	    most_of(all, c));
	if (c)
		link_client_drop(c, WIRE_CLOSE_TOO_BIG, why);
	else if (f->kind == LINK_FRAME_CLIENT)
		link_client_turn_away(all, f, WIRE_CLOSE_TOO_BIG, why);
}

/* ---- calls from the connection ---- */

void link_clients_take(struct link_clients *all, struct link_frame *f,
    const char *text, size_t len)
{
	struct link_client *c = link_client_find(all, f);

	if (f->kind == LINK_FRAME_CLOSE) {
		if (c)
			link_client_lose(c);
		return;
	}
	if (len > most_of(all, c)) {
		refuse_large(all, c, f);
		return;
	}
	if (!c)
		c = admit(all, f);
	if (c)
		take_text(c, text, len);
}

static struct link_client *peeked_client(
    const struct link_clients *all, const struct link_frame *f)
{
	return f->kind == LINK_FRAME_CLIENT ? link_client_find(all, f) : NULL;
}

/*
 * A relay may put its ids behind the client's members: then the message may be
 * anybody's, and its client is known when it is complete.
 */
size_t link_clients_most(
    const struct link_clients *all, const struct link_frame *f)
{
	const struct link_client *c = peeked_client(all, f);

	if (!c && !f->conn.len && all->n_admitted)
		return all->setup.max_message_bytes;
	return most_of(all, c);
}

void link_clients_refuse(struct link_clients *all, struct link_frame *f)
{
	refuse_large(all, peeked_client(all, f), f);
}

/* ---- time ---- */

static bool is_silent(const struct link_client *c)
{
	return clock_mono_ms() - c->heard_ms >= c->all->setup.idle_timeout_ms;
}

static void on_look(void *arg)
{
	struct link_clients *all = arg;

	while (!list_is_empty(&all->active) &&
	       is_silent(client_of(all->active.next))) {
		struct link_client *c = client_of(all->active.next);
		link_client_tell_relay(c, WIRE_CLOSE_NORMAL, "silent");
		link_client_lose(c);
	}
	loop_timer_set(all->setup.loop, &all->look, LOOK_MS);
}

/* ---- calls ---- */

struct link_clients *link_clients_new(const struct link_clients_setup *setup)
{
	struct link_clients *all = mem_zero(sizeof *all);

	all->setup = *setup;
	list_init(&all->workers);
	list_init(&all->active);
	list_init(&all->leaving);
	all->by_route = map_new();
	all->by_number = map_new();
	unfinished_open(setup->max_bytes, &stat_mine()->unfinished,
	    &stat_mine()->unfinished_dropped);
	loop_timer_init(&all->look, on_look, all);
	loop_timer_set(setup->loop, &all->look, LOOK_MS);
	return all;
}

static void free_all(struct list *clients)
{
	while (!list_is_empty(clients))
		link_client_free(client_of(clients->next));
}

void link_clients_free(struct link_clients **cp)
{
	struct link_clients *all = *cp;

	if (!all)
		return;
	*cp = NULL;
	free_all(&all->active);
	free_all(&all->leaving);
	while (!list_is_empty(&all->workers))
		free_worker(
		    list_entry(all->workers.next, struct link_worker, link));
	loop_timer_stop(all->setup.loop, &all->look);
	map_free(&all->by_route);
	map_free(&all->by_number);
	free(all);
}

void link_clients_add_worker(struct link_clients *all, int fd)
{
	struct link_worker *w = mem_zero(sizeof *w);

	w->all = all;
	w->trunk = trunk_open(
	    all->setup.loop, fd, MAX_FRAME_BYTES, &trunk_handlers, w);
	trunk_pause(w->trunk, all->is_paused);
	list_append(&all->workers, &w->link);
	all->n_workers++;
	list_each(it, &all->active)
	{
		if (!client_of(it)->worker)
			assign(client_of(it));
	}
}

size_t link_clients_workers(const struct link_clients *all)
{
	return all->n_workers;
}

void link_clients_lose(struct link_clients *all)
{
	while (!list_is_empty(&all->active))
		link_client_lose(client_of(all->active.next));
}

void link_clients_drain(struct link_clients *all)
{
	all->is_draining = true;
}

void link_clients_pause(struct link_clients *all, bool is_paused)
{
	if (all->is_paused == is_paused)
		return;
	all->is_paused = is_paused;
	list_each(it, &all->workers)
	{
		trunk_pause(
		    list_entry(it, struct link_worker, link)->trunk, is_paused);
	}
}

bool link_clients_is_crowded(const struct link_clients *all)
{
	if (all->waiting_bytes <= all->setup.max_bytes / 2)
		return false;
	list_each(it, &all->workers)
	{
		if (trunk_is_full(
			list_entry(it, struct link_worker, link)->trunk))
			return true;
	}
	return false;
}

size_t link_clients_count(const struct link_clients *all)
{
	return all->n_clients;
}
