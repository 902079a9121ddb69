/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/relayed.h"

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "link/link_frame.h"
#include "link/trunk.h"
#include "net/loop.h"
#include "net/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What normally may wait for the trunk; never above the limit. */
#define HIGH_WATER ((size_t)256 * 1024)

struct relayed {
	struct relayed_setup setup;
	struct list hubs;
	size_t n_wires;
	unsigned n_hubs; /* that there ever were */
	bool is_draining;
};

/* The connection to one process with clients. */
struct hub {
	struct list link;
	struct relayed *relayed;
	struct trunk *trunk; /* NULL: it ended */
	struct list wires;
	struct map *by_number;
	struct list
	    waiting; /* wires that wait for the trunk to take something */
	unsigned number;
};

/* A message that its user does not take yet. */
struct heard {
	struct list link;
	size_t len;
	char text[];
};

struct relayed_wire {
	struct wire wire; /* first, so that a wire of ours is one of these */
	struct list link;
	struct list waiting;
	struct hub *hub;
	uint32_t number;
	char *session; /* what the relay calls it; see link/link_frame.h */
	char *conn;
	char place[32];
	struct trunk_lane lane; /* to the client */
	struct list heard;
	struct loop_later settle;
	bool is_admitted_told; /* these two, to the link */
	bool is_proven_told;
	bool is_closed; /* by its user: nothing more is sent or delivered */
	bool is_gone;	/* at the other side, after what was heard */
};

static struct relayed_wire *wire_of(struct wire *w)
{
	return (struct relayed_wire *)(void *)w;
}

static void ask_settle(struct relayed_wire *w)
{
	loop_later_ask(w->hub->relayed->setup.loop, &w->settle);
}

/* ---- the end of a wire ---- */

static void drop_heard(struct relayed_wire *w)
{
	struct list *l;

	while ((l = list_shift(&w->heard)))
		free(list_entry(l, struct heard, link));
}

static void free_wire(struct relayed_wire *w)
{
	struct hub *h = w->hub;

	(void)map_remove(h->by_number, &w->number, sizeof w->number);
	h->relayed->n_wires--;
	list_remove(&w->link);
	list_remove(&w->waiting);
	loop_later_cancel(&w->settle);
	trunk_lane_fini(&w->lane);
	drop_heard(w);
	free(w->session);
	free(w->conn);
	free(w);
}

static void end_wire(struct relayed_wire *w)
{
	w->wire.handlers->on_gone(w->wire.arg);
	free_wire(w);
}

/* ---- out ---- */

static void send_end(struct relayed_wire *w, struct trunk_lane *lane, int code,
    const char *reason)
{
	struct trunk_message m = {
	    TRUNK_CLOSE, w->number, (uint32_t)code, reason, strlen(reason)};

	if (w->hub->trunk)
		trunk_send(w->hub->trunk, lane, &m);
}

/* End it now; what waits for the client is lost. */
static void cut_wire(struct relayed_wire *w, int code, const char *reason)
{
	if (w->is_closed)
		return;
	w->is_closed = true;
	trunk_lane_fini(&w->lane);
	send_end(w, NULL, code, reason);
	ask_settle(w);
}

static void await_room(struct relayed_wire *w)
{
	if (list_is_empty(&w->waiting))
		list_append(&w->hub->waiting, &w->waiting);
}

/* Before what tells the client that it was admitted. */
static void tell_admitted(struct relayed_wire *w)
{
	struct trunk_message m = {
	    TRUNK_ADMITTED, w->number, w->wire.is_proven, NULL, 0};

	if (w->is_admitted_told == w->wire.is_admitted &&
	    w->is_proven_told == w->wire.is_proven)
		return;
	w->is_admitted_told = w->wire.is_admitted;
	w->is_proven_told = w->wire.is_proven;
	trunk_send(w->hub->trunk, NULL, &m);
}

