/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_dial.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/url.h"
#include "net/connect.h"
#include "net/loop.h"
#include "net/stream.h"
#include "websocket/ws_client.h"
#include "websocket/ws_proxy.h"

#include <stdio.h>
#include <stdlib.h>

/* The time for a TCP connection to one address. */
#define CONNECT_TIMEOUT_MS 10000

/* The time from our close frame, or the end, until we cut the connection. */
#define CLOSE_TIMEOUT_MS 5000

/* How often times are checked. */
#define LOOK_MS 1000

struct ws_dial {
	struct loop *loop;
	struct crew *crew;
	const struct ws_dial_handlers *handlers;
	void *arg;
	int64_t open_timeout_ms;
	int64_t stall_timeout_ms;
	struct ws_client *client;
	struct connect_call *call; /* NULL: none in progress */
	struct stream *stream;	   /* NULL: not connected, or cut */
	struct loop_timer look;
	struct loop_later flush;
	uint64_t n_queued;   /* bytes given to the stream so far */
	uint64_t n_taken;    /* of those, at the last look */
	int64_t progress_ms; /* when n_taken changed, or was all */
	int64_t began_ms;
	int64_t heard_ms;
	int64_t pinged_ms;
	int64_t closing_ms; /* when the end began; 0: open */
	int code;	    /* of the end; 0: none yet */
	char why[256];
	bool is_open;	/* on_open was called */
	bool is_paused; /* by the owner */
	bool is_told;	/* on_end was called */
	bool is_freed;	/* by the owner; no handler is called any more */
};

static void dial_destroy(struct ws_dial *d)
{
	connect_forget(&d->call);
	stream_close(&d->stream);
	loop_timer_stop(d->loop, &d->look);
	loop_later_cancel(&d->flush);
	ws_client_free(&d->client);
	free(d);
}

/* ---- what the client says ---- */

static void dial_on_open(void *arg)
{
	struct ws_dial *d = arg;

	d->is_open = true;
	if (!d->is_freed)
		d->handlers->on_open(d->arg);
}

static void dial_on_text(void *arg, const char *text, size_t len)
{
	struct ws_dial *d = arg;

	if (!d->is_freed)
		d->handlers->on_text(d->arg, text, len);
}

static size_t dial_may_grow(void *arg, const char *text, size_t len)
{
	struct ws_dial *d = arg;

	if (d->is_freed || !d->handlers->may_grow)
		return SIZE_MAX;
	return d->handlers->may_grow(d->arg, text, len);
}

static void dial_on_refused(void *arg, const char *text, size_t len)
{
	struct ws_dial *d = arg;

	if (!d->is_freed)
		d->handlers->on_refused(d->arg, text, len);
}

static void dial_note_end(struct ws_dial *d, int code, const char *why)
{
	if (d->code)
		return;
	d->code = code;
	(void)snprintf(d->why, sizeof d->why, "%s", why);
	if (!d->closing_ms)
		d->closing_ms = clock_mono_ms();
	loop_later_ask(d->loop, &d->flush);
}

static void dial_on_end(void *arg, int code, const char *why)
{
	dial_note_end(arg, code, why);
}

static const struct ws_client_handlers client_handlers = {
    .on_open = dial_on_open,
    .on_text = dial_on_text,
    .may_grow = dial_may_grow,
    .on_refused = dial_on_refused,
    .on_end = dial_on_end,
};

/* ---- the consequences, at the end of a tick ---- */

static void dial_write(struct ws_dial *d)
{
	struct buf *out = ws_client_output(d->client);

	if (!out->len || !d->stream)
		return;
	if (!stream_waiting(d->stream))
		d->progress_ms = clock_mono_ms();
	/* The owner limits it. */
	(void)stream_write(d->stream, out->data, out->len, SIZE_MAX);
	d->n_queued += out->len;
	buf_fini(out);
}

static void dial_tell_end(struct ws_dial *d)
{
	if (d->is_told)
		return;
	d->is_told = true;
	stream_close(&d->stream);
	loop_timer_stop(d->loop, &d->look);
	if (!d->is_freed)
		d->handlers->on_end(d->arg, d->code, d->why);
}

/*
 * This is the only place that frees d, and the only one that reports the end:
 * each event ends here, when no callback of d runs any more.
 */
static void dial_settle(void *arg)
{
	struct ws_dial *d = arg;

	dial_write(d);
	if (d->code && (!d->stream || !stream_waiting(d->stream)))
		dial_tell_end(d);
	if (d->is_freed)
		dial_destroy(d);
}

static void dial_ask(struct ws_dial *d)
{
	loop_later_ask(d->loop, &d->flush);
}

/* ---- the socket ---- */

static void dial_on_data(void *arg, const char *data, size_t len)
{
	struct ws_dial *d = arg;

	d->heard_ms = clock_mono_ms();
	ws_client_feed(d->client, data, len);
	dial_ask(d);
}

static void dial_on_stream_end(void *arg)
{
	struct ws_dial *d = arg;

	stream_close(&d->stream);
	ws_client_eof(d->client, "ended the connection");
	dial_ask(d);
}

static void dial_on_drain(void *arg)
{
	struct ws_dial *d = arg;

	d->progress_ms = clock_mono_ms();
	if (d->is_open && !d->code && !d->is_freed && d->handlers->on_drain)
		d->handlers->on_drain(d->arg);
	dial_ask(d);
}

static const struct stream_handlers stream_handlers = {
    .on_data = dial_on_data,
    .on_end = dial_on_stream_end,
    .on_drain = dial_on_drain,
};

