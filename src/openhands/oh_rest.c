/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_rest.h"

#include "base/json.h"
#include "core/err.h"
#include "door/conversations.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "door/server_info.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "openhands/oh_asked.h"
#include "openhands/oh_conversation.h"
#include "openhands/oh_key.h"
#include "openhands/oh_pending.h"
#include "openhands/oh_rest_events.h"
#include "openhands/oh_rest_options.h"
#include "openhands/oh_rest_talks.h"
#include "openhands/oh_token.h"
#include "openhands/oh_trajectory.h"

#include <string.h>

/* The longest body, as on the socket. */
#define MAX_BODY ((size_t)4 * 1024 * 1024)

#define ALL "/api/conversations"
#define ONE ALL "/*"

enum { HAS_ID = 1, HAS_BODY = 2 };

static const struct route {
	const char *method;
	const char *path;
	oh_asked_fn *fn;
	unsigned flags;
} routes[] = {
    {"POST", ALL, oh_rest_talks_create, HAS_BODY},
    {"GET", ALL, oh_rest_talks_list, 0},
    {"GET", ONE, oh_rest_talks_get, HAS_ID},
    {"DELETE", ONE, oh_rest_talks_delete, HAS_ID},
    {"PATCH", ONE, oh_rest_talks_rename, HAS_ID | HAS_BODY},
    {"POST", ONE "/start", oh_rest_talks_start, HAS_ID | HAS_BODY},
    {"POST", ONE "/stop", oh_rest_talks_stop, HAS_ID | HAS_BODY},
    {"GET", ONE "/config", oh_rest_talks_config, HAS_ID},
    {"GET", ONE "/events", oh_rest_events_get, HAS_ID},
    {"POST", ONE "/events", oh_rest_events_post, HAS_ID | HAS_BODY},
    {"POST", ONE "/message", oh_rest_events_message, HAS_ID | HAS_BODY},
    {"GET", ONE "/trajectory", oh_trajectory_get, HAS_ID},
    {"GET", "/api/options/models", oh_rest_options_models, 0},
    {"GET", "/api/options/agents", oh_rest_options_agents, 0},
    {"GET", "/api/options/security-analyzers", oh_rest_options_analyzers, 0},
    {"GET", "/api/options/config", oh_rest_options_config, 0},
};

static const struct door_setup *setup;

/* ---- the request ---- */

static bool read_id(struct oh_asked *a)
{
	reply_segment(a->req, &a->id);
	if (!oh_conversation_is_valid(a->id.data, a->id.len)) {
		reply_detail(a->req, 400,
		    "Invalid conversation id: " OH_CONVERSATION_RULE);
		return false;
	}
	oh_conversation_find(setup->sessions, &a->id);
	return true;
}

/* An empty body is one without members. */
static bool read_body(struct oh_asked *a, struct json_doc *doc)
{
	struct json_error why;
	size_t len = 0;
	const char *body = http_body(a->req, &len);
	if (len > MAX_BODY) {
		reply_detail(
		    a->req, 413, "the body is longer than 4194304 bytes");
		return false;
	}
	a->body = json_parse(doc, len ? body : "{}", len ? len : 2, 0, &why);
	if (json_is(a->body, JSON_OBJECT))
		return true;
	reply_detail(a->req, 422, "the body must be a JSON object");
	return false;
}

/* The client may come in. */
static void oh_rest_serve(
    struct http_req *req, const struct route *r, const struct caller *caller)
{
	struct oh_asked a = {.req = req,
	    .setup = setup,
	    .caller = *caller,
	    .has_key = oh_key_is_shown(req)};
	struct json_doc doc = {0};
	if ((!(r->flags & HAS_ID) || read_id(&a)) &&
	    (!(r->flags & HAS_BODY) || read_body(&a, &doc)))
		r->fn(&a);
	json_fini(&doc);
	buf_fini(&a.id);
}

/* A key that is set may be replaced by the signature of a contact. */
static bool lacks_key(const struct http_req *req, const struct caller *caller)
{
	return oh_key_is_set() && !oh_key_is_shown(req) && !caller->is_known;
}

static void on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err && err_is_retryable(v->err->code))
		oh_asked_refuse(req, v->err);
	else if (v->err)
		reply_detail(req, 401, err_public_text(v->err));
	else if (lacks_key(req, v->caller))
		reply_detail(req, 401, "Unauthorized");
	else
		oh_rest_serve(req, arg, v->caller);
}

static bool may_ask(struct http_req *req)
{
	struct err err;
	if (request_limit_count(req, setup, &err) == 0)
		return true;
	oh_asked_refuse(req, &err);
	return false;
}

/* A request that changes something is signed as a whole. */
static void ask_signed(struct http_req *req, void *route)
{
	if (http_is_read(req))
		signed_request_by_headers(
		    req, setup, ACCESS_READ, on_verdict, route);
	else
		signed_request_whole(
		    req, setup, ACCESS_INPUT, on_verdict, route);
}

/* Returns whether the request shows a token, which is asked about. */
static bool ask_token(struct http_req *req, void *route)
{
	char token[OH_TOKEN_MAX + 1];
	struct json_doc doc = {0};
	struct buf memory = {0};
	oh_token_find(token, req);
	const struct json *said = oh_token_read(&doc, &memory, NULL, token);
	struct access_ask ask = {
	    .use = ACCESS_CONNECT,
	    .payload = json_get(said, "payload"),
	    .from = json_get(said, "from"),
	    .signature = json_get(said, "signature"),
	    .place = http_place(req),
	};
	if (said)
		signed_request_ask(req, setup, &ask, on_verdict, route);
	json_fini(&doc);
	buf_fini(&memory);
	return said;
}

static void ask_anonymous(struct http_req *req, void *route)
{
	struct access_ask ask = {
	    .use = ACCESS_CONNECT, .place = http_place(req)};
	if (oh_key_is_shown(req) || access_is_open(setup->access))
		oh_rest_serve(req, route, &CALLER_NOBODY);
	else
		signed_request_ask(req, setup, &ask, on_verdict, route);
}

static void on_request(struct http_req *req, void *arg)
{
	if (!may_ask(req))
		return;
	if (signed_request_is(req))
		ask_signed(req, arg);
	else if (ask_token(req, arg))
		return;
	else if (lacks_key(req, &CALLER_NOBODY))
		reply_detail(req, 401, "Unauthorized");
	else
		ask_anonymous(req, arg);
}

void oh_rest_mount(struct http *http, const struct door_setup *given)
{
	setup = given;
	server_info_mount(http, CONVERSATIONS_PAGE, given);
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		/* The arg of handlers is not const, but none writes to it. */
		void *arg = (void *)(uintptr_t)&routes[i];
		conversations_route(http, CONVERSATIONS_PAGE, routes[i].method,
		    routes[i].path, on_request, arg);
	}
}

void oh_rest_close_all(void)
{
	oh_pending_close_all();
}
