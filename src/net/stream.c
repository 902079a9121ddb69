/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/stream.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop_int.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes read at once; longer input comes in several turns of the loop. */
#define READ_BYTES 65536

struct stream {
	struct loop *loop;
	struct stream_handlers handlers;
	void *arg;
	h2o_socket_t *in;  /* NULL: none, or ended */
	h2o_socket_t *out; /* NULL: none, finished or broken; may equal in */
	struct buf queue;
	size_t taken; /* bytes at the head of queue that were written */
	struct loop_later flush;
	unsigned busy; /* callbacks of the owner in progress */
	bool is_paused;
	bool is_finishing;
	bool is_waiting; /* for out to take more */
	bool is_ended;
	bool is_closed; /* free it when the last callback returns */
};

static void on_writable(h2o_socket_t *sock, const char *err);

/* Leave a callback of the owner; the stream may be gone afterwards. */
static void stream_leave(struct stream *s)
{
	s->busy--;
	if (s->is_closed && !s->busy)
		free(s);
}

size_t stream_waiting(const struct stream *s)
{
	return s->queue.len - s->taken;
}

static void close_out(struct stream *s)
{
	if (s->out && s->out != s->in)
		h2o_socket_close(s->out);
	s->out = NULL;
	loop_later_cancel(&s->flush);
	buf_fini(&s->queue);
	s->taken = 0;
}

static void close_in(struct stream *s)
{
	if (!s->in)
		return;
	if (s->in == s->out)
		close_out(s);
	h2o_socket_close(s->in);
	s->in = NULL;
}

/* Report the end to the owner. The stream may be gone afterwards. */
static void stream_end(struct stream *s)
{
	close_in(s);
	close_out(s);
	if (s->is_ended)
		return;
	s->is_ended = true;
	s->busy++;
	s->handlers.on_end(s->arg);
	stream_leave(s);
}

/*
 * The writing end failed. What the peer has sent before is still worth reading.
 */
static void break_out(struct stream *s)
{
	bool has_in = s->in != NULL;
	close_out(s);
	if (!has_in)
		stream_end(s);
}

static void finish_out(struct stream *s)
{
	/*
	 * With a socket pair, shut down one direction; ENOTCONN means it is
	 * already.
	 */
	if (s->out == s->in)
		(void)shutdown(h2o_socket_get_fd(s->out), SHUT_WR);
	close_out(s);
}

/* Drop written bytes, keeping the cost of copying linear in the throughput. */
static void forget_taken(struct stream *s)
{
	if (s->taken == s->queue.len) {
		buf_fini(&s->queue);
		s->taken = 0;
	} else if (s->taken >= s->queue.len / 2) {
		buf_consume(&s->queue, s->taken);
		s->taken = 0;
	}
}

static void flush(void *arg)
{
	struct stream *s = arg;
	if (!s->out || s->is_waiting)
		return;
	int fd = h2o_socket_get_fd(s->out);
	while (stream_waiting(s)) {
		ssize_t n =
		    write(fd, s->queue.data + s->taken, stream_waiting(s));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			s->is_waiting = true;
			h2o_socket_notify_write(s->out, on_writable);
			break;
		}
		if (n < 0) {
			break_out(s);
			return;
		}
		s->taken += (size_t)n;
	}
	forget_taken(s);
	if (stream_waiting(s))
		return;
	if (s->is_finishing) {
		finish_out(s);
		return;
	}
	if (s->handlers.on_drain) {
		s->busy++;
		s->handlers.on_drain(s->arg);
		stream_leave(s);
	}
}

static void on_writable(h2o_socket_t *sock, const char *err)
{
	(void)err; /* the next write reports it */
	struct stream *s = sock->data;
	s->is_waiting = false;
	flush(s);
}

static void stream_tell(struct stream *s, const char *bytes, size_t n)
{
	s->busy++;
	s->handlers.on_data(s->arg, bytes, n);
	stream_leave(s);
}

static void stream_on_readable(h2o_socket_t *sock, const char *err)
{
	(void)err; /* the library sets none with DONT_READ */
	struct stream *s = sock->data;
	static char bytes[READ_BYTES];
	ssize_t n = read(h2o_socket_get_fd(sock), bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		stream_end(s);
	else
		stream_tell(s, bytes, (size_t)n);
}

static h2o_socket_t *stream_adopt(struct stream *s, int fd)
{
	h2o_socket_t *sock = h2o_evloop_socket_create(
	    loop_h2o(s->loop), fd, H2O_SOCKET_FLAG_DONT_READ);
	sock->data = s;
	return sock;
}

struct stream *stream_open(struct loop *l, int in_fd, int out_fd,
    const struct stream_handlers *handlers, void *arg)
{
	struct stream *s = mem_zero(sizeof *s);
	s->loop = l;
	s->handlers = *handlers;
	s->arg = arg;
	loop_later_init(&s->flush, flush, s);
	if (in_fd >= 0) {
		s->in = stream_adopt(s, in_fd);
		h2o_socket_read_start(s->in, stream_on_readable);
	}
	if (out_fd >= 0)
		s->out = out_fd == in_fd ? s->in : stream_adopt(s, out_fd);
	return s;
}

bool stream_write(struct stream *s, const void *p, size_t n, size_t limit)
{
	/* The stream is broken; its owner will be told of the end soon. */
	if (!s->out || s->is_finishing)
		return true;
	if (n > limit || stream_waiting(s) > limit - n)
		return false;
	buf_append(&s->queue, p, n);
	/* Everything queued in one turn of the loop goes out in one write. */
	if (!s->is_waiting)
		loop_later_ask(s->loop, &s->flush);
	return true;
}

void stream_pause(struct stream *s, bool is_paused)
{
	if (s->is_paused == is_paused)
		return;
	s->is_paused = is_paused;
	if (!s->in)
		return;
	if (is_paused)
		h2o_socket_read_stop(s->in);
	else
		h2o_socket_read_start(s->in, stream_on_readable);
}

void stream_take(struct stream *s)
{
	/* Not that of stream_on_readable(), which may be the caller's caller. */
	static char bytes[READ_BYTES];
	if (!s->in || s->is_paused)
		return;
	ssize_t n = read(h2o_socket_get_fd(s->in), bytes, sizeof bytes);
	if (n > 0)
		stream_tell(s, bytes, (size_t)n);
}

void stream_finish(struct stream *s)
{
	if (!s->out || s->is_finishing)
		return;
	s->is_finishing = true;
	if (!s->is_waiting)
		loop_later_ask(s->loop, &s->flush);
}

void stream_close(struct stream **s)
{
	struct stream *it = *s;
	if (!it)
		return;
	*s = NULL;
	close_in(it);
	close_out(it);
	it->is_closed = true;
	if (!it->busy)
		free(it);
}
