/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_fit.h"

#include "base/json.h"

/* Message parts other than text that are shorter than this are kept. */
#define SMALL_PART 1024

#define NO_IMAGE "{\"type\":\"text\",\"text\":\"[image]\"}"

/* What is left out; each step includes the previous ones. */
enum step { FIT_NO_ITEMS, FIT_NO_TRACE, FIT_NO_IMAGES, FIT_NUMBERS, FIT_STEPS };

static void oip_fit_put(struct buf *out, const struct json *v)
{
	size_t len = 0;
	const char *text = json_text(v, &len);

	buf_append(out, text, len);
}

static void put_key(struct buf *out, const struct json *member)
{
	if (out->data[out->len - 1] != '{')
		buf_char(out, ',');
	oip_fit_put(out, json_key(member));
	buf_char(out, ':');
}

/* ---- images ---- */

static void put_part(struct buf *out, const struct json *part)
{
	size_t len = 0;

	(void)json_text(part, &len);
	if (json_is(part, JSON_OBJECT) && len >= SMALL_PART &&
	    !json_str_is(json_get(part, "type"), "text"))
		buf_str(out, NO_IMAGE);
	else
		oip_fit_put(out, part);
}

static void put_parts(struct buf *out, const struct json *content)
{
	const char *sep = "";

	buf_char(out, '[');
	for (const struct json *v = json_first(content); v; v = json_next(v)) {
		buf_str(out, sep);
		put_part(out, v);
		sep = ",";
	}
	buf_char(out, ']');
}

static void put_message(struct buf *out, const struct json *message)
{
	if (!json_is(json_get(message, "content"), JSON_ARRAY)) {
		oip_fit_put(out, message);
		return;
	}
	buf_char(out, '{');
	for (const struct json *m = json_first(message); m; m = json_next(m)) {
		put_key(out, m);
		if (json_str_is(json_key(m), "content"))
			put_parts(out, m);
		else
			oip_fit_put(out, m);
	}
	buf_char(out, '}');
}

static void oip_fit_put_messages(struct buf *out, const struct json *messages)
{
	const char *sep = "";

	buf_char(out, '[');
	for (const struct json *v = json_first(messages); v; v = json_next(v)) {
		buf_str(out, sep);
		put_message(out, v);
		sep = ",";
	}
	buf_char(out, ']');
}

/* ---- the conversation ---- */

/* Whether the member distinguishes states of a conversation. */
static bool is_number(const struct json *key)
{
	return json_str_is(key, "session_id") || json_str_is(key, "turn") ||
	       json_str_is(key, "iteration") || json_str_is(key, "updated") ||
	       json_str_is(key, "mode") || json_str_is(key, "turns_left");
}

static void oip_fit_put_session(
    struct buf *out, const struct json *session, enum step step)
{
	buf_char(out, '{');
	for (const struct json *m = json_first(session); m; m = json_next(m)) {
		const struct json *key = json_key(m);
		bool is_messages = json_str_is(key, "messages");
		bool is_list = is_messages || json_str_is(key, "trace");
		if (step == FIT_NUMBERS && !is_list && !is_number(key))
			continue;
		put_key(out, m);
		if (is_list && (step == FIT_NUMBERS || !is_messages))
			buf_str(out, "[]");
		else if (is_messages && step == FIT_NO_IMAGES)
			oip_fit_put_messages(out, m);
		else
			oip_fit_put(out, m);
	}
	buf_char(out, '}');
}

static void put_frame(struct buf *out, const struct json *frame, enum step step)
{
	buf_char(out, '{');
	for (const struct json *m = json_first(frame); m; m = json_next(m)) {
		if (json_str_is(json_key(m), "chat_items"))
			continue;
		put_key(out, m);
		if (step > FIT_NO_ITEMS &&
		    json_str_is(json_key(m), "session") &&
		    json_is(m, JSON_OBJECT))
			oip_fit_put_session(out, m, step);
		else
			oip_fit_put(out, m);
	}
	buf_char(out, '}');
}

bool oip_fit(struct buf *frame, size_t max)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf out = {0};
	const struct json *v =
	    json_parse(&doc, frame->data, frame->len, 0, &why);

	for (enum step s = FIT_NO_ITEMS; v && s < FIT_STEPS; s++) {
		buf_reset(&out);
		put_frame(&out, v, s);
		if (out.len < max)
			break;
	}
	json_fini(&doc);
	bool fits = v && out.len < max;
	if (v) {
		buf_reset(frame);
		buf_append(frame, out.data, out.len);
	}
	buf_fini(&out);
	return fits;
}
