/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/*
 * The library's parser, which has a buffer of 4 KB. A socket that is between two
 * messages needs none, so it keeps none: idle sockets are many.
 */
struct ws_parser {
	wslay_event_context_ptr library;
	struct ws *w; /* of which it reads */
};

/* One that no socket has, of all that are between two messages; or NULL. */
static struct ws_parser *spare;

/* The peer broke a rule: tell it which, and stop reading. */
static void ws_in_fail(struct ws *w, int code)
{
	if (!w->has_sent_close)
		ws_out_close(w, code, "");
	w->has_done_reading = true;
	wslay_event_shutdown_read(w->parser->library);
}

/* More of the same message may be parsed before reading stops. */
static void fail_oversized(struct ws *w)
{
	if (!w->has_sent_close)
		http_count(w->limits.oversized_total, 1);
	ws_in_fail(w, WSLAY_CODE_MESSAGE_TOO_BIG);
}

/* Returns the size of a frame's head, as far as n bytes of it tell. */
static size_t head_size(const uint8_t *head, size_t n)
{
	if (n < 2)
		return 2;
	size_t len = head[1] & 0x7f, mask = head[1] & 0x80 ? 4 : 0;
	return 2 + mask + (len == 126 ? 2 : len == 127 ? 8 : 0);
}

/* Returns the size of the payload after a complete head. */
static uint64_t payload_size(const uint8_t *head)
{
	uint64_t len = head[1] & 0x7f;
	size_t n = len == 126 ? 2 : len == 127 ? 8 : 0;
	if (n)
		len = 0;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | head[2 + i];
	return len;
}

/* Returns how many of n bytes belong to the current frame, at least one. */
static size_t step(struct ws_step *s, const char *in, size_t n)
{
	if (s->left) {
		if (n > s->left)
			n = (size_t)s->left;
		s->left -= n;
		s->is_over = !s->left;
		return n;
	}
	size_t need = head_size(s->head, s->n_head) - s->n_head;
	if (n > need)
		n = need;
	memcpy(s->head + s->n_head, in, n);
	s->n_head += n;
	if (s->n_head == head_size(s->head, s->n_head)) {
		s->left = payload_size(s->head);
		s->n_head = 0;
		s->is_over = !s->left;
	}
	return n;
}

