/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/ws_int.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read at once; the parser takes all of them before we read again. */
#define READ_BYTES 65536

/* The time from our close frame, or a failure, to the end of the connection. */
#define CLOSE_TIMEOUT_MS 5000

/* A peer that was silent for this long is sent a ping. */
#define PING_AFTER_MS 25000

/* What normally may wait for the peer; never above the limit. */
#define HIGH_WATER (256 * 1024)

/* How often all sockets are checked; more often for shorter limits. */
#define SWEEP_MS 1000
#define SWEEP_LEAST_MS 20

/* All sockets of the process, and the one timer that checks them. */
static struct {
	struct list all;
	struct loop_timer sweep;
	int64_t sweep_ms;
	int64_t now_ms;
	bool is_ready;
} sockets;

static void cut_slow(struct ws *w)
{
	if (w->is_dead)
		return;
	http_count(w->limits.slow_readers_total, 1);
	ws_out_cut(w);
}

static void cut_silent(struct ws *w)
{
	http_count(w->limits.silent_total, 1);
	ws_out_cut(w);
}

static void tell_gone(struct ws *w)
{
	if (w->is_told)
		return;
	w->is_told = true;
	w->wire.handlers->on_gone(w->wire.arg);
}

static void destroy(struct ws *w)
{
	http_access_socket(w);
	if (w->sock)
		h2o_socket_close(w->sock);
	list_remove(&w->link);
	loop_later_cancel(&w->flush);
	ws_in_fini(w);
	buf_fini(&w->early);
	ws_out_fini(w);
	free(w->peer);
	free(w->place);
	free(w->path);
	free(w);
}

static void on_writable(h2o_socket_t *sock, const char *err);
static void ws_on_readable(h2o_socket_t *sock, const char *err);

/* Process incoming bytes. */
static void ws_hear(struct ws *w, const char *p, size_t n)
{
	w->heard_ms = w->input_ms = sockets.now_ms;
	w->bytes_in += n;
	ws_in_feed(w, p, n);
}

/* Both sides are done: end the connection gracefully. */
static void ws_finish(struct ws *w)
{
	if (w->is_clean) {
		w->is_dead = true;
		return;
	}
	/*
	 * Closing now, with unread bytes of the peer, would reset the
	 * connection and could lose our close frame. Shut down our direction
	 * and read on until the peer leaves or the time is up.
	 */
	if (!w->is_shut)
		(void)shutdown(h2o_socket_get_fd(w->sock), SHUT_WR);
	w->is_shut = true;
}

/* A peer that does not take our output may not ask for more of it. */
static bool wants_to_read(const struct ws *w)
{
	return w->has_done_reading || w->has_sent_close ||
	       ((w->limits.reads_always || !wire_is_full(&w->wire)) &&
		   !w->wire.is_paused);
}

/*
 * A socket that is not to be read stays with the poller until the peer sends
 * something: most pauses end before that.
 */
static void update_reading(struct ws *w)
{
	if (w->is_reading || !wants_to_read(w))
		return;
	w->is_reading = true;
	h2o_socket_read_start(w->sock, ws_on_readable);
}

static void stop_reading(struct ws *w)
{
	w->is_reading = false;
	h2o_socket_read_stop(w->sock);
}

/*
 * Draw the consequences of what happened. This is the only place where a socket
 * ends; every event ends here, and w may be gone afterwards.
 */
static void settle(struct ws *w)
{
	if (w->sock && !w->is_dead && w->has_sent_close &&
	    w->has_done_reading && !ws_waiting_bytes(w))
		ws_finish(w);
	if (w->is_dead || w->has_done_reading)
		tell_gone(w);
	if (w->is_opening)
		return; /* the library has it and will call back */
	if (w->is_dead)
		destroy(w);
	else
		update_reading(w);
}

static void tell_drain(struct ws *w)
{
	if (!w->was_high || ws_waiting_bytes(w) >= w->wire.high_water / 2)
		return;
	w->was_high = false;
	if (!w->is_told && !w->is_dead && !w->has_sent_close)
		w->wire.handlers->on_drain(w->wire.arg);
}

static void ws_flush(void *arg)
{
	struct ws *w = arg;
	if (w->rest.len && !w->is_dead && wants_to_read(w))
		ws_in_resume(w);
	if (w->sock && !w->is_waiting && !w->is_dead) {
		ws_out_write(w, on_writable);
		tell_drain(w);
	}
	settle(w);
}

static void on_writable(h2o_socket_t *sock, const char *err)
{
	(void)err; /* the next write reports it */
	struct ws *w = sock->data;
	w->is_waiting = false;
	ws_flush(w);
}

