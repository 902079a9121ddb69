/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Clients that leave before they have their reply: detecting them, and ending
 * their requests.
 */
#include "net/http_int.h"

#include <errno.h>
#include <sys/socket.h>

/* Reply to nobody: the library then closes the connection. */
static void http_gone_drop(h2o_req_t *q)
{
	static h2o_generator_t nothing;
	q->http1_is_persistent = 0;
	q->res.status = 500;
	q->res.content_length = 0;
	h2o_start_response(q, &nothing);
	h2o_send(q, NULL, 0, H2O_SEND_STATE_FINAL);
}

void http_req_cut(struct http_req *r)
{
	struct http_stream *stream = r->stream;
	h2o_req_t *q = r->h2o;
	http_req_unwatch(r);
	/* All writes in progress fail from now on. */
	(void)shutdown(h2o_socket_get_fd(r->conn->sock), SHUT_RDWR);
	http_req_tell_gone(r);
	if (stream)
		http_stream_cut(stream);
	else
		http_gone_drop(q);
}

/*
 * Data is readable while a request waits for its reply. Only peek: the
 * request's bytes lie in the input buffer, which reading could move.
 */
static void on_peer(h2o_socket_t *sock, const char *err)
{
	(void)err;
	struct http_conn *c = sock->on_close.data;
	char byte;
	ssize_t n = recv(h2o_socket_get_fd(sock), &byte, sizeof byte,
	    MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		/* A pipelined request; an end behind it cannot be seen. */
		http_req_unwatch(c->req);
	else
		http_req_cut(c->req);
}

void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg)
{
	req->on_gone = fn;
	req->gone_arg = arg;
	if (!fn || req->is_watched)
		return;
	h2o_socket_t *sock = req->conn->sock;
	h2o_socket_dont_read(sock, 1);
	h2o_socket_read_start(sock, on_peer);
	req->is_watched = true;
}