static void send_wire(struct wire *wire, const char *text, size_t len)
{
	static struct buf stamped;
	struct relayed_wire *w = wire_of(wire);
	const struct relayed_setup *setup = &w->hub->relayed->setup;
	struct link_frame_place place = {w->session, w->conn};

	if (w->is_closed || w->is_gone || !w->hub->trunk)
		return;
	/* A single frame may exceed the limit; then nothing may follow. */
	if (w->lane.waiting > setup->max_output_bytes) {
		if (setup->slow_readers_total)
			++*setup->slow_readers_total;
		cut_wire(w, WIRE_CLOSE_POLICY, "reads too slowly");
		return;
	}
	tell_admitted(w);
	link_frame_stamp(&stamped, &place, text, len);
	struct trunk_message m = {
	    TRUNK_TEXT, w->number, 0, stamped.data, stamped.len};
	trunk_send(w->hub->trunk, &w->lane, &m);
	if (stamped.cap > HIGH_WATER)
		buf_fini(&stamped);
	buf_reset(&stamped);
	if (w->lane.waiting > wire->high_water / 2)
		await_room(w);
}

static size_t pending(const struct wire *wire)
{
	return ((const struct relayed_wire *)(const void *)wire)->lane.waiting;
}

static void close_wire(struct wire *wire, int code, const char *reason)
{
	struct relayed_wire *w = wire_of(wire);

	if (w->is_closed)
		return;
	w->is_closed = true;
	send_end(w, &w->lane, code, reason ? reason : "");
	await_room(w);
}

static void pause_wire(struct wire *wire)
{
	ask_settle(wire_of(wire));
}

static const struct wire_ops ops = {
    .send = send_wire,
    .pending = pending,
    .close = close_wire,
    .pause = pause_wire,
};

/* ---- in ---- */

/* A client that does not take our output may not ask for more of it. */
static bool takes_messages(const struct relayed_wire *w)
{
	return !w->wire.is_paused && !wire_is_full(&w->wire);
}

static void tell_taken(struct relayed_wire *w, size_t len)
{
	struct trunk_message m = {
	    TRUNK_TAKEN, w->number, (uint32_t)len, NULL, 0};

	if (w->hub->trunk)
		trunk_send(w->hub->trunk, NULL, &m);
}

/* Whether a peer in this state may send as much at once. */
static bool may_send(struct relayed_wire *w, const char *text, size_t len)
{
	const struct wire_handlers *user = w->wire.handlers;

	if (len <= WIRE_FIRST_BYTES || w->wire.is_admitted || !user->may_grow)
		return true;
	return len <= user->may_grow(w->wire.arg, text, WIRE_FIRST_BYTES);
}

static void give(struct relayed_wire *w, const char *text, size_t len)
{
	tell_taken(w, len);
	if (w->is_closed)
		return;
	if (may_send(w, text, len))
		w->wire.handlers->on_text(w->wire.arg, text, len);
	else
		cut_wire(w, WIRE_CLOSE_TOO_BIG, "");
}

static void hear(struct relayed_wire *w, const char *text, size_t len)
{
	if (list_is_empty(&w->heard) && takes_messages(w)) {
		give(w, text, len);
		return;
	}
	struct heard *h = mem_alloc(sizeof *h + len);
	h->len = len;
	memcpy(h->text, text, len);
	list_append(&w->heard, &h->link);
	ask_settle(w);
}

static void give_heard(struct relayed_wire *w)
{
	struct list *l;

	while ((w->is_closed || takes_messages(w)) &&
	       (l = list_shift(&w->heard))) {
		struct heard *h = list_entry(l, struct heard, link);
		give(w, h->text, h->len);
		free(h);
	}
}

/*
 * Draw the consequences of what happened, when no callback runs. This is the
 * only place where a single wire ends.
 */
static void settle_wire(void *arg)
{
	struct relayed_wire *w = arg;

	give_heard(w);
	bool has_sent = list_is_empty(&w->lane.parcels);
	bool has_heard = list_is_empty(&w->heard);
	if ((w->is_gone && has_heard) ||
	    (w->is_closed && (has_sent || w->is_gone)))
		end_wire(w);
}

/* ---- clients ---- */

static struct relayed_wire *new_wire(
    struct hub *h, const struct trunk_message *m)
{
	const struct relayed_setup *setup = &h->relayed->setup;
	struct relayed_wire *w = mem_zero(sizeof *w);
	size_t most = setup->max_output_bytes / 2;
	size_t n = strnlen(m->text, m->len);
	size_t skip = n < m->len ? n + 1 : n;

