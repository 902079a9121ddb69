/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_event.h"

#include "agentserver/as_id.h"
#include "base/json.h"
#include "core/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS 1000000

/* The event that is being written. */
struct view {
	struct buf *out;
	const struct event *ev;
	const struct json *fields;
	const struct as_trail *trail;
};

/* ---- times ---- */

void as_event_put_time(struct buf *out, int64_t us)
{
	time_t seconds = (time_t)(us > 0 ? us / MICROSECONDS : 0);
	int micros = (int)(us > 0 ? us % MICROSECONDS : 0);
	char text[32];
	struct tm tm;
	(void)gmtime_r(&seconds, &tm); /* fails after the year 2^31 only */
	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "\"%s.%06d\"", text, micros);
}

/* Read ".123" as microseconds. Returns what follows. */
static const char *read_fraction(const char *s, int64_t *us)
{
	int64_t unit = MICROSECONDS;
	if (*s != '.')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++)
		*us += (*s - '0') * (unit /= 10);
	return s;
}

bool as_event_read_time(int64_t *us, const char *text, size_t len)
{
	char copy[48];
	struct tm tm = {0};
	if (len >= sizeof copy || memchr(text, 0, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return false;
	*us = (int64_t)timegm(&tm) * MICROSECONDS;
	rest = read_fraction(rest, us);
	return !*rest || strcmp(rest, "Z") == 0 || strcmp(rest, "+00:00") == 0;
}

/* ---- pieces ---- */

/* Append a field as the text of a JSON string; "" if it is none. */
static void put_string(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);
	buf_json(out, text ? text : "", text ? len : 0);
	buf_fini(&scratch);
}

static void put_field(const struct view *v, const char *name)
{
	put_string(v->out, json_get(v->fields, name));
}

/* Append a value as it is; other text if it has not this type. */
static void put_value(struct buf *out, const struct json *value,
    enum json_type type, const char *other)
{
	size_t len = 0;
	const char *text = json_text(value, &len);
	if (json_is(value, type))
		buf_append(out, text, len);
	else
		buf_str(out, other);
}

static void put_id(const struct view *v, uint64_t seq)
{
	char id[ENC_UUID_SIZE];
	as_id_event(id, v->trail->salt, seq);
	buf_printf(v->out, "\"%s\"", id);
}

static void begin(const struct view *v, const char *kind, const char *source)
{
	buf_str(v->out, "{\"id\":");
	put_id(v, v->ev->seq);
	buf_str(v->out, ",\"timestamp\":");
	as_event_put_time(v->out, v->ev->time_us);
	buf_printf(v->out, ",\"source\":\"%s\",\"kind\":\"%s\"", source, kind);
}

/* ---- messages ---- */

static void begin_message(const struct view *v, const char *source)
{
	begin(v, "MessageEvent", source);
	buf_printf(v->out, ",\"llm_message\":{\"role\":\"%s\",\"content\":[",
	    strcmp(source, "user") == 0 ? "user" : "assistant");
}

static void put_message(
    const struct view *v, const char *source, const struct json *text)
{
	begin_message(v, source);
	buf_str(v->out, "{\"type\":\"text\",\"text\":");
	put_string(v->out, text);
	buf_str(v->out, "}]}}");
}

static void put_image(const struct view *v)
{
	begin_message(v, "agent");
	buf_str(v->out, "{\"type\":\"image\",\"image_urls\":[");
	put_field(v, "image");
	buf_str(v->out, "]}]}}");
}

/* A question with its options as lines. */
static void put_question(const struct view *v)
{
	struct buf text = {0}, scratch = {0};
	size_t len = 0;
	int n = 0;
	const char *s =
	    json_str(json_get(v->fields, "question"), &scratch, &len);
	const struct json *options = json_get(v->fields, "options");
	buf_append(&text, s ? s : "", s ? len : 0);
	for (const struct json *o = json_first(options); o; o = json_next(o)) {
		buf_reset(&scratch);
		s = json_str(o, &scratch, &len);
		if (!s)
			s = json_text(o, &len);
		buf_printf(&text, "\n%d. ", ++n);
		buf_append(&text, s, len);
	}
	begin_message(v, "agent");
	buf_str(v->out, "{\"type\":\"text\",\"text\":");
	buf_json(v->out, text.data ? text.data : "", text.len);
	buf_str(v->out, "}]}}");
	buf_fini(&text);
	buf_fini(&scratch);
}

/* ---- tools ---- */

/* A call of a tool; its id is that of a field, or made from the position. */
struct call {
	const struct json *id;
	const struct json *name;
	const struct json *args;
};

static void put_call_id(const struct view *v, const struct json *id)
{
	if (json_is(id, JSON_STRING))
		put_string(v->out, id);
	else
		put_id(v, v->ev->seq);
}

/* The arguments as JSON, which is itself a JSON string here. */
static void put_arguments(const struct view *v, const struct json *args)
{
	struct buf text = {0};
	put_value(&text, args, JSON_OBJECT, "{}");
	buf_json(v->out, text.data, text.len);
	buf_fini(&text);
}

static void put_action(const struct view *v, const struct call *call)
{
	struct buf *out = v->out;
	begin(v, "ActionEvent", "agent");
	buf_str(out, ",\"thought\":[],\"action\":{\"kind\":\"MCPToolAction\","
		     "\"data\":");
	put_value(out, call->args, JSON_OBJECT, "{}");
	buf_str(out, "},\"tool_name\":");
	put_string(out, call->name);
	buf_str(out, ",\"tool_call_id\":");
	put_call_id(v, call->id);
	buf_str(out, ",\"tool_call\":{\"id\":");
	put_call_id(v, call->id);
	buf_str(out, ",\"name\":");
	put_string(out, call->name);
	buf_str(out, ",\"arguments\":");
	put_arguments(v, call->args);
	buf_printf(out,
	    ",\"origin\":\"completion\"},\"llm_response_id\":\"turn-%u\"}",
	    v->ev->turn);
}

static void put_thought(const struct view *v)
{
	struct buf *out = v->out;
	begin(v, "ActionEvent", "agent");
	buf_str(out, ",\"thought\":[],\"action\":{\"kind\":\"ThinkAction\","
		     "\"thought\":");
	put_field(v, "content");
	buf_str(out, "},\"tool_name\":\"think\",\"tool_call_id\":");
	put_id(v, v->ev->seq);
	buf_str(out, ",\"tool_call\":{\"id\":");
	put_id(v, v->ev->seq);
	buf_printf(out,
	    ",\"name\":\"think\",\"arguments\":\"{}\",\"origin\":"
	    "\"completion\"},\"llm_response_id\":\"turn-%u\"}",
	    v->ev->turn);
}

static uint32_t digest(const char *text, size_t len)
{
	return enc_crc32c(0, text, len) | 1;
}

static uint32_t digest_of(const struct json *fields, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(json_get(fields, name), &scratch, &len);
	uint32_t d = text ? digest(text, len) : 0;
	buf_fini(&scratch);
	return d;
}

/* The position of a call; that of its result if the call was not seen. */
static uint64_t call_of(const struct view *v)
{
	uint32_t name = digest_of(v->fields, "tool_id");
	for (int i = 0; name && i < AS_EVENT_CALLS; i++)
		if (v->trail->calls[i].digest == name)
			return v->trail->calls[i].seq;
	return v->ev->seq;
}

static void put_observation(const struct view *v)
{
	struct buf *out = v->out;
	const struct json *status = json_get(v->fields, "status");
	bool is_error = status && !json_str_is(status, "success");
	begin(v, "ObservationEvent", "environment");
	buf_str(out, ",\"tool_name\":");
	put_field(v, "name");
	buf_str(out, ",\"tool_call_id\":");
	put_call_id(v, json_get(v->fields, "tool_id"));
	buf_str(out, ",\"action_id\":");
	put_id(v, call_of(v));
	buf_str(out, ",\"observation\":{\"kind\":\"MCPToolObservation\","
		     "\"content\":[{\"type\":\"text\",\"text\":");
	put_field(v, "result");
	buf_printf(out,
	    "}],\"is_error\":%s,\"tool_name\":", is_error ? "true" : "false");
	put_field(v, "name");
	buf_str(out, "}}");
}

/* What a command wrote is an observation without an action of its own. */
static void put_output(const struct view *v)
{
	struct buf *out = v->out;
	begin(v, "ObservationEvent", "environment");
	buf_str(out, ",\"tool_name\":\"terminal\",\"tool_call_id\":");
	put_id(v, v->ev->seq);
	buf_str(out, ",\"action_id\":");
	put_id(v, v->ev->seq);
	buf_str(out, ",\"observation\":{\"kind\":\"MCPToolObservation\","
		     "\"content\":[{\"type\":\"text\",\"text\":");
	put_field(v, "content");
	buf_str(out, "}],\"is_error\":false,\"tool_name\":\"terminal\"}}");
}

static void put_blocked(const struct view *v)
{
	struct buf *out = v->out;
	bool has_message = json_is(json_get(v->fields, "message"), JSON_STRING);
	begin(v, "AgentErrorEvent", "agent");
	buf_str(out, ",\"tool_name\":");
	put_field(v, "tool");
	buf_str(out, ",\"tool_call_id\":");
	put_id(v, v->ev->seq);
	buf_str(out, ",\"error\":");
	put_field(v, has_message ? "message" : "reason");
	buf_char(out, '}');
}

/* ---- answers and ends ---- */

static void put_other(const struct view *v)
{
	begin(v, "ConversationStateUpdateEvent", "environment");
	buf_str(v->out, ",\"key\":\"" AS_EVENT_OTHER "\",\"value\":{");
	/* A checkpoint is of nobody's concern; it has a number all the same. */
	size_t len = v->ev->type == EV_CHECKPOINT ? 0 : v->ev->body_len;
	/* The body of a custom event has a type of its own. */
	if (v->ev->type != EV_CUSTOM)
		buf_printf(v->out, "\"type\":\"%s\"%s", event_name(v->ev->type),
		    len ? "," : "");
	buf_append(v->out, v->ev->body, len);
	buf_str(v->out, "}}");
}

static void put_rejection(
    const struct view *v, uint64_t question, const struct json *answer)
{
	struct buf *out = v->out;
	bool is_known = question == v->trail->approval;
	const struct json *why = json_get(answer, "feedback");
	begin(v, "UserRejectObservation", "environment");
	buf_str(out, ",\"tool_name\":");
	buf_json_str(out, is_known ? v->trail->tool : "tool");
	buf_str(out, ",\"tool_call_id\":");
	put_id(v, question);
	buf_str(out, ",\"action_id\":");
	put_id(v, question);
	buf_str(out, ",\"rejection_reason\":");
	if (json_is(why, JSON_STRING))
		put_string(out, why);
	else
		buf_str(out, "\"User rejected the action\"");
	buf_char(out, '}');
}

static void put_answer(const struct view *v)
{
	const struct json *answer = json_get(v->fields, "answer");
	bool is_approved = false;
	int64_t question = 0;
	if (!json_str_is(json_get(v->fields, "kind"), "approval_needed")) {
		put_message(v, "user", answer);
		return;
	}
	(void)json_bool(json_get(answer, "approved"), &is_approved);
	(void)json_int(json_get(v->fields, "question"), &question);
	if (is_approved || question <= 0)
		put_other(v);
	else
		put_rejection(v, (uint64_t)question, answer);
}

static void put_failure(const struct view *v)
{
	const struct json *reason = json_get(v->fields, "reason");
	if (json_str_is(reason, "interrupted") && v->trail->is_stopping) {
		put_other(v);
		return;
	}
	begin(v, "ConversationErrorEvent", "environment");
	buf_str(v->out, ",\"code\":");
	put_string(v->out, reason);
	buf_str(v->out, ",\"detail\":\"the turn ended without a result\"}");
}

static void put_pause(const struct view *v)
{
	begin(v, "PauseEvent", "user");
	buf_char(v->out, '}');
}

/*
 * Whether the result is what the agent has just said: then it has no message
 * among its views (core/views.h). An end that was made of the record has no
 * views at all.
 */
static bool was_said(const struct event *ev)
{
	return ev->first_view && !views_has(ev, 0);
}

/* ---- all kinds ---- */

static void put_view(const struct view *v)
{
	const struct json *f = v->fields;
	const struct call tool = {
	    json_get(f, "tool_id"), json_get(f, "name"), json_get(f, "args")};
	const struct call wanted = {
	    NULL, json_get(f, "tool"), json_get(f, "arguments")};
	switch (v->ev->type) {
	case EV_INPUT:
	case EV_MORE_INPUT:
		put_message(v, "user", json_get(f, "prompt"));
		return;
	case EV_ANSWER:
		put_answer(v);
		return;
	case EV_INTERRUPT:
		put_pause(v);
		return;
	case EV_THINKING:
		put_thought(v);
		return;
	case EV_ASSISTANT:
		put_message(v, "agent", json_get(f, "content"));
		return;
	case EV_TOOL_CALL:
		put_action(v, &tool);
		return;
	case EV_TOOL_RESULT:
		put_observation(v);
		return;
	case EV_TOOL_BLOCKED:
		put_blocked(v);
		return;
	case EV_ASK_USER:
		put_question(v);
		return;
	case EV_PLAN_REVIEW:
		put_message(v, "agent", json_get(f, "plan_content"));
		return;
	case EV_APPROVAL_NEEDED:
		put_action(v, &wanted);
		return;
	case EV_AGENT_IMAGE:
		put_image(v);
		return;
	case EV_TERMINAL_OUTPUT:
		put_output(v);
		return;
	case EV_DONE:
		if (was_said(v->ev))
			put_other(v);
		else
			put_message(v, "agent", json_get(f, "result"));
		return;
	case EV_FAILED:
		put_failure(v);
		return;
	case EV_START:
	case EV_USER_INPUT:
	case EV_INPUT_DROPPED:
	case EV_LLM_CALL:
	case EV_LLM_RESULT:
	case EV_PLAN:
	case EV_COMPACT:
	case EV_INTENT:
	case EV_EVAL:
	case EV_FILES_RECEIVED:
	case EV_TURN_RESULT:
	case EV_CUSTOM:
	case EV_COMMAND_STATUS:
	case EV_TRACE_EVENT:
	case EV_INVESTIGATION_REPORT:
	case EV_ASSISTANT_DELTA:
	case EV_CHECKPOINT:
	case EV_COUNT:
		break;
	}
	put_other(v);
}

/* ---- the trail ---- */

static void note_call(struct as_trail *t, uint32_t name, uint64_t seq)
{
	t->calls[t->next_call].digest = name;
	t->calls[t->next_call].seq = seq;
	t->next_call = (t->next_call + 1) % AS_EVENT_CALLS;
}

static void note_approval(
    struct as_trail *t, const struct event *ev, const struct json *fields)
{
	char *tool = json_strdup(json_get(fields, "tool"));
	t->approval = ev->seq;
	(void)snprintf(t->tool, sizeof t->tool, "%s", tool ? tool : "tool");
	free(tool);
}

static void note(
    struct as_trail *t, const struct event *ev, const struct json *fields)
{
	if (ev->type == EV_INPUT || ev->type == EV_INTERRUPT)
		t->is_stopping = ev->type == EV_INTERRUPT;
	else if (ev->type == EV_TOOL_CALL)
		note_call(t, digest_of(fields, "tool_id"), ev->seq);
	else if (ev->type == EV_APPROVAL_NEEDED)
		note_approval(t, ev, fields);
}

void as_event_pass(struct as_trail *trail, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	bool has_name =
	    ev->type == EV_TOOL_CALL || ev->type == EV_APPROVAL_NEEDED;
	/* A client may pass over a whole journal: parse only what is noted. */
	note(trail, ev, has_name ? event_fields(ev, &doc, &text) : NULL);
	json_fini(&doc);
	buf_fini(&text);
}

void as_event_put(
    struct buf *out, struct as_trail *trail, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	const struct view v = {
	    .out = out,
	    .ev = ev,
	    .fields = fields,
	    .trail = trail,
	};
	put_view(&v);
	note(trail, ev, fields);
	json_fini(&doc);
	buf_fini(&text);
}

/* ---- events that are in no journal ---- */

static void begin_transient(struct buf *out, int64_t time_us, const char *kind)
{
	char id[ENC_UUID_SIZE];
	enc_uuid(id);
	buf_printf(out, "{\"id\":\"%s\",\"timestamp\":", id);
	as_event_put_time(out, time_us);
	buf_printf(out, ",\"source\":\"environment\",\"kind\":\"%s\"", kind);
}

void as_event_put_state(struct buf *out, int64_t time_us, const char *key,
    const char *value, size_t len)
{
	begin_transient(out, time_us, "ConversationStateUpdateEvent");
	buf_printf(out, ",\"key\":\"%s\",\"value\":", key);
	buf_append(out, value, len);
	buf_char(out, '}');
}

void as_event_put_error(
    struct buf *out, int64_t time_us, const char *code, const char *detail)
{
	begin_transient(out, time_us, "ServerErrorEvent");
	buf_printf(out, ",\"code\":\"%s\",\"detail\":", code);
	buf_json_str(out, detail);
	buf_char(out, '}');
}
