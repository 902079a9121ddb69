/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_http.h"

#include "base/list.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/http_access.h"
#include "net/http_asset.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROUTES 64
#define MAX_TIMERS 32
#define MAX_HEADERS 16

struct http {
	struct {
		const char *method;
		const char *path;
		http_handler *fn;
		void *arg;
	} routes[MAX_ROUTES];
	size_t n;
};

struct header {
	char *name;
	char *value;
};

struct http_req {
	struct http *http;
	char *method;
	char *target;
	char *query;
	char *segment;
	struct header headers[MAX_HEADERS];
	size_t n_headers;
	char *body;
	bool is_loopback;
	bool is_stalled;
	size_t pending;
	void (*on_gone)(void *arg);
	void *gone_arg;
	void (*on_drain)(void *arg);
	void *drain_arg;
	struct fake_reply reply;
};

static bool is_loopback_now = true;
static struct loop_timer *timers[MAX_TIMERS];

/* ---- the test's side ---- */

struct http *fake_http_new(void)
{
	return mem_zero(sizeof(struct http));
}

void fake_http_end(struct http **h)
{
	free(*h);
	*h = NULL;
}

/* Whether path is of the route; *segment gets what its star stands for. */
static bool is_match(const char *route, const char *path, char **segment)
{
	const char *star = strchr(route, '*');
	if (!star)
		return strcmp(route, path) == 0;
	size_t head = (size_t)(star - route);
	if (strncmp(route, path, head) != 0)
		return false;
	if (star[1] == '*') {
		*segment = mem_strdup(path + head);
		return true;
	}
	size_t n = strcspn(path + head, "/");
	if (n == 0 || strcmp(path + head + n, star + 1) != 0)
		return false;
	*segment = mem_strndup(path + head, n);
	return true;
}

static void parse_headers(struct http_req *req, const char *text)
{
	while (*text && req->n_headers < MAX_HEADERS) {
		size_t name = strcspn(text, ":");
		size_t line = strcspn(text, "\n");
		struct header *h = &req->headers[req->n_headers++];
		h->name = mem_strndup(text, name);
		h->value = mem_strndup(text + name + 2, line - name - 2);
		text += line + 1;
	}
}

/* Whether the request is one for a route of this method. */
static bool is_for(const char *route, const char *method)
{
	if (!route)
		return strcmp(method, "OPTIONS") != 0;
	return !strcmp(route, strcmp(method, "HEAD") ? method : "GET");
}

struct http_req *fake_http_send(struct http *h, const char *method,
    const char *target, const char *headers, const char *body)
{
	struct http_req *req = mem_zero(sizeof(*req));
	size_t path = strcspn(target, "?");
	req->method = mem_strdup(method);
	req->target = mem_strndup(target, path);
	req->query = mem_strdup(target[path] ? target + path + 1 : "");
	req->body = mem_strdup(body);
	req->is_loopback = is_loopback_now;
	parse_headers(req, headers);
	req->http = h;
	for (size_t i = 0; i < h->n; i++)
		if (is_for(h->routes[i].method, method) &&
		    is_match(h->routes[i].path, req->target, &req->segment)) {
			h->routes[i].fn(req, h->routes[i].arg);
			return req;
		}
	if (!http_reply_method(req))
		http_reply_error(req, 404, "not found");
	return req;
}

struct fake_reply *fake_http_reply(struct http_req *req)
{
	(void)buf_cstr(&req->reply.type);
	(void)buf_cstr(&req->reply.headers);
	(void)buf_cstr(&req->reply.body);
	return &req->reply;
}

void fake_http_leave(struct http_req *req)
{
	void (*fn)(void *) = req->on_gone;
	req->on_gone = NULL;
	req->reply.is_ended = true;
	if (fn)
		fn(req->gone_arg);
}

void fake_http_stall(struct http_req *req, bool is_stalled)
{
	req->is_stalled = is_stalled;
	while (!req->is_stalled && req->pending && !req->reply.is_ended) {
		req->pending = 0;
		req->on_drain(req->drain_arg);
	}
}

void fake_http_free(struct http_req **reqp)
{
	struct http_req *req = *reqp;
	*reqp = NULL;
	for (size_t i = 0; i < req->n_headers; i++) {
		free(req->headers[i].name);
		free(req->headers[i].value);
	}
	buf_fini(&req->reply.type);
	buf_fini(&req->reply.headers);
	buf_fini(&req->reply.body);
	free(req->method);
	free(req->target);
	free(req->query);
	free(req->segment);
	free(req->body);
	free(req);
}

void fake_http_loopback(bool is_loopback)
{
	is_loopback_now = is_loopback;
}

void fake_http_pass(long ms)
{
	for (size_t i = 0; i < MAX_TIMERS; i++) {
		struct loop_timer *t = timers[i];
		if (!t || t->due_us > (int64_t)ms * 1000)
			continue;
		timers[i] = NULL;
		t->heap_at = 0;
		t->on_time(t->arg);
	}
}

/* ---- net/http.h ---- */

