/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_answer.h"

#include "base/buf.h"
#include "base/json.h"
#include "oip/oip_conn.h"
#include "oip/oip_frame.h"

#define HARD_NO \
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_hard\"}"

void oip_answer_late(struct oip_conn *c, const struct json *frame)
{
	if (c->has_run)
		return;
	oip_frame_unknown(oip_conn_frame(), json_get(frame, "type"));
	oip_conn_send(c);
}

/* Append a JSON string. Returns false if v is not a string. */
static bool add_string(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);

	if (s)
		buf_json(out, s, len);
	buf_fini(&scratch);
	return s != NULL;
}

/* ---- ask_user ---- */

static void add_choice(struct buf *text, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);

	if (!s)
		s = json_text(v, &len);
	buf_append(text, s, len);
	buf_fini(&scratch);
}

static void add_joined(struct buf *out, const struct json *choices)
{
	struct buf text = {0};
	const char *sep = "";

	for (const struct json *v = json_first(choices); v; v = json_next(v)) {
		buf_str(&text, sep);
		add_choice(&text, v);
		sep = ", ";
	}
	buf_json(out, text.data ? text.data : "", text.len);
	buf_fini(&text);
}

/*
 * Newer clients name the question that they answer; it must be the one that
 * waits.
 */
static bool is_for_another(
    struct oip_conn *c, const struct json *frame, enum event_type kind)
{
	struct buf scratch = {0};
	uint64_t question = 0;
	size_t len = 0;
	const char *id =
	    json_str(json_get(frame, "request_id"), &scratch, &len);
	bool is_other = id && len > 0 &&
			session_is_waiting(c->session, kind, &question) &&
			!session_has_id(c->session, question, id, len);

	buf_fini(&scratch);
	return is_other;
}

/* Whether a question waits that this client may not answer; if so, tell it. */
static bool is_barred(struct oip_conn *c, enum event_type kind)
{
	uint64_t question = 0;
	struct err err;

	if (!c->session || !session_is_waiting(c->session, kind, &question) ||
	    oip_conn_may_answer(c, &err))
		return false;
	oip_conn_refuse(c, &err);
	return true;
}

static void oip_answer_answer(struct oip_conn *c, const struct json *frame,
    enum event_type kind, const struct buf *json)
{
	struct err err;

	if (is_barred(c, kind))
		return;
	if (!c->session || is_for_another(c, frame, kind) ||
	    session_answer(c->session, kind, json->data, json->len, &err) != 0)
		oip_answer_late(c, frame);
}

void oip_answer_ask(struct oip_conn *c, const struct json *frame)
{
	const struct json *v = json_get(frame, "answer");
	struct buf json = {0};

	if (json_is(v, JSON_ARRAY))
		add_joined(&json, v);
	if (json.len > 0 || add_string(&json, v))
		oip_answer_answer(c, frame, EV_ASK_USER, &json);
	else
		oip_conn_error(c, "answer required");
	buf_fini(&json);
}

/* ---- plan_review ---- */

void oip_answer_review(struct oip_conn *c, const struct json *frame)
{
	struct buf json = {0};

	if (add_string(&json, json_get(frame, "message")))
		oip_answer_answer(c, frame, EV_PLAN_REVIEW, &json);
	else
		oip_conn_error(c, "message required");
	buf_fini(&json);
}

/* ---- approval_needed ---- */

/* A missing scope means the smaller one. */
static bool scope_is_known(const struct json *scope)
{
	return json_type(scope) == JSON_NULL || json_str_is(scope, "once") ||
	       json_str_is(scope, "session");
}

static const char *refusal_mode(const struct json *mode)
{
	if (json_str_is(mode, "reject_soft"))
		return "reject_soft";
	if (json_str_is(mode, "reject_explain"))
		return "reject_explain";
	return "reject_hard";
}

static void add_no(struct buf *out, const struct json *frame)
{
	const struct json *feedback = json_get(frame, "feedback");

	buf_printf(out,
	    "{\"approved\":false,\"scope\":\"once\",\"mode\":\"%s\"",
	    refusal_mode(json_get(frame, "mode")));
	if (json_is(feedback, JSON_STRING)) {
		buf_str(out, ",\"feedback\":");
		(void)add_string(out, feedback); /* it is a string */
	}
	buf_char(out, '}');
}

static void normalise(struct buf *out, const struct json *frame)
{
	const struct json *scope = json_get(frame, "scope");
	bool is_approved = false;

	if (!json_bool(json_get(frame, "approved"), &is_approved) ||
	    !scope_is_known(scope))
		buf_str(out, HARD_NO);
	else if (!is_approved)
		add_no(out, frame);
	else
		buf_printf(out, "{\"approved\":true,\"scope\":\"%s\"}",
		    json_str_is(scope, "session") ? "session" : "once");
}

/* A second answer is harmless; an answer when nothing was asked is an error. */
static void stale_approval(
    struct oip_conn *c, const struct json *frame, const struct err *err)
{
	if (c->approval_turn && c->approval_turn == session_turn(c->session))
		return;
	if (session_status(c->session) == SESSION_RUNNING) {
		oip_conn_refuse(c, err);
		return;
	}
	oip_frame_unknown(oip_conn_frame(), json_get(frame, "type"));
	oip_conn_send(c);
}

void oip_answer_approval(struct oip_conn *c, const struct json *frame)
{
	struct buf json = {0};
	struct err err;

	if (is_barred(c, EV_APPROVAL_NEEDED))
		return;
	if (!c->session || is_for_another(c, frame, EV_APPROVAL_NEEDED)) {
		oip_answer_late(c, frame);
		return;
	}
	normalise(&json, frame);
	if (session_answer(
		c->session, EV_APPROVAL_NEEDED, json.data, json.len, &err) != 0)
		stale_approval(c, frame, &err);
	buf_fini(&json);
}
