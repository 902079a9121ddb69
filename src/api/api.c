/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api.h"

#include "api/api_admin.h"
#include "api/api_docs.h"
#include "api/api_events.h"
#include "api/api_info.h"
#include "api/api_input.h"
#include "api/api_limit.h"
#include "api/api_metrics.h"
#include "api/api_publish.h"
#include "api/api_sessions.h"
#include "api/api_turn.h"
#include "core/agent.h"
#include "door/door.h"
#include "net/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- routes ---- */

static const struct route {
	const char *method;
	const char *path;
	http_handler *fn;
	bool is_free; /* a liveness probe, which must always be answered */
} routes[] = {
    {"POST", "/input", api_input_post, false},
    {"GET", "/health", api_info_health, true},
    {"GET", "/sessions", api_sessions_list, false},
    {"GET", "/sessions/*", api_sessions_get, false},
    {"GET", "/sessions/*/events", api_events_get, false},
    {"GET", "/info", api_info_about, false},
    {"GET", "/docs", api_docs_get, false},
    {"GET", "/", api_docs_root, false},
    {"GET", "/livez", api_info_live, true},
    {"GET", "/readyz", api_info_ready, true},
    {"GET", "/metrics", api_metrics_get, false},
};

/*
 * Routes that a page of any origin may request even on a private network.
 * /health is not among them, since it contains the name of the agent.
 */
static const struct {
	const char *path;
	enum http_open_to to;
} open[] = {
    {"/livez", HTTP_OPEN_TO_ALL},
    {"/readyz", HTTP_OPEN_TO_ALL},
    {"/", HTTP_OPEN_TO_VISITS},
    {"/docs", HTTP_OPEN_TO_VISITS},
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
	if (r->is_free || api_limit_peer(req, setup))
		r->fn(req, (void *)(uintptr_t)setup);
}

static void mount(struct http *http, const struct door_setup *all)
{
	setup = all;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_route(http, routes[i].method, routes[i].path,
		    api_on_request, (void *)(uintptr_t)&routes[i]);
	for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
		http_open_path(http, open[i].path, open[i].to);
	api_admin_mount(http, setup);
	api_publish_mount(http, setup, setup->about->routes);
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

const struct door api_door = {
    .name = "http",
    .mount = mount,
    .drain = api_info_drain,
    .end_blocked = api_end_blocked,
    .close_all = api_close_all,
};
