/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_rest_events.h"

#include "base/json.h"
#include "core/err.h"
#include "door/reply.h"
#include "net/http.h"
#include "openhands/oh_action.h"
#include "openhands/oh_answer.h"
#include "openhands/oh_asked.h"
#include "openhands/oh_page.h"
#include "openhands/oh_pending.h"
#include "session/session.h"

#include <string.h>

/* ---- GET ---- */

/* What is asked for; end_id -1: to the newest event. */
struct asked_range {
	int64_t start_id, end_id, limit;
	bool is_reverse;
};

static bool read_bool(const struct oh_asked *a, const char *name, bool *value)
{
	size_t len = 0;
	const char *text = reply_query(a->req, name, &len);
	if (!text)
		return true;
	*value = (len == 4 && memcmp(text, "true", 4) == 0) ||
		 (len == 1 && *text == '1');
	return *value || (len == 5 && memcmp(text, "false", 5) == 0) ||
	       (len == 1 && *text == '0');
}

/* Returns whether it is valid; otherwise the request is answered. */
static bool read_range(struct oh_asked *a, struct asked_range *range)
{
	*range = (struct asked_range){.end_id = -1, .limit = 20};
	if (!reply_query_int(a->req, "start_id", &range->start_id) ||
	    !reply_query_int(a->req, "end_id", &range->end_id) ||
	    !reply_query_int(a->req, "limit", &range->limit) ||
	    !read_bool(a, "reverse", &range->is_reverse)) {
		reply_detail(a->req, 422,
		    "start_id, end_id and limit must be integers, and reverse "
		    "true or false");
		return false;
	}
	if (range->limit < 0 || range->limit > OH_PAGE_MAX) {
		reply_detail(a->req, 400, "Invalid limit");
		return false;
	}
	if (range->start_id < 0)
		range->start_id = 0;
	return true;
}

/* The ids are consecutive, so it is known which are in the page. */
static struct oh_page page_of(
    const struct asked_range *range, int64_t newest, bool *has_more)
{
	struct oh_page page = {
	    .first = range->start_id,
	    .last = range->end_id < 0 || range->end_id > newest ? newest
								: range->end_id,
	    .is_reverse = range->is_reverse,
	};
	int64_t n = page.last - page.first + 1;
	*has_more = n > range->limit;
	if (*has_more && range->is_reverse)
		page.first = page.last - range->limit + 1;
	else if (*has_more)
		page.last = page.first + range->limit - 1;
	return page;
}

static void reply_page(struct oh_asked *a, const struct session *s,
    const struct asked_range *range, int64_t began_ms)
{
	struct buf out = {0};
	bool has_more;
	struct oh_page page = page_of(range, oh_page_newest(s), &has_more);
	page.began_us = began_ms * 1000;
	buf_str(&out, "{\"events\":[");
	if (page.first <= page.last)
		oh_page_put(&out, s, &page);
	buf_printf(&out, "],\"has_more\":%s}", has_more ? "true" : "false");
	reply_json(a->req, 200, &out);
	buf_fini(&out);
}

void oh_rest_events_get(struct oh_asked *a)
{
	struct asked_range range;
	struct session_record record;
	struct buf memory = {0};
	struct err err;
	if (!read_range(a, &range))
		return;
	struct session *s = NULL;
	if (oh_asked_find(a, &memory, &record, &err) == 0)
		s = oh_asked_open(a, &err);
	if (s)
		reply_page(a, s, &range, record.began_ms);
	else
		oh_asked_unknown(a, &err);
	if (s)
		session_close(&s);
	buf_fini(&memory);
}

/* ---- POST ---- */

static void on_accepted(
    struct http_req *req, const char *id, const struct err *err)
{
	(void)id;
	if (err)
		oh_asked_refuse(req, err);
	else
		reply_success(req);
}

/* Takes the session. */
static void submit(struct oh_asked *a, const struct oh_answer *answer)
{
	struct oh_answer_text memory = {0};
	struct session_input in = {
	    .caller = a->caller.address,
	    .level = a->caller.level,
	    .peer = http_peer(a->req),
	    .peer_is_loopback = http_peer_is_loopback(a->req),
	    .place = http_place(a->req),
	};
	oh_answer_input(answer, &in, &memory);
	oh_pending_input(a, answer->session, &in, on_accepted);
	oh_answer_text_fini(&memory);
}

static void act(struct oh_asked *a, const struct oh_action *action)
{
	struct oh_answer answer = {.action = action};
	struct err err;
	answer.session = oh_asked_open(a, &err);
	if (!answer.session) {
		oh_asked_unknown(a, &err);
		return;
	}
	answer.is_holder = oh_asked_is_holder(a, answer.session);
	int rc = oh_answer(&answer, &err);
	if (rc > 0) {
		submit(a, &answer);
		return;
	}
	session_close(&answer.session);
	if (rc < 0)
		oh_asked_refuse(a->req, &err);
	else
		reply_success(a->req);
}

void oh_rest_events_post(struct oh_asked *a)
{
	struct oh_action action;
	oh_action_read(&action, a->body);
	if (action.wish == OH_WISH_BAD)
		reply_detail(a->req, 422, action.why);
	else
		act(a, &action);
}

void oh_rest_events_message(struct oh_asked *a)
{
	const struct oh_action action = {
	    .wish = OH_WISH_MESSAGE, .content = json_get(a->body, "message")};
	if (!json_is(action.content, JSON_STRING))
		reply_detail(a->req, 422, "message must be a string");
	else
		act(a, &action);
}
