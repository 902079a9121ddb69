/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "files/result_line.h"

#include "core/conversation.h"

#include <string.h>

/* Times beyond this many seconds are invalid. */
#define MAX_SECONDS 1e13

/* ---- writing ---- */

static void put_seconds(struct buf *out, int64_t ms)
{
	int part = (int)(ms % 1000);
	buf_printf(out, "%lld.", (long long)(ms / 1000));
	if (part % 100 == 0)
		buf_printf(out, "%d", part / 100);
	else if (part % 10 == 0)
		buf_printf(out, "%02d", part / 10);
	else
		buf_printf(out, "%03d", part);
}

static bool is_span(const struct json *v, struct store_span s)
{
	struct buf scratch = {0};
	size_t n;
	const char *text = json_str(v, &scratch, &n);
	bool is_same = text && n == s.len && memcmp(text, s.data, n) == 0;
	buf_fini(&scratch);
	return is_same;
}

/* Append the owner as JSON; null if there is none. */
static void put_owner(struct buf *out, const struct record *r)
{
	if (!r->caller.len) {
		buf_str(out, "null");
		return;
	}
	buf_str(out, "{\"address\":");
	buf_json(out, r->caller.data, r->caller.len);
	buf_char(out, '}');
}

/* Whether the conversation names the same owner as the record. */
static bool names_owner(struct store_span talk, const struct record *r)
{
	struct json_doc doc = {0}, inner = {0};
	struct json_error why;
	size_t len = 0;
	const struct json *who =
	    json_get(json_parse(&doc, talk.data, talk.len, JSON_SHALLOW, &why),
		"requester");
	bool names = json_type(who) == JSON_NULL && !r->caller.len;
	if (json_is(who, JSON_OBJECT)) {
		const char *text = json_text(who, &len);
		names = is_span(
		    json_get(json_parse(&inner, text, len, JSON_SHALLOW, &why),
			"address"),
		    r->caller);
	}
	json_fini(&doc);
	json_fini(&inner);
	return names;
}

/* A client may have formatted its conversation over several lines. */
static void put_on_one_line(struct buf *out, const char *text, size_t len)
{
	char *to = buf_reserve(out, len);
	for (size_t i = 0; i < len; i++)
		to[i] = (char)((unsigned char)text[i] < 0x20 ? ' ' : text[i]);
	out->len += len;
}

static void put_talk(
    struct buf *out, const struct record *r, struct store_span talk)
{
	struct buf owner = {0}, owned = {0};
	if (names_owner(talk, r)) {
		put_on_one_line(out, talk.data, talk.len);
		return;
	}
	put_owner(&owner, r);
	conversation_set(&owned, talk.data, talk.len, "requester", &owner);
	put_on_one_line(out, owned.data, owned.len);
	buf_fini(&owner);
	buf_fini(&owned);
}

static void result_line_put_session(
    struct buf *out, const struct record *r, struct store_span talk)
{
	if (talk.data && talk.len > 2) {
		put_talk(out, r, talk);
		return;
	}
	buf_str(out, "{\"session_id\":");
	buf_json_or_null(out, r->id.data, r->id.len);
	if (r->caller.len) {
		buf_str(out, ",\"requester\":");
		put_owner(out, r);
	}
	buf_char(out, '}');
}

void result_line_write(
    struct buf *out, const struct record *r, struct store_span talk)
{
	buf_str(out, "{\"session_id\":");
	buf_json_or_null(out, r->id.data, r->id.len);
	buf_printf(out,
	    ",\"status\":\"%s\",\"prompt\":", record_status_word(r->status));
	buf_json(out, r->prompt.data ? r->prompt.data : "", r->prompt.len);
	buf_str(out, ",\"result\":");
	buf_json_or_null(out, r->result.data, r->result.len);
	buf_str(out, ",\"session\":");
	result_line_put_session(out, r, talk);
	buf_str(out, ",\"created\":");
	put_seconds(out, r->created_ms);
	buf_str(out, ",\"expires\":");
	put_seconds(out, r->expires_ms);
	buf_str(out, ",\"duration_ms\":");
	if (r->duration_ms >= 0)
		buf_int(out, r->duration_ms);
	else
		buf_str(out, "null");
	buf_str(out, "}\n");
}

/* ---- reading ---- */

static struct store_span result_line_text_of(
    const struct json *v, struct buf *scratch)
{
	struct store_span s = {NULL, 0};
	s.data = json_str(v, scratch, &s.len);
	return s;
}

static int64_t ms_of(const struct json *v)
{
	double seconds;
	if (!json_double(v, &seconds) || !(seconds > 0) ||
	    seconds > MAX_SECONDS)
		return 0;
	return (int64_t)(seconds * 1000 + 0.5);
}

static bool read_status(const struct json *v, enum record_status *status)
{
	for (int i = 0; i < RECORD_STATUS_COUNT; i++) {
		*status = (enum record_status)i;
		if (json_str_is(v, record_status_word(*status)))
			return true;
	}
	*status = RECORD_RUNNING;
	return json_str_is(v, "waiting_approval");
}

static struct store_span read_session(
    const struct json *session, struct buf *scratch, struct record *r)
{
	struct store_span talk = {NULL, 0};
	int64_t turn;
	if (!json_is(session, JSON_OBJECT))
		return talk;
	talk.data = json_text(session, &talk.len);
	r->caller = result_line_text_of(
	    json_get(json_get(session, "requester"), "address"), scratch);
	if (json_int(json_get(session, "turn"), &turn) && turn > 0 &&
	    turn < INT32_MAX)
		r->client_turn = (uint32_t)turn;
	return talk;
}

bool result_line_read(struct result_line *l, const char *text, size_t len)
{
	struct json_error why;
	struct record *r = &l->record;
	double duration;
	*r = (struct record){.duration_ms = -1};
	for (size_t i = 0; i < sizeof l->texts / sizeof *l->texts; i++)
		buf_reset(&l->texts[i]);
	const struct json *v = json_parse(&l->doc, text, len, 0, &why);
	r->id = result_line_text_of(json_get(v, "session_id"), &l->texts[0]);
	if (!json_is(v, JSON_OBJECT) || !r->id.data || !r->id.len ||
	    !read_status(json_get(v, "status"), &r->status))
		return false;
	r->prompt = result_line_text_of(json_get(v, "prompt"), &l->texts[1]);
	r->result = result_line_text_of(json_get(v, "result"), &l->texts[2]);
	l->talk = read_session(json_get(v, "session"), &l->texts[3], r);
	r->created_ms = ms_of(json_get(v, "created"));
	r->expires_ms = ms_of(json_get(v, "expires"));
	if (json_double(json_get(v, "duration_ms"), &duration) &&
	    duration >= 0 && duration < MAX_SECONDS)
		r->duration_ms = (int64_t)duration;
	return true;
}

void result_line_fini(struct result_line *l)
{
	json_fini(&l->doc);
	for (size_t i = 0; i < sizeof l->texts / sizeof *l->texts; i++)
		buf_fini(&l->texts[i]);
	buf_fini(&l->text);
}