static void ws_on_readable(h2o_socket_t *sock, const char *err)
{
	(void)err; /* the library sets none with DONT_READ */
	struct ws *w = sock->data;
	/* Shared by all sockets: what is read is parsed at once. */
	static char bytes[READ_BYTES];
	if (!wants_to_read(w)) {
		stop_reading(w);
		return;
	}
	ssize_t n = read(h2o_socket_get_fd(sock), bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		w->is_dead = true;
	else
		ws_hear(w, bytes, (size_t)n);
	settle(w);
}

/* The handshake reply is written: we own the connection (NULL: it broke). */
static void on_upgraded(void *arg, h2o_socket_t *sock, size_t request_bytes)
{
	struct ws *w = arg;
	w->is_opening = false;
	if (!sock) {
		w->is_dead = true;
		settle(w);
		return;
	}
	w->sock = sock;
	sock->data = w;
	h2o_socket_dont_read(sock, 1);
	h2o_buffer_consume(&sock->input, request_bytes);
	if (w->early.len)
		ws_hear(w, w->early.data, w->early.len);
	buf_fini(&w->early);
	if (sock->input->size)
		ws_hear(w, sock->input->bytes, sock->input->size);
	/* The library's input buffer is no longer used. */
	h2o_buffer_dispose(&sock->input);
	h2o_buffer_init(&sock->input, &h2o_socket_buffer_prototype);
	ws_flush(w);
}

/* A single frame may exceed the limit; then nothing may follow. */
static bool ws_may_send(struct ws *w)
{
	if (w->has_sent_close || w->has_done_reading || w->is_dead)
		return false;
	if (ws_waiting_bytes(w) <= w->limits.max_output_bytes)
		return true;
	cut_slow(w);
	return false;
}

static void ws_send_text(struct wire *wire, const char *text, size_t len)
{
	struct ws *w = (struct ws *)wire;
	if (ws_may_send(w))
		ws_out_frame(w, WSLAY_TEXT_FRAME, text, len);
}

static void pass(struct wire *wire, const char *head, size_t head_len,
    struct buf *text, size_t from)
{
	struct ws *w = (struct ws *)wire;
	if (ws_may_send(w))
		ws_out_pass(w, WSLAY_TEXT_FRAME, head, head_len, text, from);
	buf_fini(text);
}

static size_t pending(const struct wire *wire)
{
	return ws_waiting_bytes((const struct ws *)wire);
}

static void close_wire(struct wire *wire, int code, const char *reason)
{
	struct ws *w = (struct ws *)wire;
	if (w->has_sent_close || w->is_dead)
		return;
	ws_out_close(w, code, reason ? reason : "");
}

/* The end of this tick draws the consequences. */
static void pause_reading(struct wire *wire)
{
	struct ws *w = (struct ws *)wire;
	loop_later_ask(w->loop, &w->flush);
}

static const struct wire_ops ops = {
    .send = ws_send_text,
    .pending = pending,
    .close = close_wire,
    .pause = pause_reading,
    .pass = pass,
};

static bool ws_is_over(int64_t since_ms, int64_t limit_ms)
{
	return limit_ms > 0 && sockets.now_ms - since_ms >= limit_ms;
}

static void look_at(struct ws *w)
{
	if (w->is_dead)
		return;
	if (w->closing_ms && ws_is_over(w->closing_ms, CLOSE_TIMEOUT_MS))
		ws_out_cut(w);
	else if (ws_waiting_bytes(w) &&
		 ws_is_over(w->progress_ms, w->limits.stall_timeout_ms))
		cut_slow(w);
	else if (w->began_ms && wants_to_read(w) &&
		 ws_is_over(w->began_ms, w->limits.message_timeout_ms))
		ws_out_cut(w);
	else if (ws_is_over(w->input_ms, w->limits.silence_timeout_ms))
		cut_silent(w);
	else if (!w->closing_ms && !w->is_opening &&
		 ws_is_over(w->heard_ms, PING_AFTER_MS)) {
		w->heard_ms = sockets.now_ms;
		ws_out_frame(w, WSLAY_PING, NULL, 0);
	}
}

static void ws_on_sweep(void *arg)
{
	struct loop *l = arg;
	sockets.now_ms = clock_mono_ms();
	list_each(it, &sockets.all)
	{
		look_at(list_entry(it, struct ws, link));
	}
	if (!list_is_empty(&sockets.all))
		loop_timer_set(l, &sockets.sweep, sockets.sweep_ms);
}

/* Limits shorter than the sweep interval are checked more often. */
static void quicken(int64_t limit_ms)
{
	int64_t ms = limit_ms / 4;
	if (limit_ms <= 0 || ms >= sockets.sweep_ms)
		return;
	sockets.sweep_ms = ms > SWEEP_LEAST_MS ? ms : SWEEP_LEAST_MS;
}

static void enlist(struct ws *w)
{
	if (!sockets.is_ready) {
		list_init(&sockets.all);
		loop_timer_init(&sockets.sweep, ws_on_sweep, w->loop);
		sockets.sweep_ms = SWEEP_MS;
		sockets.is_ready = true;
	}
	quicken(w->limits.stall_timeout_ms);
	quicken(w->limits.message_timeout_ms);
	if (list_is_empty(&sockets.all)) {
		sockets.now_ms = clock_mono_ms();
		loop_timer_set(w->loop, &sockets.sweep, sockets.sweep_ms);
	}
	list_append(&sockets.all, &w->link);
	w->heard_ms = w->input_ms = sockets.now_ms;
}

static struct ws *ws_new(struct loop *l, const struct ws_limits *limits,
    const char *peer, const char *place)
{
	struct ws *w = mem_zero(sizeof *w);
	w->loop = l;
	w->limits = *limits;
	w->peer = mem_strdup(peer);
	w->place = mem_strdup(place);
	w->wire.ops = &ops;
	w->wire.peer = w->peer;
	w->wire.place = w->place;
	w->wire.high_water = limits->max_output_bytes / 2 < HIGH_WATER
				 ? limits->max_output_bytes / 2
				 : HIGH_WATER;
	list_init(&w->pieces);
	ws_in_init(w);
	loop_later_init(&w->flush, ws_flush, w);
	enlist(w);
	return w;
}

struct wire *ws_accept(struct http_req *req, const struct ws_limits *limits)
{
	struct ws *w = ws_new(
	    req->conn->http->loop, limits, http_peer(req), http_place(req));
	w->wire.peer_is_loopback = http_peer_is_loopback(req);
	w->path = mem_strdup(http_path(req));
	w->began_us = clock_steady_us();
	w->is_opening = true;
	ws_handshake_reply(req, on_upgraded, w);
	return &w->wire;
}

void ws_cut(struct wire *wire)
{
	ws_out_cut((struct ws *)wire);
}

/* Whether the connection is at rest: its state is that of a new one. */
static bool can_move(const struct ws *w)
{
	return w->sock && !w->is_dead && !w->has_sent_close &&
	       !w->has_done_reading && !w->is_waiting && !w->tally.fragments &&
	       w->step.is_over && list_is_empty(&w->pieces);
}

bool ws_detach(struct wire *wire, struct ws_parcel *out)
{
	struct ws *w = (struct ws *)wire;
	h2o_socket_export_t exported;
	if (!can_move(w))
		return false;
	stop_reading(w);
	if (h2o_socket_export(w->sock, &exported) != 0)
		return false;
	h2o_buffer_dispose(&exported.input);
	w->sock = NULL;
	*out = (struct ws_parcel){
	    .fd = exported.fd,
	    .input = w->rest,
	    .peer = w->peer,
	    .place = w->place,
	    .peer_is_loopback = wire->peer_is_loopback,
	};
	w->rest = (struct buf){0};
	w->peer = w->place = NULL;
	buf_append(&out->output, w->out.data + w->taken, ws_waiting_bytes(w));
	w->began_us = 0; /* its life goes on in another process */
	destroy(w);
	return true;
}

struct wire *ws_attach(
    struct http *h, struct ws_parcel *p, const struct ws_limits *limits)
{
	struct ws *w = ws_new(h->loop, limits, p->peer, p->place);
	w->wire.peer_is_loopback = p->peer_is_loopback;
	w->began_us = clock_steady_us();
	w->sock = http_import(h, p->fd);
	w->sock->data = w;
	h2o_socket_dont_read(w->sock, 1);
	w->rest = p->input;
	p->fd = -1;
	p->input = (struct buf){0};
	ws_out_raw(w, p->output.data, p->output.len);
	ws_parcel_fini(p);
	return &w->wire;
}

void ws_parcel_fini(struct ws_parcel *p)
{
	if (p->fd >= 0)
		close(p->fd);
	buf_fini(&p->input);
	buf_fini(&p->output);
	free(p->peer);
	free(p->place);
	*p = (struct ws_parcel){.fd = -1};
}

void ws_each(void (*fn)(struct wire *w, void *arg), void *arg)
{
	if (!sockets.is_ready)
		return;
	list_each(it, &sockets.all)
	{
		fn(&list_entry(it, struct ws, link)->wire, arg);
	}
}
