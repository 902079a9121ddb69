/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/clock.h"
#include "base/lines.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The room that a close frame has for the reason after its code. */
#define MAX_REASON 123

/* The most pieces that are written at once. */
#define WRITE_PIECES 16

/* Of all sockets. */
static size_t total_pending;

size_t ws_total_pending(void)
{
	return total_pending;
}

/* n bytes are about to be queued. */
static void note_output(struct ws *w, size_t n)
{
	if (!ws_waiting_bytes(w))
		w->progress_ms = clock_mono_ms();
	total_pending += n;
}

/* Drop written bytes; an idle socket keeps no buffer. */
static void forget_taken(struct ws *w)
{
	if (w->taken == w->out.len) {
		buf_fini(&w->out);
		w->taken = 0;
	} else if (w->taken >= w->out.len / 2) {
		buf_consume(&w->out, w->taken);
		w->taken = 0;
	}
}

void ws_out_ask(struct ws *w)
{
	if (w->is_dead || (!w->is_waiting && !w->is_opening))
		loop_later_ask(w->loop, &w->flush);
}

void ws_out_cut(struct ws *w)
{
	w->is_dead = true;
	ws_out_ask(w);
}

void ws_out_raw(struct ws *w, const void *p, size_t n)
{
	note_output(w, n);
	buf_append(&w->out, p, n);
	ws_out_ask(w);
}

/* Queue the head of a frame and make room for so much of its payload. */
static void begin_frame(struct ws *w, uint8_t opcode, size_t len, size_t room)
{
	/* Frames from a server are not masked (RFC 6455 section 5.1). */
	uint8_t *head = (uint8_t *)buf_reserve(&w->out, room + 10);
	size_t n = 2;
	head[0] = (uint8_t)(0x80 | opcode);
	if (len < 126) {
		head[1] = (uint8_t)len;
	} else if (len < 65536) {
		head[1] = 126;
		head[2] = (uint8_t)(len >> 8);
		head[3] = (uint8_t)len;
		n = 4;
	} else {
		head[1] = 127;
		for (size_t i = 0; i < 8; i++)
			head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
		n = 10;
	}
	note_output(w, n + len);
	w->out.len += n;
}

static void note_height(struct ws *w)
{
	if (ws_waiting_bytes(w) > w->wire.high_water / 2)
		w->was_high = true;
	ws_out_ask(w);
}

void ws_out_frame(struct ws *w, uint8_t opcode, const char *data, size_t len)
{
	begin_frame(w, opcode, len, len);
	buf_append(&w->out, data, len);
	note_height(w);
}

/* Move bytes to the end of the queue of pieces. */
static void add_piece(struct ws *w, struct buf *bytes, size_t from)
{
	struct ws_piece *p = mem_alloc(sizeof *p);
	*p = (struct ws_piece){.bytes = *bytes, .taken = from};
	*bytes = (struct buf){0};
	w->piece_bytes += p->bytes.len - from;
	list_append(&w->pieces, &p->link);
}

void ws_out_pass(struct ws *w, uint8_t opcode, const char *head,
    size_t head_len, struct buf *text, size_t from)
{
	size_t len = text->len - from;
	begin_frame(w, opcode, head_len + len, head_len);
	buf_append(&w->out, head, head_len);
	add_piece(w, &w->out, w->taken);
	w->taken = 0;
	add_piece(w, text, from);
	note_height(w);
}

void ws_out_closed(struct ws *w)
{
	w->has_sent_close = true;
	if (!w->closing_ms)
		w->closing_ms = clock_mono_ms();
}

void ws_out_close(struct ws *w, int code, const char *reason)
{
	char body[2 + MAX_REASON];
	size_t len = utf8_cut(reason, strlen(reason), MAX_REASON);
	body[0] = (char)(code >> 8);
	body[1] = (char)code;
	memcpy(body + 2, reason, len);
	ws_out_frame(w, WSLAY_CONNECTION_CLOSE, body, 2 + len);
	ws_out_closed(w);
}

static void free_piece(struct ws *w, struct ws_piece *p)
{
	w->piece_bytes -= p->bytes.len - p->taken;
	list_remove(&p->link);
	buf_fini(&p->bytes);
	free(p);
}

void ws_out_fini(struct ws *w)
{
	total_pending -= ws_waiting_bytes(w);
	list_each_safe(it, &w->pieces)
	{
		free_piece(w, list_entry(it, struct ws_piece, link));
	}
	buf_fini(&w->out);
	w->taken = 0;
}

static size_t gather(const struct ws *w, struct iovec *v)
{
	size_t n = 0;
	list_each(it, &w->pieces)
	{
		const struct ws_piece *p =
		    list_entry(it, struct ws_piece, link);
		if (n == WRITE_PIECES)
			return n;
		v[n++] = (struct iovec){
		    p->bytes.data + p->taken, p->bytes.len - p->taken};
	}
	if (n < WRITE_PIECES && w->out.len > w->taken)
		v[n++] = (struct iovec){
		    w->out.data + w->taken, w->out.len - w->taken};
	return n;
}

/* Drop n bytes from the head of the queue. */
static void consume(struct ws *w, size_t n)
{
	total_pending -= n;
	w->bytes_out += n;
	list_each_safe(it, &w->pieces)
	{
		struct ws_piece *p = list_entry(it, struct ws_piece, link);
		size_t some = p->bytes.len - p->taken;
		if (some > n)
			some = n;
		p->taken += some;
		w->piece_bytes -= some;
		n -= some;
		if (p->taken < p->bytes.len)
			return;
		free_piece(w, p);
	}
	w->taken += n;
}

static ssize_t write_some(struct ws *w)
{
	struct iovec pieces[WRITE_PIECES];
	struct msghdr m = {.msg_iov = pieces, .msg_iovlen = gather(w, pieces)};
	return sendmsg(
	    h2o_socket_get_fd(w->sock), &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ws_out_write(struct ws *w, h2o_socket_cb on_writable)
{
	if (ws_waiting_bytes(w))
		lines_flush();
	while (ws_waiting_bytes(w)) {
		ssize_t n = write_some(w);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			w->is_waiting = true;
			h2o_socket_notify_write(w->sock, on_writable);
			break;
		}
		if (n < 0) {
			w->is_dead = true;
			break;
		}
		consume(w, (size_t)n);
		w->progress_ms = clock_mono_ms();
	}
	forget_taken(w);
}
