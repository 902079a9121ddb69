/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/api.h"

#include "core/agent.h"
#include "door/api_admin.h"
#include "door/api_events.h"
#include "door/api_info.h"
#include "door/api_input.h"
#include "door/api_metrics.h"
#include "door/api_publish.h"
#include "door/api_sessions.h"
#include "door/api_turn.h"
#include "net/http.h"

#include <stddef.h>
#include <stdint.h>

/* ---- routes ---- */

static const struct route {
	const char *method;
	const char *path;
	http_handler *fn;
} routes[] = {
    {"POST", "/input", api_input_post},
    {"GET", "/health", api_info_health},
    {"GET", "/sessions", api_sessions_list},
    {"GET", "/sessions/*", api_sessions_get},
    {"GET", "/sessions/*/events", api_events_get},
    {"GET", "/info", api_info_about},
    {"GET", "/docs", api_info_docs},
    {"GET", "/livez", api_info_live},
    {"GET", "/readyz", api_info_ready},
    {"GET", "/metrics", api_metrics_get},
};

void api_mount(struct http *http, const struct door_setup *setup)
{
	/* The handlers' arg is not const; none writes to it. */
	void *arg = (void *)(uintptr_t)setup;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		http_route(
		    http, routes[i].method, routes[i].path, routes[i].fn, arg);
	api_admin_mount(http, setup);
	api_publish_mount(http, setup, setup->about->routes);
}

void api_drain(void)
{
	api_info_drain();
}

void api_close_all(void)
{
	api_turn_close_all();
	api_events_close_all();
	api_publish_close_all();
}
