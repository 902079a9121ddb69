/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/link_clients.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/unfinished.h"
#include "core/stat.h"
#include "link/link_frame.h"
#include "link/relayed.h"
#include "link/trunk.h"
#include "net/loop.h"
#include "net/wire.h"

#include <stdlib.h>
#include <string.h>

/* How often clients are checked for silence. */
#define LOOK_MS 5000

/* The largest frame that a worker may send. */
#define MAX_FRAME_BYTES ((size_t)1 << 30)

struct link_clients {
	struct link_clients_setup setup;
	struct list workers;
	size_t n_workers;
	struct list active;  /* clients, those silent for longest first */
	struct list leaving; /* clients whose end waits in their lanes */
	struct map *by_route;
	struct map *by_number;
	size_t n_clients;
	size_t waiting_bytes; /* of all clients */
	uint32_t last_number;
	struct loop_timer look;
	bool is_draining;
	bool is_paused;
};

struct worker_end {
	struct list link;
	struct link_clients *all;
	struct trunk *trunk;
	size_t n_clients;
};

struct client {
	struct list link; /* in active or leaving */
	struct link_clients *all;
	struct worker_end *worker; /* NULL: there is none yet */
	struct trunk_lane lane;	   /* to the worker */
	struct unfinished part;	   /* what waits of it */
	uint32_t number;
	char *session;
	char *conn;
	int64_t heard_ms;
	bool was_answered;
	bool is_leaving;
};

static struct client *client_of(struct list *l)
{
	return list_entry(l, struct client, link);
}

/* ---- routes ---- */

/* Ids of connections and sessions are different things that may look alike. */
static void put_route(struct buf *key, const char *session, size_t session_len,
    const char *conn, size_t conn_len)
{
	buf_char(key, conn_len ? 'c' : 's');
	buf_append(
	    key, conn_len ? conn : session, conn_len ? conn_len : session_len);
}

static struct client *find_client(
    const struct link_clients *all, const struct link_frame *f)
{
	struct buf key = {0};
	struct client *c;

	put_route(
	    &key, f->session.data, f->session.len, f->conn.data, f->conn.len);
	c = map_get(all->by_route, key.data, key.len);
	buf_fini(&key);
	return c;
}

static void enter_route(struct client *c, bool is_in)
{
	struct buf key = {0};

	put_route(
	    &key, c->session, strlen(c->session), c->conn, strlen(c->conn));
	if (is_in)
		(void)map_put(c->all->by_route, key.data, key.len, c);
	else
		(void)map_remove(c->all->by_route, key.data, key.len);
	buf_fini(&key);
}

/* ---- what waits ---- */

/* Count what waits of a client; false if it has to go, and went. */
static bool note_waiting(struct client *c)
{
	size_t bytes = c->lane.waiting + c->lane.under_way;

	c->all->waiting_bytes += bytes - c->part.bytes;
	if (unfinished_hold(&c->part, bytes))
		return true;
	c->all->waiting_bytes -= bytes;
	return false;
}

/* ---- the end of a client ---- */

static void free_client(struct client *c)
{
	struct link_clients *all = c->all;

	if (!c->is_leaving)
		enter_route(c, false);
	(void)map_remove(all->by_number, &c->number, sizeof c->number);
	all->waiting_bytes -= c->part.bytes;
	unfinished_release(&c->part);
	trunk_lane_fini(&c->lane);
	list_remove(&c->link);
	if (c->worker)
		c->worker->n_clients--;
	all->n_clients--;
	stat_add(relay_clients, -1);
	free(c->session);
	free(c->conn);
	free(c);
}

/* Tell the relay that a client is done. */
static void tell_relay(const struct client *c, int code, const char *reason)
{
	struct link_frame_place place = {c->session, c->conn};
	struct buf frame = {0};

	link_frame_end(&frame, &place, code, reason);
	c->all->setup.send(c->all->setup.arg, frame.data, frame.len);
	buf_fini(&frame);
}

/*
 * Tell a client why it is not served, for relays that know no other end of a
 * client than its own.
 */
static void tell_error(const struct client *c, const char *why)
{
	struct link_frame_place place = {c->session, c->conn};
	struct buf text = {0}, frame = {0};

	buf_str(&text, "{\"type\":\"ERROR\",\"message\":");
	buf_json_str(&text, why);
	buf_char(&text, '}');
	link_frame_stamp(&frame, &place, text.data, text.len);
	c->all->setup.send(c->all->setup.arg, frame.data, frame.len);
	buf_fini(&text);
	buf_fini(&frame);
}

