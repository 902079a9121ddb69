/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_admin.h"

#include "api/admin_files.h"
#include "api/admin_watch.h"
#include "api/api_body.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "core/conf.h"
#include "core/conf_show.h"
#include "core/err.h"
#include "door/admin_change.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "door/signed_request.h"
#include "identity/bearer.h"
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

/* The largest request body; a change is a few hundred bytes. */
#define BODY_BYTES ((size_t)64 * 1024)

static const struct door_setup *setup;

/* A change whose result is pending. */
struct changing {
	struct list link;
	struct http_req *req; /* NULL: the client left */
	struct lists_change change;
};

static struct list all_changing = {&all_changing, &all_changing};

/* What a route does for an authorised caller. */
struct action {
	/* caller is the address, NULL if a bearer token was shown. */
	void (*run)(struct http_req *req, const struct action *action,
	    const char *caller);
	enum lists_action change;
	bool takes_bearer; /* and signatures over the time alone */
};

/* ---- changes ---- */

static void api_admin_on_gone(void *arg)
{
	struct changing *c = arg;
	c->req = NULL;
}

static void send_result(
    const struct changing *c, const struct lists_result *result)
{
	struct buf out = {0};
	buf_char(&out, '{');
	admin_change_put(&out, &c->change, result);
	buf_char(&out, '}');
	reply_json(c->req, 200, &out);
	buf_fini(&out);
}

static void api_admin_on_changed(
    void *arg, const struct lists_result *result, const struct err *err)
{
	struct changing *c = arg;
	if (c->req)
		http_on_gone(c->req, NULL, NULL);
	if (c->req && err)
		signed_request_refuse(c->req, err);
	else if (c->req)
		send_result(c, result);
	list_remove(&c->link);
	free(c);
}

static void make_change(struct http_req *req, const struct lists_change *change)
{
	struct changing *c = mem_zero(sizeof *c);
	c->req = req;
	c->change = *change;
	list_append(&all_changing, &c->link);
	http_on_gone(req, api_admin_on_gone, c);
	access_change(setup->access, change, api_admin_on_changed, c);
}

static void change_named(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)caller;
	struct lists_change change = {.action = action->change};
	struct json_doc doc = {0};
	struct err err;
	const struct json *body = api_body_json(req, &doc, &err);
	if (!body ||
	    admin_change_read(&change, json_get(body, "payload"), &err) != 0)
		http_reply_error(req, err_status(err.code), err.text);
	else
		make_change(req, &change);
	json_fini(&doc);
}

static void api_admin_look(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)caller;
	struct lists_change change = {.action = action->change};
	struct buf id = {0};
	struct err err;
	reply_segment(req, &id);
	if (admin_change_name(&change, id.data, id.len, &err) != 0)
		http_reply_error(req, err_status(err.code), err.text);
	else
		make_change(req, &change);
	buf_fini(&id);
}

/* ---- files ---- */

static void show_logs(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	(void)caller;
	admin_files_logs(req, setup->crew, setup->agent_log);
}

static void show_sessions(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	(void)caller;
	admin_files_sessions(req, setup->crew, setup->conf->co_dir);
}

static void show_lists(
    struct http_req *req, const struct action *action, const char *caller)
{
	size_t len = 0;
	struct buf text = {0};
	const char *query = reply_query(req, "q", &len);
	(void)action;
	(void)caller;
	if (query)
		percent_text(&text, query, len, true);
	admin_files_lists(
	    req, setup->crew, setup->conf->co_dir, buf_cstr(&text));
	buf_fini(&text);
}

/* ---- streams ---- */

static void show_live(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	admin_watch_live(req, setup, caller);
}

static void show_tail(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	admin_watch_log(req, setup, caller);
}

static void show_settings(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	(void)caller;
	struct buf out = {0};
	buf_str(&out, "{\"file\":");
	buf_json_str(&out, setup->conf->host_yaml);
	buf_str(&out, ",\"settings\":");
	conf_show_json(&out, setup->conf);
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&out);
}

static void show_nothing(
    struct http_req *req, const struct action *action, const char *caller)
{
	(void)action;
	(void)caller;
	if (!http_reply_method(req))
		http_reply_error(req, 404, err_text(ERR_NOT_FOUND));
}

/* ---- the caller ---- */

static void api_admin_on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *verdict)
{
	const struct action *action = arg;
	struct err err;
	if (verdict->err) {
		signed_request_refuse(req, verdict->err);
	} else if (admin_change_may(verdict->caller, action->change, &err) !=
		   0) {
		signed_request_refuse(req, &err);
	} else {
		log_info("admin=%s: %s %s", verdict->caller->address,
		    http_method(req), http_path(req));
		action->run(req, action, verdict->caller->address);
	}
}

