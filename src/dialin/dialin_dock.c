/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_dock.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/map.h"
#include "base/mem.h"
#include "dialin/dialin_monitor.h"
#include "net/wire.h"
#include "ons/ons_message.h"

#include <stdlib.h>

struct dialin_dock *dialin_dock_new(const struct dialin_setup *setup)
{
	struct dialin_dock *d = mem_zero(sizeof *d);
	d->setup = *setup;
	d->table =
	    dialin_table_new(setup->heritage, setup->slot, setup->generation);
	d->monitor = dialin_monitor_of(setup->heritage);
	list_init(&d->conns);
	d->turns = map_new();
	return d;
}

void dialin_dock_verify_by(
    struct dialin_dock *d, dialin_verify *verify, void *arg)
{
	d->verify = verify;
	d->verify_arg = arg;
}

void dialin_dock_free(struct dialin_dock **dp)
{
	struct dialin_dock *d = *dp;
	*dp = NULL;
	if (!d)
		return;
	dialin_table_free(&d->table);
	map_free(&d->turns);
	free(d);
}

struct dialin_conn *dialin_dock_conn(const struct dialin_dock *d, uint64_t home)
{
	struct dialin_conn *best = NULL;
	list_each(it, &d->conns)
	{
		struct dialin_conn *c =
		    list_entry(it, struct dialin_conn, link);
		if (c->connection && (c->home == home || c->alias == home) &&
		    dialin_table_is_newest(d->table, c->place, c->connection) &&
		    (!best || c->connection > best->connection))
			best = c;
	}
	return best;
}

/* ---- turns by their commands ---- */

static void put_key(struct buf *key, uint64_t home, struct span command)
{
	buf_append(key, &home, sizeof home);
	buf_append(key, command.text, command.len);
}

struct agent_turn *dialin_dock_turn(
    const struct dialin_dock *d, uint64_t home, struct span command)
{
	struct buf key = {0};
	put_key(&key, home, command);
	struct agent_turn *t = map_get(d->turns, key.data, key.len);
	buf_fini(&key);
	return t;
}

bool dialin_dock_add(struct dialin_dock *d, uint64_t home, struct span command,
    struct agent_turn *t)
{
	struct buf key = {0};
	if (dialin_dock_turn(d, home, command))
		return false;
	put_key(&key, home, command);
	(void)map_put(d->turns, key.data, key.len, t);
	buf_fini(&key);
	return true;
}

void dialin_dock_remove(
    struct dialin_dock *d, uint64_t home, struct span command)
{
	struct buf key = {0};
	put_key(&key, home, command);
	(void)map_remove(d->turns, key.data, key.len);
	buf_fini(&key);
}

/* ---- connections ---- */

void dialin_send(struct dialin_conn *c, const struct buf *message)
{
	if (c->wire)
		wire_send(c->wire, message->data, message->len);
}

void dialin_read_on(struct dialin_conn *c)
{
	if (c->wire)
		wire_pause(c->wire, c->is_paused || c->is_holding);
}

void dialin_id(struct buf *out)
{
	uint64_t random;
	enc_random(&random, sizeof random);
	ons_put_id(out, "msg", clock_wall_ms(), random);
}

void dialin_begin_ack(struct buf *out, const struct ons_message *m)
{
	struct buf id = {0};
	dialin_id(&id);
	ons_begin_ack(out, (struct span){id.data, id.len}, clock_wall_ms(), m);
	buf_fini(&id);
}

void dialin_tell_running(struct dialin_conn *c, int change)
{
	c->n_running = (uint32_t)((int)c->n_running + change);
	if (c->connection &&
	    dialin_table_is_newest(c->dock->table, c->place, c->connection))
		dialin_table_set_running(
		    c->dock->table, c->place, c->n_running);
}
