/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/link_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/stat.h"
#include "link/link_frame.h"
#include "link/relayed.h"
#include "net/wire.h"

#include <stdlib.h>
#include <string.h>

/* ---- routes ---- */

/* Ids of connections and sessions are different things that may look alike. */
static void put_route(struct buf *key, const char *session, size_t session_len,
    const char *conn, size_t conn_len)
{
	buf_char(key, conn_len ? 'c' : 's');
	buf_append(
	    key, conn_len ? conn : session, conn_len ? conn_len : session_len);
}

struct link_client *link_client_find(
    const struct link_clients *all, const struct link_frame *f)
{
	struct buf key = {0};
	struct link_client *c;

	put_route(
	    &key, f->session.data, f->session.len, f->conn.data, f->conn.len);
	c = map_get(all->by_route, key.data, key.len);
	buf_fini(&key);
	return c;
}

static void enter_route(struct link_client *c, bool is_in)
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
bool link_client_note(struct link_client *c)
{
	size_t bytes = c->lane.waiting + c->lane.under_way;

	c->all->waiting_bytes += bytes - c->part.bytes;
	if (unfinished_hold(&c->part, bytes))
		return true;
	c->all->waiting_bytes -= bytes;
	return false;
}

/* ---- the end of a client ---- */

void link_client_free(struct link_client *c)
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
	all->n_admitted -= c->is_admitted;
	stat_add(relay_clients, -1);
	free(c->session);
	free(c->conn);
	free(c);
}

/* Tell the relay that a client is done. */
void link_client_tell_relay(
    const struct link_client *c, int code, const char *reason)
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
static void tell_error(const struct link_client *c, const char *why)
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

void link_client_end(struct link_client *c, int code, const char *reason)
{
	if (!c->is_leaving)
		link_client_tell_relay(c, code, reason);
	link_client_free(c);
}

/* The client left: its worker learns it after what the client has said. */
static void leave(struct link_client *c)
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

void link_client_lose(struct link_client *c)
{
	if (c->worker)
		leave(c);
	else
		link_client_free(c);
}

/* Nothing but this says why, if it is refused before any answer. */
void link_client_refuse(struct link_client *c, int code, const char *reason)
{
	if (!c->is_leaving && !c->was_answered && *reason)
		tell_error(c, reason);
	link_client_end(c, code, reason);
}

/* We give a client up: tell both sides, at once. */
void link_client_drop(struct link_client *c, int code, const char *reason)
{
	struct trunk_message m = {
	    TRUNK_CLOSE, c->number, (uint32_t)code, NULL, 0};

	if (c->worker)
		trunk_send(c->worker->trunk, NULL, &m);
	link_client_refuse(c, code, reason);
}

static void drop_part(struct unfinished *part)
{
	struct link_client *c = list_entry(part, struct link_client, part);

	c->all->waiting_bytes -= part->bytes;
	unfinished_release(part);
	stat_add(relay_dropped, 1);
	link_client_drop(
	    c, WIRE_CLOSE_TRY_AGAIN, "server has no room for what waits");
}

/* ---- the beginning ---- */

void link_client_put(
    struct link_client *c, enum trunk_type type, const char *text, size_t len)
{
	struct trunk_message m = {type, c->number, 0, text, len};

	if (c->worker)
		trunk_send(c->worker->trunk, &c->lane, &m);
	else
		trunk_lane_keep(&c->lane, &m);
}

static void introduce(struct link_client *c)
{
	struct buf text = {0};

	buf_append(&text, c->session, strlen(c->session) + 1);
	buf_str(&text, c->conn);
	link_client_put(c, TRUNK_OPEN, text.data, text.len);
	buf_fini(&text);
}

struct link_client *link_client_new(
    struct link_clients *all, struct link_frame *f)
{
	struct link_client *c = mem_zero(sizeof *c);

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
	return c;
}

/* Refuse a client that is not known yet. */
void link_client_turn_away(struct link_clients *all, struct link_frame *f,
    int code, const char *reason)
{
	struct link_client c = {
	    .all = all,
	    .session = mem_strdup(buf_cstr(&f->session)),
	    .conn = mem_strdup(buf_cstr(&f->conn)),
	};

	tell_error(&c, reason);
	link_client_tell_relay(&c, code, reason);
	free(c.session);
	free(c.conn);
}
