/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/clock.h"
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The room that a close frame has for the reason after its code. */
#define MAX_REASON 123

/* Something is about to be queued. */
static void note_output(struct ws *w)
{
	if (!ws_waiting_bytes(w))
		w->progress_ms = clock_mono_ms();
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
	note_output(w);
	buf_append(&w->out, p, n);
	ws_out_ask(w);
}

void ws_out_frame(struct ws *w, uint8_t opcode, const char *data, size_t len)
{
	note_output(w);
	/* Frames from a server are not masked (RFC 6455 section 5.1). */
	uint8_t *head = (uint8_t *)buf_reserve(&w->out, len + 10);
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
	if (len)
		memcpy(head + n, data, len);
	w->out.len += n + len;
	if (ws_waiting_bytes(w) > w->wire.high_water / 2)
		w->was_high = true;
	ws_out_ask(w);
}

void ws_out_closed(struct ws *w)
{
	w->has_sent_close = true;
	if (!w->closing_ms)
		w->closing_ms = clock_mono_ms();
	/* The parser must not queue pongs that can never be sent. */
	wslay_event_shutdown_write(w->parser);
}

void ws_out_close(struct ws *w, int code, const char *reason)
{
	char body[2 + MAX_REASON];
	size_t len = strlen(reason);
	if (len > MAX_REASON) {
		len = MAX_REASON;
		/* Do not cut a character in two. */
		while (len && ((unsigned char)reason[len] & 0xc0) == 0x80)
			len--;
	}
	body[0] = (char)(code >> 8);
	body[1] = (char)code;
	memcpy(body + 2, reason, len);
	ws_out_frame(w, WSLAY_CONNECTION_CLOSE, body, 2 + len);
	ws_out_closed(w);
}

void ws_out_write(struct ws *w, h2o_socket_cb on_writable)
{
	int fd = h2o_socket_get_fd(w->sock);
	lines_flush();
	while (ws_waiting_bytes(w)) {
		ssize_t n = send(fd, w->out.data + w->taken,
		    ws_waiting_bytes(w), MSG_DONTWAIT | MSG_NOSIGNAL);
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
		w->taken += (size_t)n;
		w->progress_ms = clock_mono_ms();
	}
	forget_taken(w);
}
