/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "websocket/ws_client.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "base/utf8.h"
#include "websocket/ws_close.h"
#include "websocket/ws_head.h"
#include "websocket/ws_hello.h"
#include "websocket/ws_proxy.h"
#include "websocket/ws_tally.h"
#include "websocket/ws_tls.h"

#include <wslay/wslay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The room that a close frame has for the reason after its code. */
#define MAX_REASON 123

enum phase {
	PHASE_TUNNEL, /* the proxy has been asked */
	PHASE_TLS,    /* the handshake of TLS goes on */
	PHASE_HELLO,  /* the WebSocket has been asked for */
	PHASE_FRAMES,
	PHASE_OVER,
};

struct ws_client {
	const struct ws_client_handlers *handlers;
	void *arg;
	const struct ws_trust *trust;
	struct url url;
	struct url proxy; /* {0}: none */
	char *user_agent;
	char *fields;
	size_t max_message_bytes;
	size_t first_bytes;
	size_t max_fragments;
	enum phase phase;
	struct ws_tls *tls; /* NULL: in clear */
	char key[WS_HELLO_KEY_SIZE];
	struct buf head; /* of an HTTP response, as far as it came */
	struct buf out;	 /* for the socket */
	wslay_event_context_ptr frames;
	const char *in; /* what wslay has yet to read */
	size_t in_len;
	struct buf message;
	struct ws_tally tally; /* of that message */
	size_t granted_bytes;  /* by may_grow, for that message; 0: not asked */
	bool is_refused;       /* that message: its rest is dropped */
	struct ws_close closing;
	int end_code;  /* of the error that we found in a message; 0: none */
	char why[256]; /* what went wrong, for on_end */
};

/* ---- the end ---- */

static void end(struct ws_client *c, int code, const char *why)
{
	if (c->phase == PHASE_OVER)
		return;
	c->phase = PHASE_OVER;
	if (c->tls && ws_tls_is_open(c->tls))
		ws_tls_finish(c->tls, &c->out);
	c->handlers->on_end(c->arg, code, why);
}

static void fail(struct ws_client *c, const char *why)
{
	end(c, WS_CLIENT_LOST, why);
}

/* ---- output ---- */

static void put(struct ws_client *c, const void *bytes, size_t n)
{
	if (c->tls)
		ws_tls_put(c->tls, bytes, n, &c->out);
	else
		buf_append(&c->out, bytes, n);
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *data,
    size_t n, int flags, void *arg)
{
	(void)frames;
	(void)flags;
	put(arg, data, n);
	return (ssize_t)n;
}

static int on_mask(
    wslay_event_context_ptr frames, uint8_t *mask, size_t n, void *arg)
{
	(void)frames;
	(void)arg;
	enc_random(mask, n);
	return 0;
}

/* The output takes everything, so nothing stays in wslay's queue. */
static void flush(struct ws_client *c)
{
	while (wslay_event_want_write(c->frames))
		if (wslay_event_send(c->frames) != 0)
			return;
}

static void queue(
    struct ws_client *c, uint8_t opcode, const void *data, size_t len)
{
	struct wslay_event_msg msg = {opcode, data, len};

	if (wslay_event_queue_msg(c->frames, &msg) == 0)
		flush(c);
}

/* ---- frames ---- */

static ssize_t on_read(
    wslay_event_context_ptr frames, uint8_t *to, size_t n, int flags, void *arg)
{
	struct ws_client *c = arg;

	(void)flags;
	if (n > c->in_len)
		n = c->in_len;
	if (!n) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(to, c->in, n);
	c->in += n;
	c->in_len -= n;
	return (ssize_t)n;
}

/* The peer broke a rule: stop reading, and tell it which. */
static void break_off(struct ws_client *c, int code, const char *why)
{
	if (c->end_code)
		return;
	c->end_code = code;
	(void)snprintf(c->why, sizeof c->why, "%s", why);
	buf_fini(&c->message);
	wslay_event_shutdown_read(c->frames);
	(void)wslay_event_queue_close(c->frames, (uint16_t)code, NULL, 0);
	flush(c);
}

static void on_frame_start(wslay_event_context_ptr frames,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	struct ws_client *c = arg;

	(void)frames;
	if (!wslay_is_ctrl_frame(frame->opcode) &&
	    frame->opcode != WSLAY_CONTINUATION_FRAME) {
		c->granted_bytes = 0;
		c->is_refused = false;
	}
	if (!ws_tally_frame(&c->tally, frame->opcode, frame->payload_length,
		c->max_message_bytes, c->max_fragments))
		break_off(c, WSLAY_CODE_MESSAGE_TOO_BIG,
		    "sent a message that is too large");
}

/* Whether the message may be as large as it was announced to be. */
static bool may_be_as_large(struct ws_client *c)
{
	if (!c->handlers->may_grow || c->tally.bytes <= c->first_bytes)
		return true;
	if (!c->granted_bytes && c->message.len < WS_CLIENT_BEGINNING)
		return true;
	if (!c->granted_bytes)
		c->granted_bytes = c->handlers->may_grow(
		    c->arg, c->message.data, c->message.len);
	return c->tally.bytes <= c->granted_bytes;
}

