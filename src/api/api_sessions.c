/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_sessions.h"

#include "access/access.h"
#include "api/api_briefs.h"
#include "base/buf.h"
#include "core/err.h"
#include "door/door.h"
#include "door/listing.h"
#include "door/reply.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "session/session.h"

#include <stdbool.h>
#include <string.h>

/* The maximum number of sessions in one list. */
#define LIST_LIMIT 1000

#define LIST_HEAD "{\"sessions\":["

/* ---- records ---- */

static bool has_ended(const struct session_record *r)
{
	return strcmp(r->status, "running") != 0 &&
	       strcmp(r->status, "waiting_approval") != 0 &&
	       strcmp(r->status, "connected") != 0;
}

static void put_duration(struct buf *out, const struct session_record *r)
{
	buf_str(out, ",\"duration_ms\":");
	if (r->duration_ms >= 0)
		buf_int(out, r->duration_ms);
	else
		buf_str(out, "null");
}

static void api_sessions_put_head(
    struct buf *out, const struct session_record *r)
{
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, r->id);
	buf_str(out, ",\"status\":");
	buf_json_str(out, r->status);
}

/* What any caller that knows the id may see. */
static void put_small(struct buf *out, const struct session_record *r)
{
	api_sessions_put_head(out, r);
	if (has_ended(r)) {
		buf_str(out, ",\"result\":");
		buf_json_or_null(out, r->result, r->result_len);
		put_duration(out, r);
	}
	buf_char(out, '}');
}

/* A complete record, as in session_results.jsonl. */
static void put_whole(struct buf *out, const struct session_record *r)
{
	api_sessions_put_head(out, r);
	buf_str(out, ",\"prompt\":");
	buf_json_or_null(out, r->prompt, r->prompt_len);
	buf_str(out, ",\"result\":");
	buf_json_or_null(out, r->result, r->result_len);
	buf_str(out, ",\"session\":");
	buf_append(out, r->conversation, r->conversation_len);
	buf_str(out, ",\"created\":");
	reply_seconds(out, r->created_ms);
	buf_str(out, ",\"expires\":");
	reply_seconds(out, r->expires_ms);
	put_duration(out, r);
	buf_char(out, '}');
}

static void put_row(struct buf *out, const struct session_record *r)
{
	api_sessions_put_head(out, r);
	buf_str(out, ",\"created\":");
	reply_seconds(out, r->created_ms);
	buf_char(out, '}');
}

/* ---- GET /sessions ---- */

static void finish_list(struct listing *l)
{
	buf_str(&l->out, "]}");
	if (l->err)
		reply_err(l->req, l->err);
	else
		reply_json(l->req, 200, &l->out);
}

static void on_list(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err) {
		signed_request_refuse(req, v->err);
		return;
	}
	if (api_briefs_are_asked(req)) {
		api_briefs_list(req, arg, v->caller);
		return;
	}
	static const struct listing_form form = {
	    .head = LIST_HEAD, .put = put_whole, .finish = finish_list};
	const struct session_query query = {
	    .caller = v->caller->address,
	    .with_nobodys = v->caller->is_admin || http_peer_is_loopback(req),
	    .limit = LIST_LIMIT,
	};
	listing_begin(req, arg, &form, &query, NULL);
}

/*
 * The id is the only protection of a session without an owner. Callers on this
 * machine may list such sessions, since they could read the files as well.
 */
static void list_nobodys(struct http_req *req, const struct door_setup *setup)
{
	static const struct listing_form form = {
	    .head = LIST_HEAD, .put = put_row, .finish = finish_list};
	static const struct session_query query = {.caller = "",
	    .with_nobodys = true,
	    .limit = LIST_LIMIT,
	    .is_brief = true};
	bool is_here = http_peer_is_loopback(req);
	if (is_here && api_briefs_are_asked(req))
		api_briefs_list(req, setup, &CALLER_NOBODY);
	else if (is_here)
		listing_begin(req, setup, &form, &query, NULL);
	else
		http_reply_error(
		    req, 401, "unauthorized: 'from' field required");
}

void api_sessions_list(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	if (signed_request_is(req))
		signed_request_by_headers(
		    req, setup, ACCESS_READ, on_list, arg);
	else
		list_nobodys(req, setup);
}

/* ---- GET /sessions/{id} ---- */

/*
 * Whether the record belongs to this caller ("": anonymous), or has no owner.
 */
static bool may_see(const struct session_record *r, const char *caller)
{
	return !r->caller[0] || strcmp(r->caller, caller) == 0;
}

static void reply_one(struct http_req *req, const struct door_setup *setup,
    const char *caller,
    void (*put)(struct buf *out, const struct session_record *r))
{
	struct session_record record;
	struct err err;
	struct buf id = {0}, memory = {0}, out = {0};
	reply_segment(req, &id);
	int rc = session_get(
	    setup->sessions, id.data, id.len, &memory, &record, &err);
	if (rc < 0 && err_status(err.code) >= 500) {
		reply_err(req, &err);
	} else if (rc < 0 || !may_see(&record, caller)) {
		http_reply_error(req, 404, err_text(ERR_NOT_FOUND));
	} else {
		put(&out, &record);
		reply_json(req, 200, &out);
	}
	buf_fini(&id);
	buf_fini(&memory);
	buf_fini(&out);
}

static void on_get(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err)
		signed_request_refuse(req, v->err);
	else
		reply_one(req, arg, v->caller->address, put_whole);
}

void api_sessions_get(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	if (signed_request_is(req))
		signed_request_by_headers(req, setup, ACCESS_READ, on_get, arg);
	else
		reply_one(req, setup, "", put_small);
}
