/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a handler can find out about its request. */
#include "net/http_int.h"

#include <string.h>

bool http_req_wants_ws(const struct http_req *r)
{
	const h2o_iovec_t *upgrade = &r->h2o->upgrade;
	return upgrade->base && h2o_lcstris(upgrade->base, upgrade->len,
				    H2O_STRLIT("websocket"));
}

static const char *pool_text(
    const struct http_req *r, const char *p, size_t len)
{
	return h2o_strdup(&r->h2o->pool, p, len).base;
}

const char *http_method(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return pool_text(req, method->base, method->len);
}

bool http_is_head(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return h2o_memis(method->base, method->len, H2O_STRLIT("HEAD"));
}

bool http_is_read(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return http_is_head(req) ||
	       h2o_memis(method->base, method->len, H2O_STRLIT("GET"));
}

const char *http_path(const struct http_req *req)
{
	return pool_text(
	    req, req->h2o->input.path.base, http_path_len(req->h2o));
}

const char *http_segment(const struct http_req *req)
{
	if (!req->segment)
		return "";
	return pool_text(req, req->segment, req->segment_len);
}

const char *http_query(const struct http_req *req)
{
	const h2o_iovec_t *path = &req->h2o->input.path;
	size_t at = http_path_len(req->h2o);
	if (at == path->len)
		return "";
	return pool_text(req, path->base + at + 1, path->len - at - 1);
}

const char *http_header(const struct http_req *req, const char *name)
{
	/* The library keeps these two apart from the others. */
	const h2o_iovec_t *own = NULL;
	if (strcmp(name, "host") == 0)
		own = &req->h2o->input.authority;
	else if (strcmp(name, "upgrade") == 0)
		own = &req->h2o->upgrade;
	if (own)
		return own->base ? pool_text(req, own->base, own->len) : NULL;
	const h2o_headers_t *headers = &req->h2o->headers;
	ssize_t at = h2o_find_header_by_str(headers, name, strlen(name), -1);
	if (at < 0)
		return NULL;
	const h2o_iovec_t *value = &headers->entries[at].value;
	return pool_text(req, value->base, value->len);
}

void http_each_header(const struct http_req *req,
    void (*fn)(void *arg, const char *name, size_t name_len, const char *value,
	size_t len),
    void *arg)
{
	const h2o_headers_t *headers = &req->h2o->headers;
	for (size_t i = 0; i < headers->size; i++) {
		const h2o_header_t *h = &headers->entries[i];
		fn(arg, h->name->base, h->name->len, h->value.base,
		    h->value.len);
	}
}

const char *http_body(const struct http_req *req, size_t *len)
{
	const h2o_iovec_t *body = &req->h2o->entity;
	*len = body->base ? body->len : 0;
	return body->base ? body->base : "";
}
