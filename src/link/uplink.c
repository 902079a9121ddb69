/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/uplink.h"

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/url.h"
#include "core/stat.h"
#include "link/link_frame.h"
#include "net/loop.h"
#include "net/wire.h"
#include "net/ws_dial.h"

#include <stdio.h>
#include <stdlib.h>

/* The relay removes an agent of which it heard nothing for two minutes. */
#define HEARTBEAT_MS 60000

/* A connection that lasted for this long was good, whatever the relay said. */
#define LIVED_MS 60000

/* The time for a connection to open: name, TCP, TLS and handshake. */
#define OPEN_TIMEOUT_MS 20000

/* A larger message ends the connection: no relay has clients that send such. */
#define MOST_BYTES ((size_t)4 << 30)

/* Above this, nothing is taken from workers until the relay has read. */
#define HIGH_WATER ((size_t)1024 * 1024)

/* The waits between attempts. */
#define DELAY_FIRST_MS 1000
#define DELAY_MOST_MS 30000
#define JITTER_MS 1000

/* The relay has a newer connection of our address, and closes the older. */
#define CLOSE_REPLACED 4001

struct uplink {
	struct uplink_setup setup;
	struct url url;
	struct link_clients *clients;
	struct ws_dial *dial; /* NULL: none now */
	struct loop_timer retry;
	struct loop_timer heartbeat;
	struct json_doc doc;
	struct link_frame frame;
	int64_t opened_ms;
	unsigned n_failures; /* in a row */
	int64_t delay_ms;    /* after the last of them, without the jitter */
	bool is_open;
	bool is_announced;  /* and accepted */
	bool was_announced; /* on any connection */
	bool is_started;
	bool is_crowded;   /* reading is paused */
	bool was_replaced; /* the last connection, by another host */
	bool is_draining;
	bool is_closing;
};

static void dial(struct uplink *u);

static void tell(struct uplink *u, enum uplink_event event, const char *why,
    int64_t delay_ms)
{
	u->setup.on_event(u->setup.arg, event, why, u->n_failures, delay_ms);
}

/* ---- output ---- */

static void update_pauses(struct uplink *u)
{
	bool is_crowded = link_clients_is_crowded(u->clients);

	if (!u->dial)
		return;
	link_clients_pause(u->clients, ws_dial_waiting(u->dial) > HIGH_WATER);
	if (is_crowded != u->is_crowded)
		ws_dial_pause(u->dial, is_crowded);
	u->is_crowded = is_crowded;
}

static void send_frame(void *arg, const char *text, size_t len)
{
	struct uplink *u = arg;

	if (!u->dial || !u->is_open)
		return;
	ws_dial_send(u->dial, text, len);
	update_pauses(u);
}

static void announce(struct uplink *u)
{
	struct buf text = {0};

	u->setup.announce(&text, u->setup.arg);
	send_frame(u, text.data, text.len);
	buf_fini(&text);
	loop_timer_set(u->setup.loop, &u->heartbeat, HEARTBEAT_MS);
}

static void on_heartbeat(void *arg)
{
	announce(arg);
}

/* ---- input ---- */

static void forget_failures(struct uplink *u)
{
	u->n_failures = 0;
	u->delay_ms = 0;
}

/* Returns the wait after one more failure. */
static int64_t note_failure(struct uplink *u)
{
	uint16_t jitter;

	u->n_failures++;
	u->delay_ms = backoff(u->delay_ms, DELAY_FIRST_MS, DELAY_MOST_MS);
	enc_random(&jitter, sizeof jitter);
	return u->delay_ms + (u->n_failures > 1 ? jitter % JITTER_MS : 0);
}

static void on_accepted(struct uplink *u)
{
	bool is_news = !u->is_announced;

	u->is_announced = true;
	if (is_news) {
		stat_add(relay_connected, 1);
		tell(u, u->was_announced ? UPLINK_RESTORED : UPLINK_ANNOUNCED,
		    "", 0);
	}
	u->was_announced = true;
	/* Whether nobody replaces us this time, only time tells. */
	if (!u->was_replaced)
		forget_failures(u);
}

/*
 * It may be for now only: a relay takes the second announcement of a second for
 * a replay of the first.
 */
static void on_refused(struct uplink *u)
{
	int64_t delay_ms = u->is_announced ? HEARTBEAT_MS : note_failure(u);

	tell(u, UPLINK_REFUSED, buf_cstr(&u->frame.text), delay_ms);
	if (!u->is_draining)
		loop_timer_set(u->setup.loop, &u->heartbeat, delay_ms);
}

static void on_dial_text(void *arg, const char *text, size_t len)
{
	struct uplink *u = arg;

	link_frame_read(&u->frame, &u->doc, text, len);
	switch (u->frame.kind) {
	case LINK_FRAME_CLIENT:
	case LINK_FRAME_CLOSE:
		link_clients_take(u->clients, &u->frame, text, len);
		update_pauses(u);
		break;
	case LINK_FRAME_OK:
		on_accepted(u);
		break;
	case LINK_FRAME_ERROR:
		on_refused(u);
		break;
	case LINK_FRAME_ASIDE:
		break;
	case LINK_FRAME_BAD:
		stat_add(relay_bad_frames, 1);
		break;
	}
	if (len > HIGH_WATER)
		json_fini(&u->doc);
}