	w->hub = h;
	w->number = m->wire;
	w->session = mem_strndup(m->text, n);
	w->conn = mem_strndup(m->text + skip, m->len - skip);
	(void)snprintf(
	    w->place, sizeof w->place, "relay %u.%u", h->number, m->wire);
	w->wire = (struct wire){
	    .ops = &ops,
	    .peer = "",
	    .place = w->place,
	    .high_water = most < HIGH_WATER ? most : HIGH_WATER,
	    .origin = WIRE_RELAYED,
	};
	trunk_lane_init(&w->lane, 0);
	list_init(&w->waiting);
	list_init(&w->heard);
	loop_later_init(&w->settle, settle_wire, w);
	list_append(&h->wires, &w->link);
	(void)map_put(h->by_number, &w->number, sizeof w->number, w);
	h->relayed->n_wires++;
	return w;
}

static void refuse_client(
    struct hub *h, uint32_t number, int code, const char *reason)
{
	struct trunk_message m = {
	    TRUNK_CLOSE, number, (uint32_t)code, reason, strlen(reason)};

	trunk_send(h->trunk, NULL, &m);
}

static void open_client(struct hub *h, const struct trunk_message *m)
{
	struct relayed *r = h->relayed;

	if (r->is_draining)
		refuse_client(
		    h, m->wire, WIRE_CLOSE_RESTART, "server restarts");
	else if (r->n_wires >= r->setup.max_wires)
		refuse_client(
		    h, m->wire, WIRE_CLOSE_TRY_AGAIN, "server is full");
	else
		r->setup.serve(&new_wire(h, m)->wire, r->setup.arg);
}

static void on_message(void *arg, const struct trunk_message *m)
{
	struct hub *h = arg;
	struct relayed_wire *w =
	    map_get(h->by_number, &m->wire, sizeof m->wire);

	if (!w && m->type == TRUNK_OPEN)
		open_client(h, m);
	if (!w)
		return; /* or it was closed here meanwhile */
	if (m->type == TRUNK_TEXT) {
		hear(w, m->text, m->len);
	} else if (m->type == TRUNK_CLOSE) {
		w->is_gone = true;
		ask_settle(w);
	}
}

/* ---- trunks ---- */

/* The trunk took something: perhaps of this wire. */
static void note_room(struct relayed_wire *w)
{
	if (w->is_closed) {
		ask_settle(w); /* which ends it once all is sent */
		return;
	}
	if (w->lane.waiting > w->wire.high_water / 2)
		return;
	list_remove(&w->waiting);
	if (!w->is_gone)
		w->wire.handlers->on_drain(w->wire.arg);
	ask_settle(w); /* it may have stopped taking messages */
}

static void on_room(void *arg)
{
	struct hub *h = arg;
	struct list now, *l;

	list_init(&now);
	while ((l = list_shift(&h->waiting)))
		list_append(&now, l);
	while ((l = list_shift(&now))) {
		list_append(&h->waiting, l);
		note_room(list_entry(l, struct relayed_wire, waiting));
	}
}

static void free_hub(struct hub *h)
{
	struct list *l;

	trunk_close(&h->trunk);
	while ((l = h->wires.next) != &h->wires)
		end_wire(list_entry(l, struct relayed_wire, link));
	map_free(&h->by_number);
	list_remove(&h->link);
	free(h);
}

static void on_trunk_end(void *arg)
{
	free_hub(arg);
}

static const struct trunk_handlers trunk_handlers = {
    .on_message = on_message,
    .on_room = on_room,
    .on_end = on_trunk_end,
};

/* ---- calls ---- */

struct relayed *relayed_new(const struct relayed_setup *setup)
{
	struct relayed *r = mem_zero(sizeof *r);

	r->setup = *setup;
	list_init(&r->hubs);
	return r;
}

void relayed_free(struct relayed **rp)
{
	struct relayed *r = *rp;
	struct list *l;

	if (!r)
		return;
	while ((l = r->hubs.next) != &r->hubs)
		free_hub(list_entry(l, struct hub, link));
	*rp = NULL;
	free(r);
}

void relayed_connect(struct relayed *r, int fd)
{
	struct hub *h = mem_zero(sizeof *h);

	h->relayed = r;
	h->number = ++r->n_hubs;
	list_init(&h->wires);
	list_init(&h->waiting);
	h->by_number = map_new();
	list_append(&r->hubs, &h->link);
	h->trunk = trunk_open(
	    r->setup.loop, fd, r->setup.max_message_bytes, &trunk_handlers, h);
}

void relayed_drain(struct relayed *r)
{
	r->is_draining = true;
}

size_t relayed_count(const struct relayed *r)
{
	return r->n_wires;
}
