/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Which handler a request is for: routes, and how paths match them. */
#include "net/http_int.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Whether the path begins as a route that takes all that follows. */
static bool match_rest(
    const struct http_route *rt, struct http_req *r, const char *path, size_t n)
{
	if (n < rt->star || memcmp(path, rt->path, rt->star) != 0)
		return false;
	r->segment = path + rt->star;
	r->segment_len = n - rt->star;
	return true;
}

/* Whether the star of a route can stand for what the path has there. */
static bool match_star(
    const struct http_route *rt, struct http_req *r, const char *path, size_t n)
{
	size_t tail = rt->path_len - rt->star - 1;
	if (rt->is_deep)
		return match_rest(rt, r, path, n);
	if (n <= rt->star + tail)
		return false;
	size_t len = n - rt->star - tail;
	if (memcmp(path, rt->path, rt->star) != 0 ||
	    memcmp(path + n - tail, rt->path + rt->star + 1, tail) != 0 ||
	    memchr(path + rt->star, '/', len))
		return false;
	r->segment = path + rt->star;
	r->segment_len = len;
	return true;
}

const struct http_route *http_route_find(
    const struct http *h, struct http_req *r)
{
	const char *path = r->h2o->input.path.base;
	size_t n = http_path_len(r->h2o);
	h2o_iovec_t method = r->h2o->input.method;
	if (http_req_wants_ws(r))
		method = h2o_iovec_init(H2O_STRLIT("WEBSOCKET"));
	for (size_t i = 0; i < h->n_routes; i++) {
		const struct http_route *rt = &h->routes[i];
		if (rt->method_len != method.len ||
		    memcmp(rt->method, method.base, method.len) != 0)
			continue;
		if (rt->star < rt->path_len) {
			if (match_star(rt, r, path, n))
				return rt;
		} else if (rt->path_len == n &&
			   memcmp(rt->path, path, n) == 0) {
			return rt;
		}
	}
	return NULL;
}

void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg)
{
	h->routes = mem_realloc(
	    h->routes, (h->n_routes + 1) * sizeof(struct http_route));
	h->routes[h->n_routes++] = (struct http_route){
	    .method = mem_strdup(method),
	    .path = mem_strdup(path),
	    .method_len = strlen(method),
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
