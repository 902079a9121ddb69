/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api.h"

#include "api/admin_watch.h"
#include "api/api_admin.h"
#include "api/api_change.h"
#include "api/api_describe.h"
#include "api/api_events.h"
#include "api/api_info.h"
#include "api/api_input.h"
#include "api/api_journal.h"
#include "api/api_metrics.h"
#include "api/api_page.h"
#include "api/api_publish.h"
#include "api/api_sessions.h"
#include "api/api_turn.h"
#include "core/agent.h"
#include "door/door.h"
#include "door/request_limit.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- routes ---- */

struct route {
	const char *method; /* NULL: the end of a table */
	const char *path;
	http_handler *fn;
	bool is_free; /* a liveness probe, which must always be answered */
};

/* Of the server itself, whatever its doors are. */
static const struct route server_routes[] = {
    {"GET", "/health", api_info_health, true},
    {"GET", "/info", api_info_about, false},
    {"GET", "/livez", api_info_live, true},
    {"GET", "/readyz", api_info_ready, true},
    {"GET", "/metrics", api_metrics_get, false},
    {"GET", "/openapi.json", api_describe_openapi, false},
    {"GET", "/asyncapi.json", api_describe_asyncapi, false},
    {0},
};

static const struct route door_routes[] = {
    {"POST", "/input", api_input_post, false},
    {"GET", "/sessions", api_sessions_list, false},
    {"GET", "/sessions/*", api_sessions_get, false},
    {"PATCH", "/sessions/*", api_change, false},
    {"DELETE", "/sessions/*", api_change, false},
    {"GET", "/sessions/*/events", api_events_get, false},
    {"GET", "/sessions/*/journal", api_journal_get, false},
    {0},
};

static const struct route page_routes[] = {
    {"GET", "/", api_page_root, false},
    {"GET", "/docs", api_page_get, false},
    {"GET", "/assets/*", api_page_asset, false},
    {"GET", "/frame.html", api_page_frame, false},
    {"GET", "/licenses.txt", api_page_asset, false},
    {"GET", "/manifest.webmanifest", api_page_asset, false},
    {0},
};

/* An agent may have routes of its own here. */
static const struct route page_places[] = {
    {"GET", "/dashboard", api_page_get, false},
    {"GET", "/agents", api_page_get, false},
    {0},
};

static const struct door_setup *setup;

/*
 * Limits are checked before anything expensive: bad signatures may arrive in
 * floods.
 */
static void api_on_request(struct http_req *req, void *arg)
{
	const struct route *r = arg;
	/* The arg of handlers is not const, but none writes to it. */
	if (r->is_free || request_limit_peer(req, setup))
		r->fn(req, (void *)(uintptr_t)setup);
}

static void add_routes(struct http *http, const struct route *r)
{
	for (; r->method; r++)
		http_route(http, r->method, r->path, api_on_request,
		    (void *)(uintptr_t)r);
}

static void mount_server(struct http *http, const struct door_setup *all)
{
	setup = all;
	add_routes(http, server_routes);
	api_admin_mount(http, setup);
	/* Not /health, since it contains the name of the agent. */
	http_open_path(http, "/livez", HTTP_OPEN_TO_ALL);
	http_open_path(http, "/readyz", HTTP_OPEN_TO_ALL);
}

/* The page can be opened by a link from anywhere: it has no effect. */
static void add_page(struct http *http, const struct route *r)
{
	add_routes(http, r);
	for (; r->method; r++) {
		if (r->fn == api_page_get || r->fn == api_page_root)
			http_open_path(http, r->path, HTTP_OPEN_TO_VISITS);
	}
}

/* Routes of the server take precedence over those of the agent. */
static void mount_door(struct http *http, const struct door_setup *all)
{
	setup = all;
	bool has_page = api_page_is_there(setup->conf);
	add_routes(http, door_routes);
	if (has_page) {
		add_page(http, page_routes);
		/* Browsers ask for modules as pages do that are foreign. */
		http_open_path(http, "/assets/*", HTTP_OPEN_TO_ALL);
	}
	api_publish_mount(http, setup, setup->about->routes);
	if (has_page)
		add_page(http, page_places);
}

static void api_end_blocked(void)
{
	api_events_end_blocked();
	api_turn_end_blocked();
}

static void api_close_all(void)
{
	api_turn_close_all();
	api_events_close_all();
	api_publish_close_all();
}

const struct door api_server = {
    .id = DOOR_SERVER,
    .mount = mount_server,
    .drain = api_info_drain,
    .end_blocked = admin_watch_end_blocked,
    .close_all = admin_watch_close_all,
};

const struct door api_door = {
    .id = DOOR_HTTP,
    .mount = mount_door,
    .end_blocked = api_end_blocked,
    .close_all = api_close_all,
};
