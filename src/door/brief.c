/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/brief.h"

#include "base/fold.h"
#include "base/json.h"
#include "base/utf8.h"
#include "door/reply.h"
#include "session/session.h"

#include <string.h>

/* How many characters of the last text are shown. */
#define LAST_CHARS 200

/* Scratch memory above this size is freed after use. */
#define KEEP_BYTES ((size_t)1024 * 1024)

/* ---- entries ---- */

/* The words of the list: what a person has to do about it. */
static const char *status_word(const struct session_record *r)
{
	if (r->waits_for)
		return "waiting";
	if (strcmp(r->status, "running") == 0)
		return "running";
	return strcmp(r->status, "failed") == 0 ||
		       strcmp(r->status, "interrupted") == 0
		   ? "failed"
		   : "idle";
}

/* What was said last, by whom ever. */
static void put_last(struct buf *out, const struct session_record *r)
{
	const char *text = r->result ? r->result : r->prompt;
	size_t len = r->result ? r->result_len : r->prompt_len;

	buf_str(out, ",\"last\":");
	buf_json_or_null(out, text, utf8_prefix(text, len, LAST_CHARS));
}

void brief_put(struct buf *out, const struct session_record *r)
{
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, r->id);
	buf_str(out, ",\"title\":");
	buf_json_or_null(out, r->title, r->title_len);
	buf_printf(out, ",\"status\":\"%s\"", status_word(r));
	buf_str(out, ",\"waits_for\":");
	buf_str(out, r->waits_for ? "" : "null");
	if (r->waits_for)
		buf_json_str(out, r->waits_for);
	buf_str(out, ",\"created\":");
	reply_seconds(out, r->began_ms);
	buf_str(out, ",\"updated\":");
	reply_seconds(out, r->updated_ms);
	buf_printf(out, ",\"turns\":%u", r->turn);
	put_last(out, r);
	buf_str(out, ",\"owner\":");
	buf_str(out, r->caller[0] ? "" : "null");
	if (r->caller[0])
		buf_json_str(out, r->caller);
	buf_char(out, '}');
}

/* ---- which ones ---- */

void brief_filter_init(struct brief_filter *f, const char *text, size_t len)
{
	*f = (struct brief_filter){.is_plain = true};
	fold_put(&f->text, text, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c < ' ' || c > '~' || strchr("\"\\/<>&", c))
			f->is_plain = false;
	}
}

void brief_filter_fini(struct brief_filter *f)
{
	buf_fini(&f->text);
}

static bool has_text(const struct brief_filter *f, const char *text, size_t len)
{
	static struct buf folded;
	bool is_found;

	buf_reset(&folded);
	fold_put(&folded, text, len);
	is_found = memmem(folded.data, folded.len, f->text.data, f->text.len);
	if (folded.cap > KEEP_BYTES)
		buf_fini(&folded);
	return is_found;
}

static bool has_string(const struct brief_filter *f, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);
	bool is_found = text && has_text(f, text, len);

	buf_fini(&scratch);
	return is_found;
}

/* A message is a text, or an array of parts of which some are texts. */
static bool is_in_message(const struct brief_filter *f, const struct json *m)
{
	const struct json *content = json_get(m, "content");

	if (json_str_is(json_get(m, "role"), "system"))
		return false;
	if (!json_is(content, JSON_ARRAY))
		return has_string(f, content);
	for (const struct json *p = json_first(content); p; p = json_next(p)) {
		if (has_string(f, json_get(p, "text")))
			return true;
	}
	return false;
}

static bool has_message(const struct brief_filter *f, const struct json *all)
{
	const struct json *m = json_first(all);

	while (m && !is_in_message(f, m))
		m = json_next(m);
	return m != NULL;
}

/*
 * Parsing costs more than looking whether the text can be there at all.
 */
static bool is_said(
    const struct brief_filter *f, const struct session_record *r)
{
	struct json_doc doc = {0};
	struct json_error why;
	bool is_found = false;

	if (f->is_plain && !has_text(f, r->conversation, r->conversation_len))
		return false;
	const struct json *talk =
	    json_parse(&doc, r->conversation, r->conversation_len, 0, &why);
	is_found = has_message(f, json_get(talk, "messages"));
	json_fini(&doc);
	return is_found;
}

bool brief_is_wanted(const struct session_record *r, void *filter)
{
	const struct brief_filter *f = filter;

	if (f->status && strcmp(f->status, status_word(r)) != 0)
		return false;
	return !f->text.len || has_text(f, r->title, r->title_len) ||
	       has_text(f, r->prompt, r->prompt_len) ||
	       (r->result && has_text(f, r->result, r->result_len)) ||
	       is_said(f, r);
}