void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg)
{
	h->routes[h->n].method = method;
	h->routes[h->n].path = path;
	h->routes[h->n].fn = fn;
	h->routes[h->n++].arg = arg;
}

const char *http_method(const struct http_req *req)
{
	return req->method;
}

bool http_is_head(const struct http_req *req)
{
	return strcmp(req->method, "HEAD") == 0;
}

bool http_is_read(const struct http_req *req)
{
	return http_is_head(req) || strcmp(req->method, "GET") == 0;
}

const char *http_path(const struct http_req *req)
{
	return req->target;
}

const char *http_segment(const struct http_req *req)
{
	return req->segment ? req->segment : "";
}

const char *http_query(const struct http_req *req)
{
	return req->query;
}

const char *http_header(const struct http_req *req, const char *name)
{
	for (size_t i = 0; i < req->n_headers; i++)
		if (!strcmp(req->headers[i].name, name))
			return req->headers[i].value;
	return NULL;
}

void http_each_header(const struct http_req *req,
    void (*fn)(void *arg, const char *name, size_t name_len, const char *value,
	size_t len),
    void *arg)
{
	for (size_t i = 0; i < req->n_headers; i++) {
		const struct header *h = &req->headers[i];
		/* The library keeps it apart. */
		if (strcmp(h->name, "host") != 0)
			fn(arg, h->name, strlen(h->name), h->value,
			    strlen(h->value));
	}
}

const char *http_body(const struct http_req *req, size_t *len)
{
	*len = strlen(req->body);
	return req->body;
}

void http_open_path(struct http *h, const char *path, enum http_open_to to)
{
	(void)h;
	(void)path;
	(void)to;
}

const char *http_peer(const struct http_req *req)
{
	(void)req;
	return "127.0.0.1";
}

const char *http_place(const struct http_req *req)
{
	(void)req;
	return "127.0.0.1";
}

bool http_peer_is_loopback(const struct http_req *req)
{
	return req->is_loopback;
}

void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg)
{
	req->on_gone = fn;
	req->gone_arg = arg;
}

void http_note_who(struct http_req *req, const char *address)
{
	(void)req;
	(void)address;
}

void http_add_header(struct http_req *req, const char *name, const char *value)
{
	buf_printf(&req->reply.headers, "%s: %s\n", name, value);
}

void http_reply(struct http_req *req, int status, const char *type,
    const char *body, size_t len)
{
	req->reply.status = status;
	req->reply.is_ended = true;
	buf_str(&req->reply.type, type ? type : "");
	if (!http_is_head(req))
		buf_append(&req->reply.body, body, len);
}

void http_reply_asset(struct http_req *req, const struct http_asset *asset)
{
	http_reply(req, 200, asset->type, asset->forms[HTTP_CODING_NONE].data,
	    asset->forms[HTTP_CODING_NONE].size);
}

void http_reply_allow(struct http_req *req, const char *methods)
{
	http_add_header(req, "allow", methods);
	http_reply_error(req, 405, "method not allowed");
}

bool http_reply_method(struct http_req *req)
{
	for (size_t i = 0; i < req->http->n; i++) {
		const char *path = req->http->routes[i].path;
		char *segment = NULL;
		bool is_known = req->http->routes[i].method &&
				!strstr(path, "**") &&
				is_match(path, req->target, &segment);
		free(segment);
		if (!is_known)
			continue;
		http_reply_allow(req, req->http->routes[i].method);
		return true;
	}
	return false;
}

void http_reply_head(struct http_req *req, int status, const char *type)
{
	http_reply(req, status, type, "", 0);
}

void http_reply_problem(
    struct http_req *req, int status, const char *body, size_t len)
{
	http_reply(req, status, "application/json", body, len);
}

void http_reply_error(struct http_req *req, int status, const char *text)
{
	struct buf body = {0};
	buf_str(&body, "{\"error\":");
	buf_json_str(&body, text);
	buf_char(&body, '}');
	http_reply(req, status, "application/json", body.data, body.len);
	buf_fini(&body);
}

void http_stream_start(struct http_req *req, int status, const char *type,
    void (*on_drain)(void *arg), void *arg)
{
	req->reply.status = status;
	req->reply.is_stream = true;
	buf_str(&req->reply.type, type);
	req->on_drain = on_drain;
	req->drain_arg = arg;
}

void http_stream_write(struct http_req *req, const char *data, size_t len)
{
	buf_append(&req->reply.body, data, len);
	req->pending += len;
}

size_t http_stream_pending(const struct http_req *req)
{
	return req->pending;
}

void http_stream_end(struct http_req *req)
{
	req->reply.is_ended = true;
}

/* ---- net/loop.h ---- */

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg)
{
	*t = (struct loop_timer){.on_time = on_time, .arg = arg};
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	(void)l;
	for (size_t i = 0; i < MAX_TIMERS; i++)
		if (timers[i] == t)
			timers[i] = NULL;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms)
{
	loop_timer_stop(l, t);
	t->due_us = delay_ms * 1000;
	for (size_t i = 0; i < MAX_TIMERS; i++)
		if (!timers[i]) {
			timers[i] = t;
			return;
		}
}
