/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Replies of unknown length. What is written in one turn of the loop leaves as
 * one chunk; while one is being sent, the next one is collected. We frame the
 * chunks ourselves where the library would delay the head.
 */
#include "net/http_int.h"

#include "base/buf.h"
#include "base/lines.h"

#include <stdio.h>

struct http_stream {
	h2o_generator_t super;
	h2o_req_t *h2o;
	struct http_req *req; /* NULL once ended or gone */
	struct buf filling;
	struct buf flight;
	struct loop_later flush;
	char chunk_head[24];
	bool is_chunked; /* by us */
	bool is_sending;
	bool is_ending;
	bool is_cut; /* the peer is gone */
	void (*on_drain)(void *arg);
	void *arg;
};

/* Hand over what has been written. The stream may be gone afterwards. */
static void push(struct http_stream *s)
{
	if (s->is_sending)
		return;
	lines_flush();
	struct buf empty = s->flight;
	s->flight = s->filling;
	s->filling = empty;
	h2o_iovec_t bufs[4];
	size_t n = 0;
	if (s->flight.len && s->is_chunked) {
		int len = snprintf(s->chunk_head, sizeof s->chunk_head,
		    "%zx\r\n", s->flight.len);
		bufs[n++] = h2o_iovec_init(s->chunk_head, (size_t)len);
	}
	if (s->flight.len)
		bufs[n++] = h2o_iovec_init(s->flight.data, s->flight.len);
	if (s->flight.len && s->is_chunked)
		bufs[n++] = h2o_iovec_init(H2O_STRLIT("\r\n"));
	if (s->is_ending && s->is_chunked)
		bufs[n++] = h2o_iovec_init(H2O_STRLIT("0\r\n\r\n"));
	s->is_sending = true;
	h2o_send(s->h2o, bufs, n,
	    s->is_ending ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void flush(void *arg)
{
	push(arg);
}

/* The kernel has taken what was being sent. */
static void on_proceed(h2o_generator_t *self, h2o_req_t *q)
{
	(void)q;
	struct http_stream *s = (struct http_stream *)self;
	bool had_data = s->flight.len > 0;
	s->is_sending = false;
	buf_fini(&s->flight);
	if (s->is_cut)
		h2o_send(s->h2o, NULL, 0, H2O_SEND_STATE_ERROR);
	else if (s->filling.len || s->is_ending)
		push(s);
	else if (had_data && s->on_drain && s->req)
		s->on_drain(s->arg);
}

/* The connection broke. */
static void on_stop(h2o_generator_t *self, h2o_req_t *q)
{
	(void)q;
	struct http_stream *s = (struct http_stream *)self;
	struct http_req *r = s->req;
	s->req = NULL;
	loop_later_cancel(&s->flush);
	if (r)
		http_req_tell_gone(r);
}

/* The request's memory is being freed, whatever ended it. */
static void on_dispose(void *p)
{
	struct http_stream *s = p;
	loop_later_cancel(&s->flush);
	buf_fini(&s->filling);
	buf_fini(&s->flight);
}

void http_stream_cut(struct http_stream *s)
{
	s->req = NULL;
	loop_later_cancel(&s->flush);
	/*
	 * A write in progress may fail, or may have succeeded before the cut.
	 */
	s->is_cut = true;
	if (!s->is_sending)
		h2o_send(s->h2o, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void http_stream_put_head(
    struct http_req *req, int status, const char *type)
{
	http_req_head(req->h2o, status, type);
	http_add_header(req, "cache-control", "no-store");
	http_add_header(req, "x-accel-buffering", "no");
	req->h2o->res.content_length = SIZE_MAX;
}

void http_reply_head(struct http_req *req, int status, const char *type)
{
	static h2o_generator_t done;
	http_stream_put_head(req, status, type);
	h2o_req_t *q = http_req_finish(req);
	h2o_start_response(q, &done);
	h2o_send(q, NULL, 0, H2O_SEND_STATE_FINAL);
}

void http_stream_start(struct http_req *req, int status, const char *type,
    void (*on_drain)(void *arg), void *arg)
{
	h2o_req_t *q = req->h2o;
	struct http *h = req->conn->http;
	struct http_stream *s =
	    h2o_mem_alloc_shared(&q->pool, sizeof *s, on_dispose);
	*s = (struct http_stream){
	    .super = {.proceed = on_proceed, .stop = on_stop},
	    .h2o = q,
	    .req = req,
	    .is_chunked = libh2o_leaves_chunks_to_us(q),
	    .on_drain = on_drain,
	    .arg = arg,
	};
	req->stream = s;
	loop_later_init(&s->flush, flush, s);
	/*
	 * Before HTTP/1.1, the end of the connection marks the end of the
	 * reply.
	 */
	if (q->version < 0x101 || h->is_draining)
		q->http1_is_persistent = 0;
	http_stream_put_head(req, status, type);
	if (s->is_chunked)
		/*
		 * Add it by its token, so that the library knows not to add it
		 * again.
		 */
		h2o_add_header(&q->pool, &q->res.headers,
		    H2O_TOKEN_TRANSFER_ENCODING, NULL, H2O_STRLIT("chunked"));
	h2o_start_response(q, &s->super);
	loop_later_ask(h->loop, &s->flush);
}

void http_stream_write(struct http_req *req, const char *data, size_t len)
{
	struct http_stream *s = req->stream;
	buf_append(&s->filling, data, len);
	if (!s->is_sending)
		loop_later_ask(req->conn->http->loop, &s->flush);
}

size_t http_stream_pending(const struct http_req *req)
{
	return req->stream->filling.len + req->stream->flight.len;
}

void http_stream_end(struct http_req *req)
{
	struct http_stream *s = req->stream;
	http_req_finish(req);
	s->req = NULL;
	s->is_ending = true;
	loop_later_cancel(&s->flush);
	push(s);
}
