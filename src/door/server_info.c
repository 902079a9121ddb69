/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/server_info.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/heritage.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static const struct door_setup *setup;

static void on_info(struct http_req *req, void *arg)
{
	struct buf out = {0};
	int64_t uptime_ms = clock_boot_ms() - setup->heritage->started_boot_ms;
	(void)arg;
	if (!request_limit_peer(req, setup))
		return;
	buf_str(&out, "{\"title\":");
	buf_json_str(&out, setup->name);
	buf_str(&out, ",\"version\":\"" PACKAGE_VERSION "\",\"uptime\":");
	buf_int(&out, uptime_ms > 0 ? uptime_ms / 1000 : 0);
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&out);
}

static void on_alive(struct http_req *req, void *arg)
{
	struct buf out = {0};
	(void)arg;
	if (!request_limit_peer(req, setup))
		return;
	buf_str(&out, "{\"status\":\"ok\"}");
	reply_json(req, 200, &out);
	buf_fini(&out);
}

void server_info_mount(struct http *http, enum conversations_api api,
    const struct door_setup *given)
{
	setup = given;
	conversations_route(http, api, "GET", "/server_info", on_info, NULL);
	conversations_route(http, api, "GET", "/alive", on_alive, NULL);
}