static void end_client(struct client *c, int code, const char *reason)
{
	if (!c->is_leaving)
		tell_relay(c, code, reason);
	free_client(c);
}

/* The client left: its worker learns it after what the client has said. */
static void leave(struct client *c)
{
	struct trunk_message m = {
	    TRUNK_CLOSE, c->number, WIRE_CLOSE_NORMAL, NULL, 0};

	enter_route(c, false);
	c->is_leaving = true;
	list_remove(&c->link);
	list_append(&c->all->leaving, &c->link);
	/* So that the end cannot wait for a window. */
	c->lane.window = 0;
	trunk_send(c->worker->trunk, &c->lane, &m);
}

static void lose_client(struct client *c)
{
	if (c->worker)
		leave(c);
	else
		free_client(c);
}

/* Nothing but this says why, if it is refused before any answer. */
static void refuse_client(struct client *c, int code, const char *reason)
{
	if (!c->is_leaving && !c->was_answered && *reason)
		tell_error(c, reason);
	end_client(c, code, reason);
}

/* We give a client up: tell both sides, at once. */
static void drop_client(struct client *c, int code, const char *reason)
{
	struct trunk_message m = {
	    TRUNK_CLOSE, c->number, (uint32_t)code, NULL, 0};

	if (c->worker)
		trunk_send(c->worker->trunk, NULL, &m);
	stat_add(relay_dropped, 1);
	refuse_client(c, code, reason);
}

static void drop_part(struct unfinished *part)
{
	struct client *c = list_entry(part, struct client, part);

	c->all->waiting_bytes -= part->bytes;
	unfinished_release(part);
	drop_client(
	    c, WIRE_CLOSE_TRY_AGAIN, "server has no room for what waits");
}

/* ---- workers ---- */

static struct worker_end *least_busy(const struct link_clients *all)
{
	struct worker_end *best = NULL;

	list_each(it, &all->workers)
	{
		struct worker_end *w = list_entry(it, struct worker_end, link);
		if (!best || w->n_clients < best->n_clients)
			best = w;
	}
	return best;
}

static void assign(struct client *c)
{
	c->worker = least_busy(c->all);
	if (!c->worker)
		return;
	c->worker->n_clients++;
	trunk_adopt(c->worker->trunk, &c->lane);
}

static void on_worker_text(
    struct link_clients *all, const struct trunk_message *m, struct client *c)
{
	c->was_answered = true;
	if (!c->is_leaving)
		all->setup.send(all->setup.arg, m->text, m->len);
}

static void on_worker_close(const struct trunk_message *m, struct client *c)
{
	char *reason = mem_strndup(m->text, m->len);

	refuse_client(c, (int)m->value, reason);
	free(reason);
}

static void on_worker_taken(
    struct worker_end *w, const struct trunk_message *m, struct client *c)
{
	trunk_taken(w->trunk, &c->lane, m->value);
	(void)note_waiting(c); /* it became less */
}

static void on_message(void *arg, const struct trunk_message *m)
{
	struct worker_end *w = arg;
	struct link_clients *all = w->all;
	struct client *c = map_get(all->by_number, &m->wire, sizeof m->wire);

	/* It may be of a client that has just left, or was dropped. */
	if (!c || c->worker != w)
		return;
	if (m->type == TRUNK_TEXT)
		on_worker_text(all, m, c);
	else if (m->type == TRUNK_CLOSE)
		on_worker_close(m, c);
	else if (m->type == TRUNK_TAKEN)
		on_worker_taken(w, m, c);
}

static void on_trunk_room(void *arg)
{
	struct worker_end *w = arg;
	struct link_clients *all = w->all;

	list_each_safe(it, &all->leaving)
	{
		struct client *c = client_of(it);
		if (c->worker == w && list_is_empty(&c->lane.parcels))
			free_client(c);
	}
	all->setup.on_room(all->setup.arg);
}

static void end_clients_of(struct list *list, const struct worker_end *w)
{
	list_each_safe(it, list)
	{
		struct client *c = client_of(it);
		if (c->worker == w)
			end_client(c, WIRE_CLOSE_RESTART, "worker ended");
	}
}

static void free_worker(struct worker_end *w)
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
	struct worker_end *w = arg;
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

