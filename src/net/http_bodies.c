/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Incomplete request bodies count against the budget of the process. The
 * library collects a body by itself and only reports when it is complete, so we
 * poll how much it holds meanwhile.
 */
#include "net/http_int.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

/* The polling interval; at a gigabyte per second, 100 MB come meanwhile. */
#define LOOK_MS 100

/* Every connection may have this much without being counted. */
#define SMALL_BYTES ((size_t)64 * 1024)

static struct http_conn *conn_of(struct unfinished *part)
{
	return (struct http_conn *)(void *)((char *)part -
					    offsetof(struct http_conn, part));
}

/*
 * The library cannot answer a request that it does not know yet. Nothing is
 * being written on this connection, so the kernel has room for a few bytes.
 */
static void http_bodies_drop(struct unfinished *part)
{
	static const char busy[] =
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "content-type: application/json\r\n"
	    "retry-after: 1\r\nconnection: close\r\n"
	    "content-length: 86\r\n\r\n"
	    "{\"error\":\"server is busy: too many bodies are on their way\","
	    "\"data\":{\"retryable\":true}}";
	struct http_conn *c = conn_of(part);
	int fd = h2o_socket_get_fd(c->sock);
	(void)send(fd, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	http_linger(c->http, c->sock);
	(void)shutdown(fd, SHUT_RDWR);
}

static size_t body_bytes(const struct http_conn *c)
{
	if (c->is_upgraded || c->req || !c->sock->input)
		return 0;
	size_t bytes = c->sock->input->size + c->body_bytes;
	return bytes > SMALL_BYTES ? bytes : 0;
}

static int note_body(h2o_req_t *q, void *arg)
{
	(void)arg;
	http_conn_of(q)->body_bytes = libh2o_body_bytes(q);
	return 0;
}

static void http_bodies_look(void *arg)
{
	struct http *h = arg;
	libh2o_each_request(&h->context, note_body, NULL);
	list_each_safe(it, &h->conns)
	{
		struct http_conn *c = list_entry(it, struct http_conn, link);
		size_t bytes = body_bytes(c);
		if ((bytes || c->part.bytes) &&
		    !unfinished_hold(&c->part, bytes))
			http_bodies_drop(&c->part);
	}
	loop_timer_set(h->loop, &h->bodies, LOOK_MS);
}

void http_bodies_begin(struct http *h)
{
	unfinished_open(h->setup.max_unfinished_bytes, h->setup.unfinished,
	    h->setup.dropped_total);
	loop_timer_init(&h->bodies, http_bodies_look, h);
	loop_timer_set(h->loop, &h->bodies, LOOK_MS);
}

void http_bodies_end(struct http *h)
{
	loop_timer_stop(h->loop, &h->bodies);
}

void http_bodies_adopt(struct http_conn *c)
{
	unfinished_init(&c->part, http_bodies_drop);
}