/* A signature for one route must not be valid for another. */
static bool is_bound(const struct http_req *req, const struct action *action,
    const struct json *payload)
{
	const struct json *method = json_get(payload, "method");
	const struct json *path = json_get(payload, "path");
	if (!method && !path)
		return action->takes_bearer && http_is_read(req);
	return json_str_is(method, http_method(req)) &&
	       json_str_is(path, http_path(req));
}

static void ask_by_body(struct http_req *req, const struct action *action)
{
	struct json_doc doc = {0};
	struct err err;
	const struct json *body = api_body_json(req, &doc, &err);
	struct access_ask ask = {
	    .use = ACCESS_ADMIN,
	    .payload = json_get(body, "payload"),
	    .from = json_get(body, "from"),
	    .signature = json_get(body, "signature"),
	};
	if (!body)
		reply_err(req, &err);
	else if (!is_bound(req, action, ask.payload))
		http_reply_error(req, 401,
		    "unauthorized: route-bound method and path required");
	else
		signed_request_ask(req, setup, &ask, api_admin_on_verdict,
		    (void *)(uintptr_t)action);
	json_fini(&doc);
}

static bool has_bearer(const struct http_req *req)
{
	return bearer_is_good(http_header(req, "authorization"),
	    setup->conf->admin_bearer == BEARER_ANY);
}

static void api_admin_on_request(struct http_req *req, void *arg)
{
	const struct action *action = arg;
	bool is_get = http_is_read(req);
	size_t len;
	(void)http_body(req, &len);
	if (!request_limit_peer(req, setup))
		return;
	if (action->takes_bearer && has_bearer(req))
		action->run(req, action, NULL);
	else if (len > BODY_BYTES)
		http_reply_error(req, 413, err_text(ERR_TOO_LARGE));
	else if (is_get && signed_request_is(req))
		signed_request_by_headers(
		    req, setup, ACCESS_ADMIN, api_admin_on_verdict, arg);
	else if (is_get && action->takes_bearer &&
		 signed_request_is_legacy(req))
		signed_request_legacy(
		    req, setup, ACCESS_ADMIN, api_admin_on_verdict, arg);
	else
		ask_by_body(req, action);
}

/* ---- routes ---- */

static const struct action logs = {show_logs, LISTS_LEVEL, true};
static const struct action sessions = {show_sessions, LISTS_LEVEL, true};
static const struct action live = {show_live, LISTS_LEVEL, false};
static const struct action tail = {show_tail, LISTS_LEVEL, false};
static const struct action settings = {show_settings, LISTS_LEVEL, false};
static const struct action not_get = {show_nothing, LISTS_LEVEL, true};
static const struct action trust = {show_lists, LISTS_LEVEL, false};
static const struct action promote = {change_named, LISTS_PROMOTE, false};
static const struct action demote = {change_named, LISTS_DEMOTE, false};
static const struct action block = {change_named, LISTS_BLOCK, false};
static const struct action unblock = {change_named, LISTS_UNBLOCK, false};
static const struct action level = {api_admin_look, LISTS_LEVEL, false};
static const struct action add = {change_named, LISTS_ADD_ADMIN, false};
static const struct action remove_ = {change_named, LISTS_REMOVE_ADMIN, false};

/* Routes that do not exist; strangers must not be able to tell. */
static const struct action no_trust = {show_nothing, LISTS_LEVEL, false};
static const struct action no_super = {show_nothing, LISTS_ADD_ADMIN, false};

static const struct route {
	const char *method; /* NULL: any */
	const char *path;
	const struct action *action;
} routes[] = {
    {"GET", "/admin/logs", &logs},
    {"GET", "/admin/sessions", &sessions},
    {"GET", "/admin/live", &live},
    {"GET", "/admin/logs/tail", &tail},
    {"GET", "/admin/settings", &settings},
    {NULL, "/admin/logs", &not_get},
    {NULL, "/admin/sessions", &not_get},
    {"GET", "/admin/trust", &trust},
    {NULL, "/admin/live", &not_get},
    {NULL, "/admin/logs/tail", &not_get},
    {NULL, "/admin/settings", &not_get},
    {"POST", "/admin/trust/promote", &promote},
    {"POST", "/admin/trust/demote", &demote},
    {"POST", "/admin/trust/block", &block},
    {"POST", "/admin/trust/unblock", &unblock},
    {"GET", "/admin/trust/level/*", &level},
    {"POST", "/superadmin/add", &add},
    {"POST", "/superadmin/remove", &remove_},
    {NULL, "/admin/trust/**", &no_trust},
    {NULL, "/superadmin/**", &no_super},
};

void api_admin_mount(struct http *http, const struct door_setup *all)
{
	setup = all;
	/* The arg of handlers is not const, but none writes to it. */
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_route(http, routes[i].method, routes[i].path,
		    api_admin_on_request, (void *)(uintptr_t)routes[i].action);
}
