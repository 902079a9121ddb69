/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_rest.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/span.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "ons/ons_message.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_asked.h"
#include "onsembl/ons_commands.h"
#include "onsembl/ons_find.h"
#include "onsembl/ons_login.h"
#include "onsembl/ons_records.h"
#include "onsembl/ons_stop.h"
#include "onsembl/ons_token.h"
#include "onsembl/ons_withdrawn.h"

#include <string.h>

#define LIMIT 50
#define LIMIT_MAX 100

static const struct door_setup *setup;
static struct ons_token_keys *keys;
static struct ons_site site;

/* ---- GET /api/agents ---- */

struct listing {
	struct ons_claims claims;
	struct span type;   /* absent: any */
	struct span status; /* likewise */
	int64_t limit;
	int64_t offset;
	int64_t total;
	struct buf array;
};

static bool is_wanted(const struct listing *l, const struct ons_agent *a)
{
	const char *status = ons_agent_rest_status(a);
	if (l->type.text && !span_is_like(l->type, a->type))
		return false;
	if (!l->status.text || span_is_like(l->status, status))
		return true;
	return strcmp(status, "busy") == 0 &&
	       span_is_like(l->status, "executing");
}

static void list_agent(const struct ons_agent *a, void *arg)
{
	struct listing *l = arg;
	if (!ons_agent_is_seen(a, keys, &l->claims) || !is_wanted(l, a))
		return;
	int64_t at = l->total++;
	if (at < l->offset || at >= l->offset + l->limit)
		return;
	if (l->array.len > 1)
		buf_char(&l->array, ',');
	ons_agent_put_object(&l->array, a);
}

static void get_agents(struct http_req *req, void *arg)
{
	struct listing l = {.limit = LIMIT};
	struct buf out = {0};
	(void)arg;
	if (!ons_asked_admit(&site, req, &l.claims))
		return;
	l.type.text = reply_query(req, "type", &l.type.len);
	l.status.text = reply_query(req, "status", &l.status.len);
	if (!ons_asked_number(req, "limit", 1, LIMIT_MAX, &l.limit) ||
	    !ons_asked_number(req, "offset", 0, 1000000000, &l.offset)) {
		ons_asked_error(req, 400, "Invalid query",
		    "limit is 1 to 100, offset 0 or more");
		return;
	}
	buf_char(&l.array, '[');
	ons_agents_each(setup, list_agent, &l);
	buf_char(&l.array, ']');
	buf_char(&out, '{');
	ons_put_json(&out, "agents", (struct span){l.array.data, l.array.len});
	ons_put_int(&out, "total", l.total);
	ons_put_int(&out, "limit", l.limit);
	ons_put_int(&out, "offset", l.offset);
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&l.array);
	buf_fini(&out);
}

/* ---- one agent ---- */

static void reply_found(struct http_req *req, bool is_name)
{
	struct ons_found f;
	if (ons_find(&site, req, is_name, &f)) {
		if (f.is_there)
			reply_json(req, 200, &f.object);
		else
			ons_find_refuse(req);
	}
	ons_found_fini(&f);
}

static void get_agent(struct http_req *req, void *arg)
{
	(void)arg;
	reply_found(req, false);
}

static void get_agent_by_name(struct http_req *req, void *arg)
{
	(void)arg;
	reply_found(req, true);
}

/* An empty body is valid, whatever its type. */
static void post_restart(struct http_req *req, void *arg)
{
	static const char done[] =
	    "{\"success\":true,\"message\":\"Agent restart initiated\"}";
	struct ons_found f;
	(void)arg;
	if (ons_find(&site, req, false, &f)) {
		if (f.is_there && !f.is_hosted &&
		    ons_agent_control(setup, f.id, ONS_RESTART, f.claims.user))
			http_reply(req, 200, "application/json", done,
			    sizeof done - 1);
		else
			ons_asked_error(req, 404,
			    "Agent not found or cannot be restarted", NULL);
	}
	ons_found_fini(&f);
}

/* ---- POST /api/system/emergency-stop ---- */

static void post_stop(struct http_req *req, void *arg)
{
	struct ons_claims claims;
	struct ons_reader body = {0};
	struct json_error bad;
	struct buf out = {0};
	size_t len;
	(void)arg;
	if (!ons_asked_admit(&site, req, &claims))
		return;
	const char *text = http_body(req, &len);
	const struct json *root = json_parse(&body.doc, text, len, 0, &bad);
	(void)buf_reserve(&body.text, len + 1);
	const struct ons_stopper by = {
	    .setup = setup,
	    .keys = keys,
	    .claims = &claims,
	    .dashboard = "",
	    .reason = ons_text(&body, root, "reason"),
	};
	struct ons_stopped done = ons_stop_all(&by);
	buf_char(&out, '{');
	ons_put_bool(&out, "success", true);
	ons_put_str(&out, "message", "Emergency stop executed successfully");
	ons_put_int(&out, "agentsStopped", done.n_agents);
	ons_put_int(&out, "commandsCancelled", done.n_commands);
	ons_put_iso(&out, "timestamp", clock_wall_ms());
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&out);
	ons_reader_fini(&body);
}

/* ---- probes ---- */

static void get_health(struct http_req *req, void *arg)
{
	static const char text[] = "{\"status\":\"ok\"}";
	(void)arg;
	http_reply(req, 200, "application/json", text, sizeof text - 1);
}

/* ---- the door ---- */

static void mount(struct http *http, const struct door_setup *s)
{
	struct err err;
	setup = s;
	keys = ons_token_open(s->conf, &err);
	if (!keys)
		fatal("%s", err.text);
	ons_withdrawn_watch(keys, s);
	site = (struct ons_site){setup, keys};
	ons_login_mount(http, &site);
	ons_commands_mount(http, &site);
	ons_records_mount(http, &site);
	http_route(http, "GET", "/api/agents", get_agents, NULL);
	http_route(http, "GET", "/api/agents/name/*", get_agent_by_name, NULL);
	http_route(http, "POST", "/api/agents/*/restart", post_restart, NULL);
	http_route(http, "GET", "/api/agents/*", get_agent, NULL);
	http_route(http, "POST", "/api/system/emergency-stop", post_stop, NULL);
	http_route(http, "GET", "/api/health/liveness", get_health, NULL);
	http_route(http, "GET", "/api/health/readiness", get_health, NULL);
}

const struct door ons_rest_door = {
    .id = DOOR_ONSEMBL,
    .mount = mount,
};
