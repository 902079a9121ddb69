/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/frame.h"

#include "base/json.h"
#include "core/err.h"
#include "door/chat_items.h"
#include "door/frame_plan.h"
#include "session/session.h"

#include <string.h>

/* Room for a whole frame except its body and its ids. */
#define FRAME_BYTES 192

#define MICROSECONDS 1000000

/* ---- events ---- */

static void comma_body(struct buf *out, const struct event *ev)
{
	if (ev->body_len == 0)
		return;
	buf_char(out, ',');
	buf_append(out, ev->body, ev->body_len);
}

static void member_text(struct buf *out, const struct json *member)
{
	size_t len = 0;
	const char *text = json_text(json_key(member), &len);

	buf_append(out, text, len);
	buf_char(out, ':');
	text = json_text(member, &len);
	buf_append(out, text, len);
}

/* A member that the door itself adds to every event. */
struct ours {
	const char *name; /* NULL: the end */
	const char *quoted;
};

#define OURS(name)                   \
	{                            \
		name, "\"" name "\"" \
	}

static const struct ours frame_members[] = {
    OURS("id"), OURS("ts"), OURS("session_id"), OURS("type"), {0}};

static const struct ours row_members[] = {OURS("id"), OURS("ts"), OURS("type"),
    OURS("pos"), OURS("turn"), OURS("session_id"), {0}};

static bool is_ours(const struct ours *ours, const struct json *key)
{
	while (ours->name && !json_str_is(key, ours->name))
		ours++;
	return ours->name != NULL;
}

/*
 * Whether the body may contain a member that the door adds as well. A "no" is
 * certain, a "yes" is not.
 */
static bool may_clash(const struct event *ev, const struct ours *ours)
{
	for (; ours->name; ours++) {
		if (memmem(ev->body, ev->body_len, ours->quoted,
			strlen(ours->quoted)))
			return true;
	}
	return false;
}

static void comma_members(
    struct buf *out, const struct json *fields, const struct ours *ours)
{
	for (const struct json *m = json_first(fields); m; m = json_next(m)) {
		if (is_ours(ours, json_key(m)))
			continue;
		buf_char(out, ',');
		member_text(out, m);
	}
}

/*
 * A frame has no duplicate keys (doc/oip.txt 1): our members replace the
 * agent's.
 */
static void comma_checked_body(
    struct buf *out, const struct event *ev, const struct ours *ours)
{
	struct json_doc doc = {0};
	struct buf text = {0};

	comma_members(out, event_fields(ev, &doc, &text), ours);
	json_fini(&doc);
	buf_fini(&text);
}

static void add_missing(struct buf *out, const struct json *fields,
    const char *name, const char *like, const char *otherwise)
{
	const struct json *v = json_get(fields, like);
	size_t len = 0;
	const char *text = json_text(v, &len);

	if (json_get(fields, name))
		return;
	buf_printf(out, ",\"%s\":", name);
	if (v)
		buf_append(out, text, len);
	else
		buf_str(out, otherwise);
}

/* Members beside the entries are kept as they are. */
static void comma_plan(
    struct buf *out, const struct event *ev, const struct ours *ours)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *fields = event_fields(ev, &doc, &text);

	for (const struct json *m = json_first(fields); m; m = json_next(m)) {
		if (is_ours(ours, json_key(m)))
			continue;
		buf_char(out, ',');
		if (!json_str_is(json_key(m), "entries")) {
			member_text(out, m);
			continue;
		}
		buf_str(out, "\"entries\":");
		frame_plan_entries(out, m);
	}
	json_fini(&doc);
	buf_fini(&text);
}

/* Older clients read "text", newer ones "question" (doc/oip.txt 5). */
static void comma_question(
    struct buf *out, const struct event *ev, const struct ours *ours)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *fields = event_fields(ev, &doc, &text);

	comma_members(out, fields, ours);
	add_missing(out, fields, "question", "text", "\"\"");
	add_missing(out, fields, "text", "question", "\"\"");
	add_missing(out, fields, "options", "options", "[]");
	add_missing(out, fields, "multi_select", "multi_select", "false");
	json_fini(&doc);
	buf_fini(&text);
}