static void put(
    struct client *c, enum trunk_type type, const char *text, size_t len)
{
	struct trunk_message m = {type, c->number, 0, text, len};

	if (c->worker)
		trunk_send(c->worker->trunk, &c->lane, &m);
	else
		trunk_lane_keep(&c->lane, &m);
}

static void introduce(struct client *c)
{
	struct buf text = {0};

	buf_append(&text, c->session, strlen(c->session) + 1);
	buf_str(&text, c->conn);
	put(c, TRUNK_OPEN, text.data, text.len);
	buf_fini(&text);
}

static struct client *new_client(struct link_clients *all, struct link_frame *f)
{
	struct client *c = mem_zero(sizeof *c);

	c->all = all;
	c->number = ++all->last_number;
	c->session = mem_strdup(buf_cstr(&f->session));
	c->conn = mem_strdup(buf_cstr(&f->conn));
	c->heard_ms = clock_mono_ms();
	trunk_lane_init(&c->lane, RELAYED_WINDOW);
	unfinished_init(&c->part, drop_part);
	list_init(&c->link);
	list_append(&all->active, &c->link);
	enter_route(c, true);
	(void)map_put(all->by_number, &c->number, sizeof c->number, c);
	all->n_clients++;
	stat_add(relay_clients, 1);
	introduce(c);
	assign(c);
	return c;
}

/* Refuse a client that is not known yet. */
static void refuse(struct link_clients *all, struct link_frame *f, int code,
    const char *reason)
{
	struct client c = {
	    .all = all,
	    .session = mem_strdup(buf_cstr(&f->session)),
	    .conn = mem_strdup(buf_cstr(&f->conn)),
	};

	tell_error(&c, reason);
	tell_relay(&c, code, reason);
	free(c.session);
	free(c.conn);
}

static struct client *admit(struct link_clients *all, struct link_frame *f)
{
	if (all->is_draining)
		refuse(
		    all, f, WIRE_CLOSE_RESTART, "server is restarting; retry");
	else if (all->n_clients >= all->setup.max_clients)
		refuse(all, f, WIRE_CLOSE_TRY_AGAIN,
		    "server is full: max_connections clients are connected; "
		    "retry later");
	else
		return new_client(all, f);
	return NULL;
}

static void take_text(struct client *c, const char *text, size_t len)
{
	struct link_clients *all = c->all;

	c->heard_ms = clock_mono_ms();
	list_remove(&c->link);
	list_append(&all->active, &c->link);
	put(c, TRUNK_TEXT, text, len);
	if (c->lane.waiting > all->setup.max_client_bytes || !note_waiting(c))
		drop_client(c, WIRE_CLOSE_POLICY,
		    "too much waits to be taken; send less at once");
}

void link_clients_take(struct link_clients *all, struct link_frame *f,
    const char *text, size_t len)
{
	struct client *c = find_client(all, f);

	if (f->kind == LINK_FRAME_CLOSE) {
		if (c)
			lose_client(c);
		return;
	}
	if (!c)
		c = admit(all, f);
	if (c)
		take_text(c, text, len);
}

/* ---- time ---- */

static bool is_silent(const struct client *c)
{
	return clock_mono_ms() - c->heard_ms >= c->all->setup.idle_timeout_ms;
}

static void on_look(void *arg)
{
	struct link_clients *all = arg;

	while (!list_is_empty(&all->active) &&
	       is_silent(client_of(all->active.next))) {
		struct client *c = client_of(all->active.next);
		tell_relay(c, WIRE_CLOSE_NORMAL, "silent");
		lose_client(c);
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
		free_client(client_of(clients->next));
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
		    list_entry(all->workers.next, struct worker_end, link));
	loop_timer_stop(all->setup.loop, &all->look);
	map_free(&all->by_route);
	map_free(&all->by_number);
	free(all);
}

void link_clients_add_worker(struct link_clients *all, int fd)
{
	struct worker_end *w = mem_zero(sizeof *w);

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
		lose_client(client_of(all->active.next));
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
		    list_entry(it, struct worker_end, link)->trunk, is_paused);
	}
}

bool link_clients_is_crowded(const struct link_clients *all)
{
	if (all->waiting_bytes <= all->setup.max_bytes / 2)
		return false;
	list_each(it, &all->workers)
	{
		if (trunk_is_full(
			list_entry(it, struct worker_end, link)->trunk))
			return true;
	}
	return false;
}

size_t link_clients_count(const struct link_clients *all)
{
	return all->n_clients;
}
