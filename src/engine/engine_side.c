/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "engine/engine_side.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/stat.h"
#include "door/door.h"

#include <stdlib.h>
#include <string.h>

/* How often a client that broke a rule is logged. */
#define LOG_EVERY_MS 60000

struct engine_world *engine_side_world(void)
{
	static struct engine_world world;
	return &world;
}

void engine_side_init(struct engine_side *side,
    const struct engine_side_ops *ops, const char *sid, uint64_t number)
{
	side->ops = ops;
	memcpy(side->sid, sid, sizeof side->sid);
	side->number = number;
	side->is_shared = number != 0;
	list_init(&side->link);
}

void engine_side_fini(struct engine_side *side)
{
	side->is_over = true;
	engine_side_world()->user->gone(side);
	if (!list_is_empty(&side->link))
		engine_side_world()->n_lookers--;
	list_remove(&side->link);
	free(side->state);
	side->state = NULL;
}

void engine_side_list(struct engine_side *side)
{
	list_append(&engine_side_world()->lookers, &side->link);
	engine_side_world()->n_lookers++;
}

struct engine *engine_side_take(struct engine_side *side)
{
	enum engine_found found;
	struct engine *e =
	    engine_take(engine_side_world()->table, side->sid, EIO_SID, &found);
	side->is_stuck |= found == ENGINE_STUCK;
	if (e && e->number != side->number) {
		engine_give(engine_side_world()->table);
		return NULL;
	}
	return e;
}

/* ---- looking ---- */

void engine_receive(uint64_t number)
{
	list_each(it, &engine_side_world()->lookers)
	{
		struct engine_side *side =
		    list_entry(it, struct engine_side, link);
		if (side->number == number) {
			side->ops->look(side);
			return;
		}
	}
}

bool engine_side_look(void)
{
	struct engine_world *world = engine_side_world();
	struct list *next;
	if (!world->n_waiting)
		world->n_waiting = world->n_lookers;
	for (int i = 0; i < ENGINE_LOOK_MOST && world->n_waiting; i++) {
		world->n_waiting--;
		next = list_shift(&world->lookers);
		if (!next)
			break; /* some have ended since the round began */
		list_append(&world->lookers, next);
		struct engine_side *side =
		    list_entry(next, struct engine_side, link);
		side->ops->look(side); /* which may end it */
	}
	return world->n_waiting && world->n_lookers;
}

void engine_side_tell(const struct engine_holder *poller,
    const struct engine_holder *socket, uint64_t number)
{
	struct engine_table *t = engine_side_world()->table;
	bool is_here = engine_nudge(t, poller, number);
	if (!engine_is_same(poller, socket))
		is_here |= engine_nudge(t, socket, number);
	if (is_here)
		engine_receive(number);
}

void engine_side_drop(struct engine_side *side, enum engine_end why)
{
	struct engine *e = side->is_shared ? engine_side_take(side) : NULL;
	if (!e)
		return;
	struct engine_holder poller = e->poller, socket = e->socket;
	engine_end(engine_side_world()->table, why);
	engine_side_tell(&poller, &socket, side->number);
}

/* ---- engine.h ---- */

void *engine_mine(const struct engine_side *side)
{
	return side->mine;
}

void engine_set_mine(struct engine_side *side, void *mine)
{
	side->mine = mine;
}

const struct door_setup *engine_setup(const struct engine_side *side)
{
	(void)side; /* there is one engine */
	return engine_side_world()->setup;
}

void *engine_take_state(struct engine_side *side)
{
	if (!side->is_shared)
		return side->state;
	struct engine *e = engine_side_take(side);
	return e ? e->user : NULL;
}

void engine_give_state(struct engine_side *side)
{
	if (side->is_shared)
		engine_give(engine_side_world()->table);
}

bool engine_is_socket(const struct engine_side *side)
{
	return side->ops->hold; /* only these are held */
}

const char *engine_peer(const struct engine_side *side)
{
	return side->peer;
}

const char *engine_place(const struct engine_side *side)
{
	return side->place;
}

bool engine_peer_is_loopback(const struct engine_side *side)
{
	return side->peer_is_loopback;
}

/*
 * A client that speaks another format (msgpack) comes back for ever, ten times a
 * second: engine_failed counts all, the log has one a minute.
 */
static void log_failure(const struct engine_side *side, const char *why)
{
	static int64_t logged_ms;
	static unsigned n_unlogged;
	int64_t now_ms = clock_mono_ms();
	if (logged_ms && now_ms - logged_ms < LOG_EVERY_MS) {
		n_unlogged++;
		return;
	}
	log_info("socket.io peer=%s: the client %s; unlogged=%u since the last "
		 "such line",
	    side->peer, why, n_unlogged);
	logged_ms = now_ms;
	n_unlogged = 0;
}

static void fail(struct engine_side *side, enum engine_end end, const char *why)
{
	if (side->is_over)
		return;
	side->is_over = true;
	stat_add(engine_failed, 1);
	log_failure(side, why);
	engine_side_drop(side, end);
	side->ops->end(side);
}

void engine_answer(struct engine_side *side, const char *packets, size_t len)
{
	if (!side->is_shared) {
		side->ops->send(side, packets, len);
		return;
	}
	struct engine *e = engine_side_take(side);
	if (!e)
		return;
	bool has_room = engine_queue(e, packets, len);
	struct engine_holder poller = e->poller, socket = e->socket;
	engine_give(engine_side_world()->table);
	if (!has_room) {
		fail(side, ENGINE_STUFFED, "does not take its packets");
		return;
	}
	engine_side_tell(&poller, &socket, side->number);
}

int engine_hold_caller(
    struct engine_side *side, const char *address, struct err *err)
{
	return side->ops->hold ? side->ops->hold(side, address, err) : 0;
}

void engine_set_busy(struct engine_side *side, bool is_busy)
{
	if (side->is_busy == is_busy)
		return;
	side->is_busy = is_busy;
	side->ops->pause(side, is_busy);
	if (!is_busy)
		side->ops->go_on(side);
}

void engine_hold(struct engine_side *side)
{
	side->n_holds++;
}

void engine_release(struct engine_side *side)
{
	side->n_holds--;
	side->ops->go_on(side);
}

void engine_ready(struct engine_side *side)
{
	if (side->ops->look && !side->is_over)
		side->ops->look(side);
}

void engine_changed(struct engine_side *side)
{
	if (!side->is_shared) {
		engine_ready(side);
		return;
	}
	struct engine *e = engine_side_take(side);
	if (!e)
		return;
	struct engine_holder poller = e->poller, socket = e->socket;
	e->is_connected = engine_side_world()->user->is_connected(e->user);
	engine_give(engine_side_world()->table);
	engine_side_tell(&poller, &socket, side->number);
}

void engine_fail(struct engine_side *side, const char *why)
{
	fail(side, ENGINE_BROKEN, why);
}

void engine_leave(struct engine_side *side)
{
	struct engine *e = side->is_shared ? engine_side_take(side) : NULL;
	side->is_leaving = true;
	if (e) {
		e->end_ms = clock_mono_ms() + ENGINE_LEAVE_MS;
		engine_give(engine_side_world()->table);
	}
	side->ops->go_on(side);
}
