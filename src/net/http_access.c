/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_access.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_int.h"
#include "net/ws_int.h"

#include <ctype.h>
#include <string.h>

/* The longest request id that is taken. */
#define MAX_ID 64

static http_access_fn *tell;
static void *tell_arg;

void http_access_to(http_access_fn *fn, void *arg)
{
	tell = fn;
	tell_arg = arg;
}

/* ---- ids ---- */

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", text[i]) || !text[i])
			return false;
	return true;
}

/* Returns whether it is "vv-TRACE-SPAN-ff", with a trace that is not all 0. */
static bool is_traceparent(const char *text, size_t len)
{
	static const char zeros[] = "00000000000000000000000000000000";
	return text && len >= 55 && text[2] == '-' && text[35] == '-' &&
	       text[52] == '-' && is_hex(text, 2) &&
	       memcmp(text, "ff", 2) != 0 && is_hex(text + 3, 32) &&
	       is_hex(text + 36, 16) && is_hex(text + 53, 2) &&
	       memcmp(text + 3, zeros, 32) != 0;
}

const char *http_access_id(const char *traceparent, size_t traceparent_len,
    const char *request_id, size_t request_id_len, size_t *len)
{
	*len = 0;
	if (is_traceparent(traceparent, traceparent_len)) {
		*len = 32;
		return traceparent + 3;
	}
	if (!request_id || !request_id_len || request_id_len > MAX_ID)
		return NULL;
	for (size_t i = 0; i < request_id_len; i++)
		if (!isalnum((unsigned char)request_id[i]) &&
		    !strchr("-_.", request_id[i]))
			return NULL;
	*len = request_id_len;
	return request_id;
}

static h2o_iovec_t header(const h2o_req_t *q, const char *name, size_t len)
{
	ssize_t at = h2o_find_header_by_str(&q->headers, name, len, -1);
	return at < 0 ? (h2o_iovec_t){NULL, 0} : q->headers.entries[at].value;
}

static void find_id(struct http_access *a, const h2o_req_t *q)
{
	h2o_iovec_t trace = header(q, H2O_STRLIT("traceparent"));
	h2o_iovec_t id = header(q, H2O_STRLIT("x-request-id"));
	a->id =
	    http_access_id(trace.base, trace.len, id.base, id.len, &a->id_len);
}

/* ---- requests ---- */

void http_access_begin(struct http_req *r)
{
	if (!tell)
		return;
	r->began_us = clock_steady_us();
	r->conn->latest = r;
}

void http_note_who(struct http_req *req, const char *address)
{
	if (tell)
		req->who = h2o_strdup(&req->h2o->pool, address, SIZE_MAX).base;
}

/*
 * Without proxies that we trust, all requests of a connection have the same
 * client, and finding it costs more than the rest of a line.
 */
static const char *peer_of(const struct http_req *r)
{
	struct http_conn *c = r->conn;
	const struct http_proxy_set *proxies = &c->http->proxies;
	if (r->client || proxies->n_nets || proxies->trusts_unix)
		return http_peer(r);
	if (!c->peer)
		c->peer = mem_strdup(http_peer(r));
	return c->peer;
}

/* The library is about to free the request. */
static void http_access_on_end(h2o_logger_t *self, h2o_req_t *q)
{
	struct http_conn *c = http_conn_of(q);
	struct http_req *r = c->latest;
	(void)self;
	if (!tell || !r || r->h2o != q || !r->began_us)
		return;
	c->latest = NULL;
	struct http_access a = {
	    .peer = peer_of(r),
	    .who = r->who,
	    .method = q->input.method.base,
	    .method_len = q->input.method.len,
	    .path = q->input.path.base,
	    .path_len = http_path_len(q),
	    .route = r->route ? r->route->path : NULL,
	    .route_len = r->route ? r->route->path_len : 0,
	    .status = q->res.status,
	    .bytes_in = q->entity.len,
	    .bytes_out = q->bytes_sent,
	    .took_us = clock_steady_us() - r->began_us,
	};
	find_id(&a, q);
	tell(&a, tell_arg);
}

void http_access_install(h2o_pathconf_t *path)
{
	h2o_logger_t *logger =
	    h2o_create_logger(path, sizeof(struct http_access_logger));
	logger->log_access = http_access_on_end;
}

/* ---- WebSockets ---- */

void http_access_socket(const struct ws *w)
{
	if (!tell || !w->began_us)
		return;
	const struct http_access a = {
	    .peer = w->peer,
	    .method = "SOCKET",
	    .method_len = 6,
	    .path = w->path,
	    .path_len = w->path ? strlen(w->path) : 0,
	    .status = 101,
	    .bytes_in = w->bytes_in,
	    .bytes_out = w->bytes_out,
	    .took_us = clock_steady_us() - w->began_us,
	};
	tell(&a, tell_arg);
}