static ssize_t on_parser_wants(wslay_event_context_ptr parser, uint8_t *out,
    size_t n, int flags, void *arg)
{
	(void)flags;
	struct ws *w = ((struct ws_parser *)arg)->w;
	if (n > w->in_len)
		n = w->in_len;
	if (n)
		n = w->step.is_over ? 0 : step(&w->step, w->in, n);
	if (!n) {
		wslay_event_set_error(parser, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(out, w->in, n);
	w->in += n;
	w->in_len -= n;
	return (ssize_t)n;
}

/* Part of a pong or close frame made by the parser; it always fits. */
static ssize_t on_parser_sends(wslay_event_context_ptr parser,
    const uint8_t *data, size_t n, int flags, void *arg)
{
	(void)parser;
	(void)flags;
	struct ws *w = ((struct ws_parser *)arg)->w;
	ws_out_raw(w, data, n);
	return (ssize_t)n;
}

static bool is_anybody(const struct ws *w)
{
	return !w->wire.is_admitted && w->wire.handlers->may_grow;
}

/* Returns how large a message may become before its user is asked. */
static size_t first_limit(const struct ws *w)
{
	return is_anybody(w) ? WIRE_FIRST_BYTES : w->limits.max_message_bytes;
}

/*
 * Whether a message that has reached its limit may continue. Its peer may have
 * been admitted since it began.
 */
static bool may_grow(struct ws *w, size_t bytes)
{
	size_t most = w->limits.max_message_bytes, asked = most;
	if (w->most_bytes != WIRE_FIRST_BYTES)
		return false;
	if (is_anybody(w))
		asked = w->wire.handlers->may_grow(
		    w->wire.arg, w->message.data, w->message.len);
	w->most_bytes = asked < most ? asked : most;
	return bytes <= w->most_bytes;
}

static void drop_part(struct unfinished *part)
{
	struct ws *w =
	    (struct ws *)(void *)((char *)part - offsetof(struct ws, part));
	buf_fini(&w->message);
	ws_in_fail(w, WIRE_CLOSE_TRY_AGAIN);
	ws_out_ask(w);
}

/* Keep the received part of a text message while there is room for it. */
static void ws_in_keep(struct ws *w, const uint8_t *data, size_t len)
{
	size_t bytes = w->message.len + len;
	if (bytes > w->most_bytes && !may_grow(w, bytes)) {
		buf_fini(&w->message);
		unfinished_release(&w->part);
		fail_oversized(w);
		return;
	}
	buf_append(&w->message, data, len);
	if (w->wire.handlers->on_part)
		w->wire.handlers->on_part(w->wire.arg, (const char *)data, len);
	w->part.is_proven = w->wire.is_proven;
	if (!unfinished_hold(&w->part, w->message.len))
		drop_part(&w->part);
}

static void on_frame_start(wslay_event_context_ptr parser,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
	(void)parser;
	struct ws *w = ((struct ws_parser *)arg)->w;
	if (!wslay_is_ctrl_frame(frame->opcode) &&
	    frame->opcode != WSLAY_CONTINUATION_FRAME)
		w->most_bytes = first_limit(w);
	if (!ws_tally_frame(&w->tally, frame->opcode, frame->payload_length,
		w->limits.max_message_bytes, w->limits.max_fragments))
		fail_oversized(w);
}

/* Binary messages are only counted, unless they may be text. */
static bool is_kept(const struct ws *w)
{
	return ws_tally_is_text(&w->tally) ||
	       (w->limits.takes_binary &&
		   !wslay_is_ctrl_frame(w->tally.frame_opcode));
}

static void on_frame_chunk(wslay_event_context_ptr parser,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
	struct ws *w = ((struct ws_parser *)arg)->w;
	if (w->tally.frame_opcode == WSLAY_CONNECTION_CLOSE)
		ws_close_take(
		    &w->closing, parser, chunk->data, chunk->data_length);
	if (!w->has_done_reading && is_kept(w))
		ws_in_keep(w, chunk->data, chunk->data_length);
}

/* Queue the pong or close frame that the parser has made. */
static void send_control(struct ws *w)
{
	wslay_event_context_ptr library = w->parser->library;
	if (w->has_sent_close || !wslay_event_want_write(library))
		return;
	if (wslay_event_send(library) != 0)
		ws_out_cut(w);
	if (!wslay_event_get_close_sent(library))
		return;
	/* The library refuses sizes over 2 GiB itself. */
	if (!wslay_event_get_close_received(library) &&
	    wslay_event_get_status_code_sent(library) ==
		WSLAY_CODE_MESSAGE_TOO_BIG)
		http_count(w->limits.oversized_total, 1);
	ws_out_closed(w);
}

static bool is_text(const struct ws *w, const struct buf *message)
{
	size_t at = 0, n = 1;
	if (w->tally.message_opcode == WSLAY_TEXT_FRAME)
		return true;
	if (!w->limits.takes_binary)
		return false;
	for (; at < message->len && n; at += n)
		n = utf8_len(message->data + at, message->len - at);
	return n;
}

static void deliver(struct ws *w, struct buf *message)
{
	const struct wire_handlers *h = w->wire.handlers;
	if (!is_text(w, message))
		h->on_binary(w->wire.arg);
	else if (h->on_message)
		h->on_message(w->wire.arg, message);
	else
		h->on_text(w->wire.arg, message->data ? message->data : "",
		    message->len);
}

static void on_message(wslay_event_context_ptr parser,
    const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
	(void)parser;
	struct ws *w = ((struct ws_parser *)arg)->w;
	/*
	 * The pong must leave before anything that the next message of the same
	 * read makes its user send: it confirms what was read before it.
	 */
	if (msg->opcode == WSLAY_PING)
		send_control(w);
	if (wslay_is_ctrl_frame(msg->opcode))
		return;
	struct buf text = w->message;
	w->message = (struct buf){0};
	w->tally.fragments = 0;
	w->began_ms = 0;
	unfinished_release(&w->part);
	/* After our close, further messages are ignored. */
	if (!w->has_sent_close && !w->is_dead && !w->has_done_reading)
		deliver(w, &text);
	buf_fini(&text);
}

/* Copy what the parser learned into our state. */
static void after_parse(struct ws *w)
{
	wslay_event_context_ptr library = w->parser->library;
	send_control(w);
	if (wslay_event_get_close_received(library) ||
	    (ws_close_is_new(&w->closing) &&
		!wslay_event_get_read_enabled(library)))
		w->has_done_reading = w->is_clean = true;
	else if (!wslay_event_get_read_enabled(library))
		w->has_done_reading = true;
	if (w->tally.fragments && !w->began_ms)
		w->began_ms = clock_mono_ms();
}

static struct ws_parser *parser_new(void)
{
	static const struct wslay_event_callbacks callbacks = {
	    .recv_callback = on_parser_wants,
	    .send_callback = on_parser_sends,
	    .on_frame_recv_start_callback = on_frame_start,
	    .on_frame_recv_chunk_callback = on_frame_chunk,
	    .on_msg_recv_callback = on_message,
	};
	struct ws_parser *parser = mem_zero(sizeof *parser);
	if (wslay_event_context_server_init(
		&parser->library, &callbacks, parser) != 0)
		fatal("ws: out of memory");
	/* Its buffering would cost a hundred bytes per fragment of one byte. */
	wslay_event_config_set_no_buffering(parser->library, 1);
	return parser;
}

static void parser_free(struct ws_parser **parser)
{
	if (!*parser)
		return;
	wslay_event_context_free((*parser)->library);
	free(*parser);
	*parser = NULL;
}

static void take_parser(struct ws *w)
{
	if (w->parser)
		return;
	w->parser = spare ? spare : parser_new();
	w->parser->w = w;
	spare = NULL;
}

/* Between two messages a parser has nothing of its socket. */
static void give_parser(struct ws *w)
{
	if (!w->step.is_over || w->tally.fragments || w->has_sent_close ||
	    w->has_done_reading || w->is_dead)
		return;
	if (spare)
		parser_free(&w->parser);
	else
		spare = w->parser;
	w->parser = NULL;
}

void ws_in_init(struct ws *w)
{
	unfinished_init(&w->part, drop_part);
	w->step.is_over = true;
}

void ws_in_fini(struct ws *w)
{
	parser_free(&w->parser);
	buf_fini(&w->message);
	buf_fini(&w->rest);
	unfinished_release(&w->part);
}

/* Whether input has to wait: only a frame that has begun may continue. */
static bool is_held(const struct ws *w)
{
	return w->limits.is_exact && w->wire.is_paused && w->step.is_over;
}

/* Parse to the end of a frame, or of what there is. */
static void parse_frame(struct ws *w)
{
	wslay_event_context_ptr library = w->parser->library;
	/* After our close it must not queue pongs that can never be sent. */
	if (w->has_sent_close)
		wslay_event_shutdown_write(library);
	w->step.is_over = false;
	if (wslay_event_recv(library) != 0)
		ws_in_fail(w, WSLAY_CODE_PROTOCOL_ERROR);
}

void ws_in_feed(struct ws *w, const char *p, size_t n)
{
	if (w->has_done_reading)
		return; /* lingering */
	w->in = p;
	w->in_len = n;
	take_parser(w);
	while (w->in_len && !w->is_dead && !w->has_done_reading &&
	       wslay_event_want_read(w->parser->library) && !is_held(w))
		parse_frame(w);
	if (is_held(w))
		buf_append(&w->rest, w->in, w->in_len);
	w->in = NULL;
	w->in_len = 0;
	after_parse(w);
	give_parser(w);
}

void ws_in_resume(struct ws *w)
{
	struct buf rest = w->rest;
	w->rest = (struct buf){0};
	ws_in_feed(w, rest.data, rest.len);
	buf_fini(&rest);
}
