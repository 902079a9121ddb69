/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/api.h"

#include "base/buf.h"
#include "core/err.h"
#include "door/api_events.h"
#include "door/api_info.h"
#include "door/api_input.h"
#include "door/api_metrics.h"
#include "door/api_reply.h"
#include "net/http.h"
#include "session/session.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Most sessions in one list. */
#define LIST_LIMIT 1000

/* ---- GET /sessions ---- */

static void put_row(const struct session_record *r, void *arg)
{
	struct buf *out = arg;
	if (r->caller[0])
		return; /* only its owner may know of it */
	if (out->data[out->len - 1] == '}')
		buf_char(out, ',');
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, r->id);
	buf_str(out, ",\"status\":");
	buf_json_str(out, r->status);
	buf_str(out, ",\"created\":");
	api_reply_seconds(out, r->created_ms);
	buf_char(out, '}');
}

/* The id of an anonymous session is its only key, so strangers see no list. */
static void get_sessions(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct err err;
	if (api_reply_if_signed(req))
		return;
	if (!http_peer_is_loopback(req)) {
		http_reply_error(
		    req, 401, "unauthorized: 'from' field required");
		return;
	}
	struct buf out = {0};
	buf_str(&out, "{\"sessions\":[");
	if (session_list(setup->sessions, LIST_LIMIT, put_row, &out, &err) <
	    0) {
		api_reply_err(req, &err);
	} else {
		buf_str(&out, "]}");
		api_reply_json(req, 200, &out);
	}
	buf_fini(&out);
}

/* ---- GET /sessions/{id} ---- */

static bool has_ended(const struct session_record *r)
{
	return strcmp(r->status, "running") != 0 &&
	       strcmp(r->status, "waiting_approval") != 0 &&
	       strcmp(r->status, "connected") != 0;
}

static void put_session(struct buf *out, const struct session_record *r)
{
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, r->id);
	buf_str(out, ",\"status\":");
	buf_json_str(out, r->status);
	if (has_ended(r)) {
		buf_str(out, ",\"result\":");
		if (r->result)
			buf_json(out, r->result, r->result_len);
		else
			buf_str(out, "null");
		buf_str(out, ",\"duration_ms\":");
		if (r->duration_ms >= 0)
			buf_int(out, r->duration_ms);
		else
			buf_str(out, "null");
	}
	buf_char(out, '}');
}

/*
 * An id that is unknown, expired, unfit or somebody's own: all answer the same.
 */
static void get_session(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct session_record record;
	struct err err;
	if (api_reply_if_signed(req))
		return;
	struct buf id = {0}, memory = {0}, out = {0};
	api_reply_segment(req, &id);
	int rc = session_get(
	    setup->sessions, id.data, id.len, &memory, &record, &err);
	if (rc < 0 && err_status(err.code) >= 500) {
		api_reply_err(req, &err);
	} else if (rc < 0 || record.caller[0]) {
		http_reply_error(req, 404, err_text(ERR_NOT_FOUND));
	} else {
		put_session(&out, &record);
		api_reply_json(req, 200, &out);
	}
	buf_fini(&id);
	buf_fini(&memory);
	buf_fini(&out);
}

/* ---- routes ---- */

static const struct route {
	const char *method;
	const char *path;
	http_handler *fn;
} routes[] = {
    {"POST", "/input", api_input_post},
    {"GET", "/health", api_info_health},
    {"GET", "/sessions", get_sessions},
    {"GET", "/sessions/*", get_session},
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
}

void api_drain(void)
{
	api_info_drain();
}

void api_close_all(void)
{
	api_input_close_all();
	api_events_close_all();
}