static void dial_on_connect(void *arg, int fd, const char *why)
{
	struct ws_dial *d = arg;

	d->call = NULL;
	if (fd < 0) {
		ws_client_eof(d->client, why);
		return;
	}
	d->heard_ms = clock_mono_ms();
	d->stream = stream_open(d->loop, fd, fd, &stream_handlers, d);
	stream_pause(d->stream, d->is_paused);
	dial_ask(d);
}

/* ---- time ---- */

static bool dial_is_over(int64_t since_ms, int64_t limit_ms)
{
	return limit_ms > 0 && clock_mono_ms() - since_ms >= limit_ms;
}

static void dial_cut(struct ws_dial *d, const char *why)
{
	connect_forget(&d->call);
	stream_close(&d->stream);
	ws_client_eof(d->client, why);
	dial_note_end(d, WS_CLIENT_LOST, why);
}

static void dial_note_progress(struct ws_dial *d)
{
	uint64_t waiting = d->stream ? stream_waiting(d->stream) : 0;
	uint64_t n_taken = d->n_queued - waiting;

	if (n_taken != d->n_taken || !waiting)
		d->progress_ms = clock_mono_ms();
	d->n_taken = n_taken;
}

static void dial_look_at(struct ws_dial *d)
{
	dial_note_progress(d);
	if (d->closing_ms && dial_is_over(d->closing_ms, CLOSE_TIMEOUT_MS))
		dial_cut(d, "did not answer the close");
	else if (!d->is_open && dial_is_over(d->began_ms, d->open_timeout_ms))
		dial_cut(d, "did not answer in time");
	else if (dial_is_over(d->progress_ms, d->stall_timeout_ms))
		dial_cut(d, "does not read what it is sent");
	else if (d->is_open && !d->is_paused &&
		 dial_is_over(d->heard_ms, WS_CLIENT_SILENT_MS))
		dial_cut(d, "is silent");
	else if (dial_is_over(d->heard_ms, WS_CLIENT_PING_AFTER_MS) &&
		 dial_is_over(d->pinged_ms, WS_CLIENT_PING_AFTER_MS)) {
		d->pinged_ms = clock_mono_ms();
		ws_client_ping(d->client);
		dial_ask(d);
	}
}

static void dial_on_look(void *arg)
{
	struct ws_dial *d = arg;

	dial_look_at(d);
	loop_timer_set(d->loop, &d->look, LOOK_MS);
}

/* ---- calls ---- */

static void dial_connect(struct ws_dial *d)
{
	d->call = connect_start(d->crew, ws_client_host(d->client),
	    ws_client_port(d->client), CONNECT_TIMEOUT_MS, dial_on_connect, d);
	if (!d->call)
		ws_client_eof(d->client,
		    "cannot be reached: an earlier attempt has not ended yet");
}

struct ws_dial *ws_dial_open(const struct ws_dial_setup *setup)
{
	struct ws_dial *d = mem_zero(sizeof *d);
	struct url proxy;
	char why[200];
	int has_proxy = ws_proxy_find(&proxy, setup->url, why, sizeof why);
	struct ws_client_setup client = {
	    .url = setup->url,
	    .proxy = has_proxy > 0 ? &proxy : NULL,
	    .trust = setup->trust,
	    .user_agent = setup->user_agent,
	    .fields = setup->fields,
	    .max_message_bytes = setup->max_message_bytes,
	    .first_bytes = setup->first_bytes,
	    .max_fragments = WS_CLIENT_MAX_FRAGMENTS,
	    .handlers = &client_handlers,
	    .arg = d,
	};

	d->loop = setup->loop;
	d->crew = setup->crew;
	d->handlers = setup->handlers;
	d->arg = setup->arg;
	d->open_timeout_ms = setup->open_timeout_ms;
	d->stall_timeout_ms = setup->stall_timeout_ms;
	d->began_ms = d->heard_ms = d->progress_ms = clock_mono_ms();
	loop_timer_init(&d->look, dial_on_look, d);
	loop_timer_set(d->loop, &d->look, LOOK_MS);
	loop_later_init(&d->flush, dial_settle, d);
	d->client = ws_client_new(&client);
	url_fini(&proxy);
	if (has_proxy < 0)
		ws_client_eof(d->client, why);
	else
		dial_connect(d);
	return d;
}

void ws_dial_free(struct ws_dial **dp)
{
	struct ws_dial *d = *dp;

	if (!d)
		return;
	*dp = NULL;
	d->is_freed = true;
	connect_forget(&d->call);
	stream_close(&d->stream);
	loop_timer_stop(d->loop, &d->look);
	dial_ask(d);
}

void ws_dial_send(struct ws_dial *d, const char *text, size_t len)
{
	ws_client_send(d->client, text, len);
	dial_ask(d);
}

size_t ws_dial_waiting(const struct ws_dial *d)
{
	return ws_client_output(d->client)->len +
	       (d->stream ? stream_waiting(d->stream) : 0);
}

void ws_dial_pause(struct ws_dial *d, bool is_paused)
{
	d->is_paused = is_paused;
	if (d->stream)
		stream_pause(d->stream, is_paused);
	/* What it said meanwhile is still to be read. */
	d->heard_ms = clock_mono_ms();
}

void ws_dial_close(struct ws_dial *d, int code, const char *reason)
{
	if (d->closing_ms)
		return;
	d->closing_ms = clock_mono_ms();
	if (d->is_open)
		ws_client_close(d->client, code, reason);
	else
		dial_cut(d, "was not needed any more");
	dial_ask(d);
}