static void keep(struct ws_client *c, const uint8_t *data, size_t n)
{
	buf_append(&c->message, data, n);
	if (may_be_as_large(c))
		return;
	c->is_refused = true;
	c->handlers->on_refused(c->arg, c->message.data, c->message.len);
	buf_fini(&c->message);
}

/* Binary messages are only counted. */
static void on_frame_chunk(wslay_event_context_ptr frames,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
	struct ws_client *c = arg;

	(void)frames;
	if (c->tally.frame_opcode == WSLAY_CONNECTION_CLOSE)
		ws_close_take(
		    &c->closing, c->frames, chunk->data, chunk->data_length);
	if (!c->end_code && !c->is_refused && ws_tally_is_text(&c->tally))
		keep(c, chunk->data, chunk->data_length);
}

static void on_message(wslay_event_context_ptr frames,
    const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
	struct ws_client *c = arg;

	(void)frames;
	if (wslay_is_ctrl_frame(msg->opcode))
		return;
	struct buf text = c->message;
	c->message = (struct buf){0};
	c->tally.fragments = 0;
	if (!c->end_code && !c->is_refused &&
	    c->tally.message_opcode == WSLAY_TEXT_FRAME)
		c->handlers->on_text(
		    c->arg, text.data ? text.data : "", text.len);
	buf_fini(&text);
}

static void tell_close(struct ws_client *c, int code)
{
	(void)snprintf(
	    c->why, sizeof c->why, "closed the connection with code %d", code);
	end(c, code, c->why);
}

static void read_frames(struct ws_client *c, const char *bytes, size_t n)
{
	c->in = bytes;
	c->in_len = n;
	while (c->in_len && !c->end_code && wslay_event_want_read(c->frames))
		if (wslay_event_recv(c->frames) != 0)
			break_off(c, WSLAY_CODE_PROTOCOL_ERROR,
			    "sent something that is no frame");
	c->in_len = 0;
	flush(c);
	if (c->end_code)
		fail(c, c->why);
	else if (ws_close_is_new(&c->closing) &&
		 !wslay_event_get_read_enabled(c->frames))
		tell_close(c, c->closing.code);
	else if (wslay_event_get_close_received(c->frames))
		tell_close(c, wslay_event_get_status_code_received(c->frames));
	else if (!wslay_event_get_read_enabled(c->frames))
		fail(c, "broke the rules of WebSocket");
}

static void begin_frames(struct ws_client *c)
{
	static const struct wslay_event_callbacks callbacks = {
	    .recv_callback = on_read,
	    .send_callback = on_send,
	    .genmask_callback = on_mask,
	    .on_frame_recv_start_callback = on_frame_start,
	    .on_frame_recv_chunk_callback = on_frame_chunk,
	    .on_msg_recv_callback = on_message,
	};

	if (wslay_event_context_client_init(&c->frames, &callbacks, c) != 0)
		fatal("ws_client: out of memory");
	/* Its buffering would cost a hundred bytes per fragment of one byte. */
	wslay_event_config_set_no_buffering(c->frames, 1);
	/* The limit is ours, which has words for it. */
	wslay_event_config_set_max_recv_msg_length(c->frames, INT64_MAX);
	c->phase = PHASE_FRAMES;
}

/* ---- the way to the frames ---- */

static void ask_hello(struct ws_client *c)
{
	struct buf request = {0};

	c->phase = PHASE_HELLO;
	ws_hello_key(c->key);
	ws_hello_ask(&request, &c->url, c->key, c->user_agent, c->fields);
	put(c, request.data, request.len);
	buf_fini(&request);
}

static void begin_tls(struct ws_client *c)
{
	if (!c->url.is_secure) {
		ask_hello(c);
		return;
	}
	c->phase = PHASE_TLS;
	c->tls = ws_tls_new(c->trust, c->url.host, &c->out);
}

/*
 * Collect a response. Returns whether its head is complete; *rest then gets the
 * bytes that follow it, which live until the head is freed.
 */
static bool take_head(struct ws_client *c, struct ws_head *h, const char *bytes,
    size_t n, struct span *rest)
{
	buf_append(&c->head, bytes, n);
	switch (ws_head_read(h, c->head.data, c->head.len)) {
	case WS_HEAD_MORE:
		return false;
	case WS_HEAD_BAD:
		fail(c, c->phase == PHASE_TUNNEL
			    ? "is behind a proxy that does not speak HTTP/1.1"
			    : "does not speak HTTP/1.1");
		return false;
	case WS_HEAD_DONE:
		break;
	}
	*rest = (struct span){c->head.data + h->len, c->head.len - h->len};
	return true;
}

