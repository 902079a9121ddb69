/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_answer.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "session/session.h"

static int answer_approval(struct session *s, struct span text, struct err *err)
{
	static const char yes[] = "{\"approved\":true,\"scope\":\"once\"}";
	struct buf json = {0};
	if (span_is_like(text, "yes") || span_is_like(text, "y"))
		return session_answer(
		    s, EV_APPROVAL_NEEDED, yes, sizeof yes - 1, err);
	buf_str(&json, "{\"approved\":false,\"scope\":\"once\",\"mode\":"
		       "\"reject_explain\",\"feedback\":");
	buf_json(&json, text.text, text.len);
	buf_char(&json, '}');
	int rc =
	    session_answer(s, EV_APPROVAL_NEEDED, json.data, json.len, err);
	buf_fini(&json);
	return rc;
}

static int answer_text(
    struct session *s, enum event_type kind, struct span text, struct err *err)
{
	struct buf json = {0};
	buf_json(&json, text.text, text.len);
	int rc = session_answer(s, kind, json.data, json.len, err);
	buf_fini(&json);
	return rc;
}

bool ons_answer_give(struct session *s, struct span text)
{
	uint64_t question;
	struct err err;
	text = span_trim(text);
	if (session_is_waiting(s, EV_APPROVAL_NEEDED, &question))
		return answer_approval(s, text, &err) == 0;
	if (session_is_waiting(s, EV_ASK_USER, &question))
		return answer_text(s, EV_ASK_USER, text, &err) == 0;
	if (session_is_waiting(s, EV_PLAN_REVIEW, &question))
		return answer_text(s, EV_PLAN_REVIEW, text, &err) == 0;
	return false;
}
