/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_journal.h"

#include "access/access.h"
#include "base/buf.h"
#include "door/door.h"
#include "door/known_session.h"
#include "door/reply.h"
#include "door/rows.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "session/session.h"

/* Returns whether the query can be answered; otherwise the request is. */
static bool read_query(struct http_req *req, struct rows_query *q)
{
	int64_t before = -1, after = -1, limit = -1;
	const char *why = "before, after and limit must be integers";
	if (reply_query_int(req, "before", &before) &&
	    reply_query_int(req, "after", &after) &&
	    reply_query_int(req, "limit", &limit))
		why = rows_query(q, before, after, limit);
	if (why)
		http_reply_error(req, 400, why);
	return !why;
}

static void reply_page(struct http_req *req, const struct door_setup *setup,
    const struct caller *who)
{
	struct rows_query q;
	struct session *s;
	struct buf out = {0};
	if (!read_query(req, &q) || !(s = known_session_of(req, setup, who)))
		return;
	buf_char(&out, '{');
	rows_put_page(&out, setup->sessions, s, &q);
	buf_char(&out, '}');
	session_close(&s);
	reply_json(req, 200, &out);
	buf_fini(&out);
}

static void on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err)
		signed_request_refuse(req, v->err);
	else
		reply_page(req, arg, v->caller);
}

void api_journal_get(struct http_req *req, void *arg)
{
	if (signed_request_is(req))
		signed_request_by_headers(
		    req, arg, ACCESS_READ, on_verdict, arg);
	else
		reply_page(req, arg, &CALLER_NOBODY);
}
