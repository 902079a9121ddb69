/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/bookmark.h"

#include "base/json.h"

#include <string.h>

void bookmark_fini(struct bookmark *b)
{
	buf_fini(&b->session_id);
	buf_fini(&b->last_event_id);
	buf_fini(&b->session);
	buf_fini(&b->before_id);
	b->is_asked = b->is_answered = false;
}

const char *bookmark_text(const struct buf *part)
{
	return part->len ? part->data : "";
}

static void set(struct buf *part, const char *text, size_t len)
{
	buf_reset(part);
	buf_append(part, text, len);
	(void)buf_cstr(part);
}

void bookmark_set(struct buf *part, const char *text)
{
	set(part, text ? text : "", text ? strlen(text) : 0);
}

void bookmark_set_string(struct buf *part, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);

	if (text && !memchr(text, '\0', len))
		set(part, text, len);
	buf_fini(&scratch);
}

void bookmark_set_session(struct bookmark *b, const struct json *v)
{
	size_t len = 0;
	const char *text = json_text(v, &len);

	if (json_is(v, JSON_OBJECT))
		set(&b->session, text, len);
}

void bookmark_set_continuation(struct bookmark *b, const struct json *v)
{
	size_t len = 0;
	const char *text = json_text(v, &len);

	if (b->session.len || !json_is(v, JSON_STRING))
		return;
	buf_str(&b->session, "{\"continuation\":");
	buf_append(&b->session, text, len);
	buf_str(&b->session, "}");
	(void)buf_cstr(&b->session);
}

/* A question that is sent again is the one that is open. */
static bool is_open_question(const struct bookmark *b, const struct json *id)
{
	return b->is_asked && json_is(id, JSON_STRING) &&
	       json_str_is(id, bookmark_text(&b->last_event_id));
}

void bookmark_note(struct bookmark *b, const struct json *id, bool is_question)
{
	if (is_question && !is_open_question(b, id)) {
		bookmark_set(&b->before_id, bookmark_text(&b->last_event_id));
		b->is_asked = true;
		b->is_answered = false;
	} else if (!is_question && b->is_answered) {
		bookmark_note_end(b);
	}
	bookmark_set_string(&b->last_event_id, id);
}

void bookmark_note_answer(struct bookmark *b)
{
	b->is_answered = b->is_asked;
}

void bookmark_note_end(struct bookmark *b)
{
	b->is_asked = b->is_answered = false;
}

const char *bookmark_resume_id(const struct bookmark *b)
{
	return bookmark_text(b->is_asked ? &b->before_id : &b->last_event_id);
}

void bookmark_save(const struct bookmark *b, struct buf *out)
{
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, bookmark_text(&b->session_id));
	buf_str(out, ",\"last_event_id\":");
	buf_json_str(out, bookmark_resume_id(b));
	buf_str(out, ",\"session\":");
	buf_str(out, b->session.len ? b->session.data : "null");
	buf_char(out, '}');
}

bool bookmark_load(struct bookmark *b, const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, text, strlen(text), 0, &why);
	bool is_good = json_is(v, JSON_OBJECT) &&
		       json_is(json_get(v, "session_id"), JSON_STRING);

	if (is_good) {
		bookmark_set_string(&b->session_id, json_get(v, "session_id"));
		bookmark_set_string(
		    &b->last_event_id, json_get(v, "last_event_id"));
		bookmark_set_session(b, json_get(v, "session"));
	}
	json_fini(&doc);
	return is_good;
}