static void head(struct buf *out, const struct event *ev)
{
	buf_str(out, "\"type\":\"");
	buf_str(out, event_name(ev->type));
	buf_char(out, '"');
}

/* The type of a custom event of an agent is in its body. */
static void custom_head(
    struct buf *out, const struct event *ev, const struct ours *ours)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	const struct json *type = json_get(fields, "type");
	size_t len = 0;

	buf_str(out, "\"type\":");
	if (type) {
		const char *name = json_text(type, &len);
		buf_append(out, name, len);
	} else {
		buf_str(out, "\"custom\"");
	}
	comma_members(out, fields, ours);
	json_fini(&doc);
	buf_fini(&text);
}

static void micro_digits(struct buf *out, int64_t us)
{
	char *p = buf_reserve(out, 7);

	p[0] = '.';
	for (int i = 6; i > 0; i--) {
		p[i] = (char)('0' + us % 10);
		us /= 10;
	}
	out->len += 7;
}

static void tail(struct buf *out, const struct event *ev)
{
	int64_t us = ev->time_us > 0 ? ev->time_us : 0;

	buf_str(out, ",\"id\":");
	buf_json(out, ev->id, ev->id_len);
	buf_str(out, ",\"ts\":");
	buf_int(out, us / MICROSECONDS);
	micro_digits(out, us % MICROSECONDS);
}

/*
 * Append the type and the members of a STREAM event; returns false, with
 * nothing appended, for others.
 */
static bool put_members(
    struct buf *out, const struct event *ev, const struct ours *ours)
{
	switch (ev->type) {
	case EV_USER_INPUT:
	case EV_INPUT_DROPPED:
	case EV_LLM_CALL:
	case EV_LLM_RESULT:
	case EV_THINKING:
	case EV_ASSISTANT:
	case EV_ASSISTANT_DELTA:
	case EV_TOOL_CALL:
	case EV_TOOL_RESULT:
	case EV_TOOL_BLOCKED:
	case EV_APPROVAL_NEEDED:
	case EV_PLAN_REVIEW:
	case EV_COMPACT:
	case EV_INTENT:
	case EV_EVAL:
	case EV_FILES_RECEIVED:
	case EV_AGENT_IMAGE:
	case EV_TURN_RESULT:
	case EV_TERMINAL_OUTPUT:
	case EV_COMMAND_STATUS:
	case EV_TRACE_EVENT:
	case EV_INVESTIGATION_REPORT:
		head(out, ev);
		if (may_clash(ev, ours))
			comma_checked_body(out, ev, ours);
		else
			comma_body(out, ev);
		return true;
	case EV_ASK_USER:
		head(out, ev);
		comma_question(out, ev, ours);
		return true;
	case EV_PLAN:
		head(out, ev);
		comma_plan(out, ev, ours);
		return true;
	case EV_CUSTOM:
		custom_head(out, ev, ours);
		return true;
	case EV_INPUT:
	case EV_START:
	case EV_MORE_INPUT:
	case EV_ANSWER:
	case EV_INTERRUPT:
	case EV_CHECKPOINT:
		/* Clients know what they sent themselves. */
		return false;
	case EV_DONE:
	case EV_FAILED:
		/* See frame_end(). */
		return false;
	case EV_COUNT:
		return false;
	}
	return false;
}

bool frame_event(
    struct buf *out, const struct event *ev, const char *session_id)
{
	size_t before = out->len;

	(void)buf_reserve(out, ev->body_len + FRAME_BYTES);
	buf_char(out, '{');
	if (!put_members(out, ev, frame_members)) {
		out->len = before;
		return false;
	}
	tail(out, ev);
	buf_str(out, ",\"session_id\":");
	buf_json_str(out, session_id);
	buf_char(out, '}');
	return true;
}

