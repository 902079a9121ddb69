/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Whole replies, and what they share with streams: the head, and the end of a
 * request.
 */
#include "net/http_int.h"

#include "base/buf.h"
#include "base/lines.h"

#include <string.h>

const char *http_req_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {302, "Found"},
	    {304, "Not Modified"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {402, "Payment Required"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {410, "Gone"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {417, "Expectation Failed"},
	    {422, "Unprocessable Content"},
	    {426, "Upgrade Required"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	};
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Status";
}

void http_req_status(h2o_req_t *q, int status, const char *type)
{
	lines_flush();
	/* Make room at once for the headers that nearly every reply has. */
	h2o_vector_reserve(&q->pool, &q->res.headers, 8);
	q->res.status = status;
	q->res.reason = http_req_reason(status);
	if (type) {
		h2o_iovec_t copy = h2o_strdup(&q->pool, type, SIZE_MAX);
		h2o_add_header(&q->pool, &q->res.headers,
		    H2O_TOKEN_CONTENT_TYPE, NULL, copy.base, copy.len);
	}
}

void http_req_head(h2o_req_t *q, int status, const char *type)
{
	static const char html[] = "text/html";
	http_req_status(q, status, type);
	if (!type || strncmp(type, html, sizeof html - 1) != 0)
		http_cors_add(q);
}

void http_req_unwatch(struct http_req *r)
{
	if (!r->is_watched)
		return;
	r->is_watched = false;
	h2o_socket_read_stop(r->conn->sock);
	h2o_socket_dont_read(r->conn->sock, 0);
}

h2o_req_t *http_req_finish(struct http_req *r)
{
	http_req_unwatch(r);
	r->conn->req = NULL;
	if (r->conn->http->is_draining)
		r->h2o->http1_is_persistent = 0;
	return r->h2o;
}

void http_req_tell_gone(struct http_req *r)
{
	void (*on_gone)(void *) = r->on_gone;
	r->on_gone = NULL;
	r->conn->req = NULL;
	if (on_gone)
		on_gone(r->gone_arg);
}

void http_add_header(struct http_req *req, const char *name, const char *value)
{
	h2o_req_t *q = req->h2o;
	h2o_iovec_t copy = h2o_strdup(&q->pool, value, SIZE_MAX);
	h2o_iovec_t own_name = h2o_strdup(&q->pool, name, SIZE_MAX);
	/* A line end would let a value inject headers. */
	for (size_t i = 0; i < copy.len; i++) {
		if (copy.base[i] == '\r' || copy.base[i] == '\n')
			copy.base[i] = ' ';
	}
	h2o_add_header_by_str(&q->pool, &q->res.headers, own_name.base,
	    own_name.len, 0, NULL, copy.base, copy.len);
}

void http_reply(struct http_req *req, int status, const char *type,
    const char *body, size_t len)
{
	static h2o_generator_t done;
	h2o_req_t *q = http_req_finish(req);
	http_req_head(q, status, type);
	q->res.content_length = len;
	h2o_iovec_t copy = {NULL, 0};
	if (len && !http_is_head(req))
		copy = h2o_strdup(&q->pool, body, len);
	h2o_start_response(q, &done);
	h2o_send(q, &copy, copy.len ? 1 : 0, H2O_SEND_STATE_FINAL);
}