static size_t on_dial_may_grow(void *arg, const char *text, size_t len)
{
	struct uplink *u = arg;

	link_frame_peek(&u->frame, text, len);
	return link_clients_most(u->clients, &u->frame);
}

static void on_dial_refused(void *arg, const char *text, size_t len)
{
	struct uplink *u = arg;

	link_frame_peek(&u->frame, text, len);
	link_clients_refuse(u->clients, &u->frame);
	update_pauses(u);
}

static void on_dial_open(void *arg)
{
	struct uplink *u = arg;

	u->is_open = true;
	u->opened_ms = clock_mono_ms();
	if (!u->is_draining)
		announce(u);
}

static void on_dial_drain(void *arg)
{
	update_pauses(arg);
}

/* ---- the end, and the next one ---- */

static bool has_lived(const struct uplink *u)
{
	return u->is_open && clock_mono_ms() - u->opened_ms >= LIVED_MS;
}

static void try_again(struct uplink *u, int code, const char *why)
{
	bool is_loss =
	    code != CLOSE_REPLACED && (u->is_announced || has_lived(u));

	u->was_replaced = code == CLOSE_REPLACED;
	if (u->was_replaced)
		why = "has another host of this address";
	if (is_loss || has_lived(u))
		forget_failures(u);
	int64_t delay_ms = is_loss ? DELAY_FIRST_MS : note_failure(u);
	tell(u, is_loss ? UPLINK_LOST : UPLINK_FAILED, why, delay_ms);
	loop_timer_set(u->setup.loop, &u->retry, delay_ms);
}

static void forget_connection(struct uplink *u)
{
	if (u->is_announced)
		stat_add(relay_connected, -1);
	ws_dial_free(&u->dial);
	loop_timer_stop(u->setup.loop, &u->heartbeat);
	u->is_crowded = false;
	link_clients_pause(u->clients, false);
	link_clients_lose(u->clients);
}

static void on_dial_end(void *arg, int code, const char *why)
{
	struct uplink *u = arg;

	forget_connection(u);
	if (u->is_closing || u->is_draining) {
		u->setup.on_closed(u->setup.arg);
		return;
	}
	stat_add(relay_failures, 1);
	try_again(u, code, why);
	u->is_open = u->is_announced = false;
}

static const struct ws_dial_handlers dial_handlers = {
    .on_open = on_dial_open,
    .on_text = on_dial_text,
    .may_grow = on_dial_may_grow,
    .on_refused = on_dial_refused,
    .on_drain = on_dial_drain,
    .on_end = on_dial_end,
};

static void dial(struct uplink *u)
{
	struct ws_dial_setup setup = {
	    .loop = u->setup.loop,
	    .crew = u->setup.crew,
	    .url = &u->url,
	    .trust = u->setup.trust,
	    .user_agent = u->setup.user_agent,
	    .open_timeout_ms = OPEN_TIMEOUT_MS,
	    .stall_timeout_ms = u->setup.stall_timeout_ms,
	    .max_message_bytes = MOST_BYTES,
	    .first_bytes = u->setup.clients.max_first_bytes,
	    .handlers = &dial_handlers,
	    .arg = u,
	};

	u->dial = ws_dial_open(&setup);
}

static void on_retry(void *arg)
{
	dial(arg);
}

/* ---- calls ---- */

static void on_clients_room(void *arg)
{
	update_pauses(arg);
}

static int parse_url(struct uplink *u, const char **why)
{
	struct buf text = {0};

	buf_printf(&text, "%s/ws/announce", u->setup.url);
	int rc = url_parse(&u->url, buf_cstr(&text), why);
	buf_fini(&text);
	return rc;
}

struct uplink *uplink_new(const struct uplink_setup *setup, const char **why)
{
	struct uplink *u = mem_zero(sizeof *u);

	u->setup = *setup;
	if (parse_url(u, why) != 0) {
		free(u);
		return NULL;
	}
	struct link_clients_setup clients = setup->clients;
	clients.send = send_frame;
	clients.on_room = on_clients_room;
	clients.arg = u;
	u->clients = link_clients_new(&clients);
	loop_timer_init(&u->retry, on_retry, u);
	loop_timer_init(&u->heartbeat, on_heartbeat, u);
	return u;
}

void uplink_free(struct uplink **up)
{
	struct uplink *u = *up;

	if (!u)
		return;
	*up = NULL;
	ws_dial_free(&u->dial);
	loop_timer_stop(u->setup.loop, &u->retry);
	loop_timer_stop(u->setup.loop, &u->heartbeat);
	link_clients_free(&u->clients);
	link_frame_fini(&u->frame);
	json_fini(&u->doc);
	url_fini(&u->url);
	free(u);
}

void uplink_add_worker(struct uplink *u, int fd)
{
	link_clients_add_worker(u->clients, fd);
	if (u->is_started)
		return;
	u->is_started = true;
	dial(u);
}

void uplink_drain(struct uplink *u)
{
	u->is_draining = true;
	loop_timer_stop(u->setup.loop, &u->heartbeat);
	link_clients_drain(u->clients);
}

size_t uplink_clients(const struct uplink *u)
{
	return link_clients_count(u->clients);
}

void uplink_close(struct uplink *u)
{
	if (u->is_closing)
		return;
	u->is_closing = true;
	loop_timer_stop(u->setup.loop, &u->retry);
	if (u->dial)
		ws_dial_close(u->dial, WIRE_CLOSE_NORMAL, "");
	else
		u->setup.on_closed(u->setup.arg);
}