/* ---- rows ---- */

static void comma_failure(struct buf *out)
{
	buf_printf(out, ",\"code\":%d,\"message\":", err_rpc(ERR_AGENT));
	buf_json_str(out, err_text(ERR_AGENT));
}

/* What is in a checkpoint concerns only the agent. */
static void put_unshown(struct buf *out, const struct event *ev)
{
	head(out, ev);
	if (ev->type == EV_FAILED)
		comma_failure(out);
	if (ev->type != EV_CHECKPOINT)
		comma_body(out, ev);
}

void frame_row(struct buf *out, const struct event *ev)
{
	(void)buf_reserve(out, ev->body_len + FRAME_BYTES);
	buf_str(out, "{\"pos\":");
	buf_int(out, (int64_t)ev->seq);
	buf_str(out, ",\"turn\":");
	buf_int(out, ev->turn);
	buf_char(out, ',');
	if (!put_members(out, ev, row_members))
		put_unshown(out, ev);
	tail(out, ev);
	buf_char(out, '}');
}

/* ---- the end of a turn ---- */

static void comma_ids(
    struct buf *out, const char *session_id, const char *input_id)
{
	buf_str(out, ",\"session_id\":");
	buf_json_str(out, session_id);
	if (!input_id)
		return;
	buf_str(out, ",\"input_id\":");
	buf_json_str(out, input_id);
}

void frame_conversation(struct buf *out, const char *conversation, size_t len,
    const char *continuation)
{
	if (!continuation) {
		buf_append(out, conversation, len);
		return;
	}
	buf_str(out, "{\"continuation\":");
	buf_json_str(out, continuation);
	buf_str(out, len > 2 ? "," : "");
	buf_append(out, conversation + 1, len - 1);
}

/*
 * A client replaces its session with this one; without a record, send only its
 * id.
 */
static void comma_session(struct buf *out, const char *session_id,
    const struct session_record *record)
{
	if (!record) {
		buf_str(out, ",\"session\":{\"session_id\":");
		buf_json_str(out, session_id);
		buf_str(out, "},\"chat_items\":[]");
		return;
	}
	buf_str(out, ",\"session\":");
	frame_conversation(out, record->conversation, record->conversation_len,
	    record->continuation);
	buf_str(out, ",\"chat_items\":");
	chat_items_put(out, record->conversation, record->conversation_len);
}

void frame_end(struct buf *out, const struct event *ev, const char *session_id,
    const struct session_record *record, const char *input_id)
{
	if (ev->type == EV_DONE) {
		buf_str(out, "{\"type\":\"OUTPUT\"");
		comma_body(out, ev);
		comma_ids(out, session_id, input_id);
		comma_session(out, session_id, record);
	} else {
		buf_str(out, "{\"type\":\"ERROR\"");
		comma_failure(out);
		comma_body(out, ev);
		comma_ids(out, session_id, input_id);
	}
	buf_char(out, '}');
}

/* ---- skills ---- */

/* Only skills of the project are published; the operator's own are private. */
static bool is_published(const struct json *skill)
{
	const struct json *place = json_get(skill, "location");
	return json_str_is(place, "project") ||
	       json_str_is(place, "claude-project");
}

void frame_skills(struct buf *out, const char *skills, bool published_only)
{
	struct json_doc doc = {0};
	struct json_error why;
	const char *text = skills ? skills : "[]";
	const struct json *all = json_parse(&doc, text, strlen(text), 0, &why);
	bool is_first = true;
	buf_char(out, '[');
	for (const struct json *s = json_first(all); s; s = json_next(s)) {
		size_t len;
		const char *skill = json_text(s, &len);
		if (published_only && !is_published(s))
			continue;
		if (!is_first)
			buf_char(out, ',');
		is_first = false;
		buf_append(out, skill, len);
	}
	buf_char(out, ']');
	json_fini(&doc);
}
