/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Routes: which handler serves a request, and how paths match. */
#include "net/http_int.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The pseudo-method of routes for WebSockets. */
#define WEBSOCKET "WEBSOCKET"

/* The text that the star of a route stands for. */
struct segment {
	const char *text; /* NULL: there is no star */
	size_t len;
};

/* Whether the path begins like a route that takes any rest. */
static bool match_rest(const struct http_route *rt, const char *path, size_t n,
    struct segment *segment)
{
	if (n < rt->star || memcmp(path, rt->path, rt->star) != 0)
		return false;
	*segment = (struct segment){path + rt->star, n - rt->star};
	return true;
}

/* Whether the star of a route matches what the path has in its place. */
static bool match_star(const struct http_route *rt, const char *path, size_t n,
    struct segment *segment)
{
	size_t tail = rt->path_len - rt->star - 1;
	if (n <= rt->star + tail)
		return false;
	size_t len = n - rt->star - tail;
	if (memcmp(path, rt->path, rt->star) != 0 ||
	    memcmp(path + n - tail, rt->path + rt->star + 1, tail) != 0 ||
	    memchr(path + rt->star, '/', len))
		return false;
	*segment = (struct segment){path + rt->star, len};
	return true;
}

static bool match_path(const struct http_route *rt, const struct http_req *r,
    struct segment *segment)
{
	const char *path = r->h2o->input.path.base;
	size_t n = http_path_len(r->h2o);
	*segment = (struct segment){NULL, 0};
	if (rt->is_deep)
		return match_rest(rt, path, n, segment);
	if (rt->star < rt->path_len)
		return match_star(rt, path, n, segment);
	return rt->path_len == n && memcmp(rt->path, path, n) == 0;
}

static bool match_method(const struct http_route *rt, const struct http_req *r)
{
	h2o_iovec_t method = r->h2o->input.method;
	if (http_req_wants_ws(r))
		return rt->method && strcmp(rt->method, WEBSOCKET) == 0;
	if (!rt->method)
		return !h2o_memis(
		    method.base, method.len, H2O_STRLIT("OPTIONS"));
	/* The reply to HEAD is that to GET without its body. */
	if (http_is_head(r))
		return strcmp(rt->method, "GET") == 0;
	return rt->method_len == method.len &&
	       memcmp(rt->method, method.base, method.len) == 0;
}

const struct http_route *http_route_find(
    const struct http *h, struct http_req *r)
{
	for (size_t i = 0; i < h->n_routes; i++) {
		const struct http_route *rt = &h->routes[i];
		struct segment segment;
		if (!match_method(rt, r) || !match_path(rt, r, &segment))
			continue;
		r->segment = segment.text;
		r->segment_len = segment.len;
		return rt;
	}
	return NULL;
}

/* List the methods that have routes for exactly this path, as in Allow. */
static void list_methods(
    struct buf *out, const struct http *h, const struct http_req *r)
{
	for (size_t i = 0; i < h->n_routes; i++) {
		const struct http_route *rt = &h->routes[i];
		struct segment segment;
		if (!rt->method || rt->is_deep ||
		    strcmp(rt->method, WEBSOCKET) == 0 ||
		    !match_path(rt, r, &segment))
			continue;
		buf_str(out, out->len ? ", " : "");
		buf_str(out, rt->method);
		if (strcmp(rt->method, "GET") == 0)
			buf_str(out, ", HEAD");
	}
}

bool http_reply_method(struct http_req *req)
{
	struct buf methods = {0};
	list_methods(&methods, req->conn->http, req);
	bool is_known = methods.len > 0;
	if (is_known)
		http_reply_allow(req, buf_cstr(&methods));
	buf_fini(&methods);
	return is_known;
}

void http_reply_allow(struct http_req *req, const char *methods)
{
	struct buf text = {0};
	buf_printf(&text, "%s, OPTIONS", methods);
	http_add_header(req, "allow", buf_cstr(&text));
	http_count(req->conn->http->setup.refused_total, 1);
	http_reply_error(req, 405, "method not allowed");
	buf_fini(&text);
}

void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg)
{
	h->routes = mem_realloc(
	    h->routes, (h->n_routes + 1) * sizeof(struct http_route));
	h->routes[h->n_routes++] = (struct http_route){
	    .method = method ? mem_strdup(method) : NULL,
	    .path = mem_strdup(path),
	    .method_len = method ? strlen(method) : 0,
	    .path_len = strlen(path),
	    .star = strcspn(path, "*"),
	    .is_deep = strstr(path, "**") != NULL,
	    .fn = fn,
	    .arg = arg,
	};
}

void http_route_free_all(struct http *h)
{
	for (size_t i = 0; i < h->n_routes; i++) {
		free(h->routes[i].method);
		free(h->routes[i].path);
	}
	free(h->routes);
}