static void on_hello(struct ws_client *c, const char *bytes, size_t n)
{
	struct ws_head h;
	struct span rest;

	if (!take_head(c, &h, bytes, n, &rest))
		return;
	if (ws_hello_check(&h, c->key, c->why, sizeof c->why) != 0) {
		fail(c, c->why);
		return;
	}
	struct buf head = c->head;
	c->head = (struct buf){0};
	begin_frames(c);
	c->handlers->on_open(c->arg);
	if (rest.len)
		read_frames(c, rest.text, rest.len);
	buf_fini(&head);
}

static void on_tunnel(struct ws_client *c, const char *bytes, size_t n)
{
	struct ws_head h;
	struct span rest;

	if (!take_head(c, &h, bytes, n, &rest))
		return;
	if (h.status / 100 != 2)
		(void)snprintf(c->why, sizeof c->why,
		    "is behind a proxy that answered %d to CONNECT", h.status);
	else if (rest.len) /* the server has not been asked anything yet */
		(void)snprintf(c->why, sizeof c->why,
		    "is behind a proxy that sent more than its answer");
	if (*c->why) {
		fail(c, c->why);
		return;
	}
	buf_fini(&c->head);
	begin_tls(c);
}

static void on_plain(struct ws_client *c, const char *bytes, size_t n)
{
	if (!n)
		return;
	if (c->phase == PHASE_HELLO)
		on_hello(c, bytes, n);
	else if (c->phase == PHASE_FRAMES)
		read_frames(c, bytes, n);
}

static void on_cipher(struct ws_client *c, const char *bytes, size_t n)
{
	struct buf plain = {0};
	const char *why;
	bool is_good =
	    ws_tls_feed(c->tls, bytes, n, &plain, &c->out, &why) == 0;

	if (c->phase == PHASE_TLS && ws_tls_is_open(c->tls))
		ask_hello(c);
	on_plain(c, plain.data, plain.len);
	buf_fini(&plain);
	if (is_good)
		return;
	(void)snprintf(c->why, sizeof c->why, "cannot be trusted: %s", why);
	fail(c, c->why);
}

/* ---- calls ---- */

struct ws_client *ws_client_new(const struct ws_client_setup *setup)
{
	struct ws_client *c = mem_zero(sizeof *c);

	c->handlers = setup->handlers;
	c->arg = setup->arg;
	c->trust = setup->trust;
	c->url = url_copy(setup->url);
	if (setup->proxy)
		c->proxy = url_copy(setup->proxy);
	c->user_agent = mem_strdup(setup->user_agent);
	c->fields = mem_strdup(setup->fields);
	c->max_message_bytes = setup->max_message_bytes;
	c->first_bytes = setup->first_bytes;
	c->max_fragments = setup->max_fragments;
	if (c->proxy.host)
		ws_proxy_ask(&c->out, &c->proxy, &c->url);
	else
		begin_tls(c);
	return c;
}

void ws_client_free(struct ws_client **cp)
{
	struct ws_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	if (c->frames)
		wslay_event_context_free(c->frames);
	ws_tls_free(&c->tls);
	url_fini(&c->url);
	url_fini(&c->proxy);
	free(c->user_agent);
	free(c->fields);
	buf_fini(&c->head);
	buf_fini(&c->out);
	buf_fini(&c->message);
	free(c);
}

const char *ws_client_host(const struct ws_client *c)
{
	return c->proxy.host ? c->proxy.host : c->url.host;
}

uint16_t ws_client_port(const struct ws_client *c)
{
	return c->proxy.host ? c->proxy.port : c->url.port;
}

void ws_client_feed(struct ws_client *c, const void *bytes, size_t n)
{
	if (c->phase == PHASE_OVER || !n)
		return;
	if (c->tls)
		on_cipher(c, bytes, n);
	else if (c->phase == PHASE_TUNNEL)
		on_tunnel(c, bytes, n);
	else
		on_plain(c, bytes, n);
}

void ws_client_eof(struct ws_client *c, const char *why)
{
	fail(c, why);
}

struct buf *ws_client_output(struct ws_client *c)
{
	return &c->out;
}

bool ws_client_is_open(const struct ws_client *c)
{
	return c->phase == PHASE_FRAMES &&
	       !wslay_event_get_close_sent(c->frames);
}

bool ws_client_is_over(const struct ws_client *c)
{
	return c->phase == PHASE_OVER;
}

void ws_client_send(struct ws_client *c, const char *text, size_t len)
{
	if (ws_client_is_open(c))
		queue(c, WSLAY_TEXT_FRAME, text, len);
}

void ws_client_ping(struct ws_client *c)
{
	if (ws_client_is_open(c))
		queue(c, WSLAY_PING, NULL, 0);
}

void ws_client_close(struct ws_client *c, int code, const char *reason)
{
	size_t n = utf8_cut(reason, strlen(reason), MAX_REASON);

	if (!ws_client_is_open(c))
		return;
	(void)wslay_event_queue_close(
	    c->frames, (uint16_t)code, (const uint8_t *)reason, n);
	flush(c);
}
