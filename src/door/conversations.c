/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/conversations.h"

#include "base/enc.h"
#include "base/json_peek.h"
#include "base/log.h"
#include "base/span.h"

#include <stdbool.h>
#include <string.h>

/* Room for the routes of both. */
#define MAX_ROUTES 48

struct handler {
	http_handler *fn; /* NULL: none */
	void *arg;
};

static struct route {
	const char *method;
	const char *path;
	struct handler handlers[2]; /* by enum conversations_api */
} routes[MAX_ROUTES];

static size_t n_routes;

/* ---- which of the two ---- */

/* Members by which a body of the agent server's interface is known. */
static bool is_of_server(struct span key)
{
	static const char *const keys[] = {
	    "agent", "workspace", "role", "content"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (key.len == strlen(keys[i]) &&
		    memcmp(key.text, keys[i], key.len) == 0)
			return true;
	return false;
}

static bool has_body_of_server(const char *body, size_t len)
{
	struct json_peek peek;
	struct json_peeked member;
	json_peek_begin(&peek, body, len);
	while (json_peek_next(&peek, &member))
		if (is_of_server(member.key))
			return true;
	return false;
}

static bool asks_for_ids(const char *query)
{
	return strncmp(query, "ids=", 4) == 0 || strstr(query, "&ids=");
}

enum conversations_api conversations_api_of(const struct http_req *req)
{
	size_t len = 0;
	const char *body = http_body(req, &len);
	const char *id = http_segment(req);
	bool is_it =
	    strcmp(http_method(req), "POST") == 0
		? has_body_of_server(body, len)
		: enc_is_uuid(id, strlen(id)) || asks_for_ids(http_query(req));
	return is_it ? CONVERSATIONS_SERVER : CONVERSATIONS_PAGE;
}

/* ---- routes ---- */

static void on_request(struct http_req *req, void *arg)
{
	const struct route *r = arg;
	const struct handler *h = &r->handlers[CONVERSATIONS_PAGE];
	const struct handler *server = &r->handlers[CONVERSATIONS_SERVER];
	if (!h->fn ||
	    (server->fn && conversations_api_of(req) == CONVERSATIONS_SERVER))
		h = server;
	h->fn(req, h->arg);
}

static struct route *find(const char *method, const char *path)
{
	for (size_t i = 0; i < n_routes; i++)
		if (strcmp(routes[i].method, method) == 0 &&
		    strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

void conversations_route(struct http *http, enum conversations_api api,
    const char *method, const char *path, http_handler *fn, void *arg)
{
	struct route *r = find(method, path);
	if (!r) {
		if (n_routes == MAX_ROUTES)
			panic("conversations: more than %d routes", MAX_ROUTES);
		r = &routes[n_routes++];
		*r = (struct route){.method = method, .path = path};
		http_route(http, method, path, on_request, r);
	}
	r->handlers[api] = (struct handler){fn, arg};
}
