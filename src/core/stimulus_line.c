/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/stimulus_line.h"

#include "base/buf.h"
#include "base/json.h"

static bool put_more_input(
    struct buf *out, const struct event *ev, const struct json *fields)
{
	const struct json *prompt = json_get(fields, "prompt");
	size_t len;

	if (!json_is(prompt, JSON_STRING))
		return false;
	const char *text = json_text(prompt, &len);
	buf_str(out, "{\"type\":\"INPUT\",\"id\":");
	buf_json(out, ev->id, ev->id_len);
	buf_str(out, ",\"prompt\":");
	buf_append(out, text, len);
	buf_str(out, "}\n");
	return true;
}

/* The members of an approval are in the line itself, as on the WebSocket. */
static void put_approval(struct buf *out, const struct json *answer)
{
	buf_str(out, "{\"type\":\"APPROVAL_RESPONSE\"");
	for (const struct json *v = json_first(answer); v; v = json_next(v)) {
		size_t len;
		const char *key = json_text(json_key(v), &len);
		if (json_str_is(json_key(v), "type"))
			continue;
		buf_char(out, ',');
		buf_append(out, key, len);
		buf_char(out, ':');
		const char *value = json_text(v, &len);
		buf_json_line(out, value, len);
	}
	buf_str(out, "}\n");
}

static bool put_answer(struct buf *out, const struct json *fields)
{
	const struct json *kind = json_get(fields, "kind");
	const struct json *answer = json_get(fields, "answer");
	size_t len;

	if (!answer)
		return false;
	if (json_str_is(kind, "approval_needed")) {
		put_approval(out, answer);
		return true;
	}
	bool is_plan = json_str_is(kind, "plan_review");
	if (!is_plan && !json_str_is(kind, "ask_user"))
		return false;
	const char *text = json_text(answer, &len);
	buf_str(out, is_plan ? "{\"type\":\"PLAN_REVIEW_RESPONSE\",\"message\":"
			     : "{\"type\":\"ASK_USER_RESPONSE\",\"answer\":");
	buf_json_line(out, text, len);
	buf_str(out, "}\n");
	return true;
}

bool stimulus_line(struct buf *out, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	bool is_put = false;

	if (ev->type == EV_INTERRUPT) {
		buf_str(out, STIMULUS_INTERRUPT);
		return true;
	}
	const struct json *fields = event_fields(ev, &doc, &text);
	if (ev->type == EV_MORE_INPUT)
		is_put = put_more_input(out, ev, fields);
	else if (ev->type == EV_ANSWER)
		is_put = put_answer(out, fields);
	buf_fini(&text);
	json_fini(&doc);
	return is_put;
}
