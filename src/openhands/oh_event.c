/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_event.h"

#include "base/json.h"
#include "openhands/oh_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS 1000000

/* A view that is being written. */
struct view {
	struct buf *out;
	const struct event *ev;
	const struct oh_context *context;
	const struct json *fields;
	int64_t id;
};

/* ---- pieces ---- */

static void put_id(struct buf *out, int64_t id, enum oh_dialect dialect)
{
	const char *quote = dialect == OH_DOC ? "\"" : "";
	buf_str(out, quote);
	buf_int(out, id);
	buf_str(out, quote);
}

void oh_event_put_time(struct buf *out, int64_t us)
{
	/* Many events are of one second: its text is kept. */
	static time_t kept = -1;
	static char text[32];
	time_t seconds = (time_t)(us > 0 ? us / MICROSECONDS : 0);
	int micros = (int)(us > 0 ? us % MICROSECONDS : 0);
	char fraction[] = ".000000Z\"";
	struct tm tm;
	if (seconds != kept) {
		(void)gmtime_r(&seconds, &tm); /* fails after 2^31 only */
		(void)strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%S", &tm);
		kept = seconds;
	}
	for (char *digit = fraction + 6; micros; micros /= 10)
		*digit-- = (char)('0' + micros % 10);
	buf_str(out, text);
	buf_str(out, fraction);
}

static void put_begin(struct buf *out, int64_t id, int64_t time_us,
    const char *source, enum oh_dialect dialect)
{
	buf_str(out, "{\"id\":");
	put_id(out, id, dialect);
	buf_str(out, ",\"timestamp\":");
	oh_event_put_time(out, time_us);
	buf_str(out, ",\"source\":\"");
	buf_str(out, source);
	buf_char(out, '"');
}

static void begin(const struct view *v, const char *source)
{
	put_begin(v->out, v->id, v->ev->time_us, source, v->context->dialect);
}

/* Append a field as the text of a JSON string; "" if it is none. */
static void put_string(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);
	buf_json(out, text ? text : "", text ? len : 0);
	buf_fini(&scratch);
}

/* ---- messages ---- */

/* Those that are data URLs; clients of other protocols send bare base64 too. */
static void put_images(struct buf *out, const struct json *images)
{
	static const char data[] = "data:";
	const char *separator = "";
	buf_char(out, '[');
	for (const struct json *v = json_first(images); v; v = json_next(v)) {
		struct buf scratch = {0};
		size_t len = 0;
		const char *url = json_str(v, &scratch, &len);
		if (url && len > strlen(data) &&
		    memcmp(url, data, strlen(data)) == 0) {
			buf_str(out, separator);
			buf_json(out, url, len);
			separator = ",";
		}
		buf_fini(&scratch);
	}
	buf_char(out, ']');
}

static bool put_message(const struct view *v, const char *source,
    const struct json *content, bool is_waiting)
{
	struct buf *out = v->out;
	begin(v, source);
	buf_str(out, ",\"type\":\"message\",\"message\":");
	put_string(out, content);
	buf_str(out, ",\"action\":\"message\",\"args\":{\"content\":");
	put_string(out, content);
	buf_str(out, ",\"file_urls\":[],\"image_urls\":");
	put_images(out, json_get(v->fields, "images"));
	buf_printf(out, ",\"wait_for_response\":%s,\"security_risk\":-1}}",
	    is_waiting ? "true" : "false");
	return true;
}

/* A question with its options as lines, and as they are. */
static void put_question_text(struct buf *text, const struct json *fields)
{
	struct buf scratch = {0};
	size_t len = 0;
	int n = 0;
	const char *s = json_str(json_get(fields, "question"), &scratch, &len);
	buf_append(text, s ? s : "", s ? len : 0);
	const struct json *options = json_get(fields, "options");
	for (const struct json *o = json_first(options); o; o = json_next(o)) {
		buf_reset(&scratch);
		s = json_str(o, &scratch, &len);
		if (!s)
			s = json_text(o, &len);
		buf_printf(text, "\n%d. ", ++n);
		buf_append(text, s, len);
	}
	buf_fini(&scratch);
}

static bool put_question(const struct view *v)
{
	struct buf text = {0}, *out = v->out;
	const struct json *options = json_get(v->fields, "options");
	size_t len = 0;
	const char *json = json_text(options, &len);
	bool is_multi = false;
	(void)json_bool(json_get(v->fields, "multi_select"), &is_multi);
	put_question_text(&text, v->fields);
	begin(v, "agent");
	buf_str(out, ",\"type\":\"message\",\"message\":");
	buf_json(out, text.data ? text.data : "", text.len);
	buf_str(out, ",\"action\":\"message\",\"args\":{\"content\":");
	buf_json(out, text.data ? text.data : "", text.len);
	buf_str(out, ",\"file_urls\":null,\"image_urls\":null,"
		     "\"wait_for_response\":true,\"security_risk\":-1,"
		     "\"options\":");
	buf_append(out, json_is(options, JSON_ARRAY) ? json : "[]",
	    json_is(options, JSON_ARRAY) ? len : 2);
	buf_printf(out, ",\"multi_select\":%s}}", is_multi ? "true" : "false");
	buf_fini(&text);
	return true;
}

/* ---- other actions ---- */

static bool put_thought(const struct view *v)
{
	struct buf scratch = {0}, text = {0};
	size_t len = 0;
	const struct json *content = json_get(v->fields, "content");
	const char *s = json_str(content, &scratch, &len);
	begin(v, "agent");
	buf_str(&text, "I am thinking...: ");
	buf_append(&text, s ? s : "", len);
	buf_str(v->out, ",\"message\":");
	buf_json(v->out, text.data, text.len);
	buf_str(v->out, ",\"action\":\"think\",\"args\":{\"thought\":");
	put_string(v->out, content);
	buf_str(v->out, "}}");
	buf_fini(&text);
	buf_fini(&scratch);
	return true;
}

/* What the user asked of the agent, other than by a message. */
static bool put_wish(const struct view *v, const char *state)
{
	begin(v, "user");
	buf_printf(v->out,
	    ",\"message\":\"Agent state changed to %s\",\"action\":"
	    "\"change_agent_state\",\"args\":{\"agent_state\":\"%s\","
	    "\"thought\":\"\"}}",
	    state, state);
	return true;
}

static bool put_tool_call(
    const struct view *v, const char *name, const char *args, bool is_confirmed)
{
	struct oh_tool tool;
	oh_tool_init(
	    &tool, json_get(v->fields, name), json_get(v->fields, args));
	begin(v, "agent");
	buf_str(v->out, ",\"message\":");
	oh_tool_put_message(v->out, &tool);
	buf_str(v->out, ",");
	oh_tool_put_action(v->out, &tool, is_confirmed);
	buf_char(v->out, '}');
	oh_tool_fini(&tool);
	return true;
}

/* ---- observations ---- */

static void put_cause(const struct view *v)
{
	if (v->context->cause < 0)
		return;
	buf_str(v->out, ",\"cause\":");
	put_id(v->out, v->context->cause, v->context->dialect);
}

static bool put_tool_result(const struct view *v)
{
	struct oh_tool tool;
	const struct json *content = json_get(v->fields, "result");
	const struct json *status = json_get(v->fields, "status");
	bool is_error = status && !json_str_is(status, "success");
	oh_tool_init(
	    &tool, json_get(v->fields, "name"), json_get(v->fields, "args"));
	begin(v, "agent");
	buf_str(v->out, ",\"message\":");
	oh_tool_put_outcome(v->out, &tool, is_error, content);
	put_cause(v);
	if (v->context->dialect == OH_DOC) {
		buf_char(v->out, ',');
		oh_tool_put_action(v->out, &tool, true);
		buf_str(v->out, ",\"result\":");
		put_string(v->out, content);
	}
	buf_char(v->out, ',');
	oh_tool_put_observation(v->out, &tool, is_error, content);
	buf_char(v->out, '}');
	oh_tool_fini(&tool);
	return true;
}

static bool put_failure(const struct view *v, const struct json *text)
{
	begin(v, "agent");
	buf_str(v->out, ",\"message\":");
	put_string(v->out, text);
	put_cause(v);
	buf_str(v->out, ",\"observation\":\"error\",\"content\":");
	put_string(v->out, text);
	buf_str(v->out, ",\"extras\":{\"error_id\":\"\"}}");
	return true;
}

#define REJECTED                                                          \
	"Action has been rejected by the user! Waiting for further user " \
	"input."

static bool put_rejection(const struct view *v)
{
	begin(v, "agent");
	buf_str(v->out, ",\"message\":\"" REJECTED "\"");
	put_cause(v);
	buf_str(v->out, ",\"observation\":\"user_rejected\",\"content\":"
			"\"" REJECTED "\",\"extras\":{}}");
	return true;
}

/* ---- views ---- */

static bool is_approval(const struct json *answer, bool *is_approved)
{
	*is_approved = false;
	if (!json_str_is(json_get(answer, "kind"), "approval_needed"))
		return false;
	(void)json_bool(json_get(json_get(answer, "answer"), "approved"),
	    is_approved); /* else it is not */
	return true;
}

static bool is_pause(const struct json *interrupt)
{
	bool is_it = false;
	(void)json_bool(json_get(interrupt, "is_pause"), &is_it); /* absent */
	return is_it;
}

static bool put_answer(const struct view *v, unsigned view)
{
	bool is_approved;
	bool is_wish = is_approval(v->fields, &is_approved);
	if (view == 0 && !is_wish)
		return put_message(
		    v, "user", json_get(v->fields, "answer"), false);
	if (view == 0)
		return put_wish(
		    v, is_approved ? "user_confirmed" : "user_rejected");
	return view == 2 && put_rejection(v);
}

static bool put_view(const struct view *v, unsigned view)
{
	const struct json *f = v->fields;
	bool is_first = view == 0;
	switch (v->ev->type) {
	case EV_INPUT:
	case EV_MORE_INPUT:
		return is_first &&
		       put_message(v, "user", json_get(f, "prompt"), false);
	case EV_ANSWER:
		return put_answer(v, view);
	case EV_INTERRUPT:
		return is_first &&
		       put_wish(v, is_pause(f) ? "paused" : "stopped");
	case EV_THINKING:
		return is_first && put_thought(v);
	case EV_ASSISTANT:
		return is_first &&
		       put_message(v, "agent", json_get(f, "content"), false);
	case EV_TOOL_CALL:
		return is_first && put_tool_call(v, "name", "args", true);
	case EV_TOOL_RESULT:
		return is_first && put_tool_result(v);
	case EV_TOOL_BLOCKED:
		return is_first && put_failure(v, json_get(f, "message"));
	case EV_ASK_USER:
		return is_first && put_question(v);
	case EV_PLAN_REVIEW:
		return is_first && put_message(v, "agent",
				       json_get(f, "plan_content"), true);
	case EV_APPROVAL_NEEDED:
		return view == 1 &&
		       put_tool_call(v, "tool", "arguments", false);
	case EV_DONE:
		return is_first &&
		       put_message(v, "agent", json_get(f, "result"), true);
	case EV_FAILED:
		return is_first && put_failure(v, json_get(f, "reason"));
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
	case EV_AGENT_IMAGE:
	case EV_TURN_RESULT:
	case EV_CUSTOM:
	case EV_TERMINAL_OUTPUT: /* its tool_result has it all */
	case EV_COMMAND_STATUS:
	case EV_TRACE_EVENT:
	case EV_INVESTIGATION_REPORT:
	case EV_ASSISTANT_DELTA:
	case EV_CHECKPOINT:
	case EV_COUNT:
		break;
	}
	return false;
}

bool oh_event_put(struct buf *out, const struct event *ev, unsigned view,
    const struct oh_context *context)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	if (!views_has(ev, view))
		return false;
	const struct view v = {
	    .out = out,
	    .ev = ev,
	    .context = context,
	    .fields = event_fields(ev, &doc, &text),
	    .id = oh_event_id(ev, view),
	};
	bool is_put = put_view(&v, view);
	json_fini(&doc);
	buf_fini(&text);
	return is_put;
}

/* ---- how the agent is ---- */

/* The agent after an event, and the view that says it. */
static bool agent_after(
    enum event_type type, unsigned *view, enum oh_agent *agent)
{
	*view = 1;
	switch (type) {
	case EV_INPUT:
	case EV_ANSWER:
		*agent = OH_AGENT_RUNNING;
		return true;
	case EV_ASK_USER:
	case EV_PLAN_REVIEW:
	case EV_DONE:
		*agent = OH_AGENT_AWAITING_INPUT;
		return true;
	case EV_APPROVAL_NEEDED:
		*view = 0;
		*agent = OH_AGENT_AWAITING_CONFIRMATION;
		return true;
	case EV_FAILED:
		*agent = OH_AGENT_ERROR;
		return true;
	case EV_MORE_INPUT:
	case EV_INTERRUPT:
	case EV_THINKING:
	case EV_ASSISTANT:
	case EV_TOOL_CALL:
	case EV_TOOL_RESULT:
	case EV_TOOL_BLOCKED:
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
	case EV_AGENT_IMAGE:
	case EV_TURN_RESULT:
	case EV_CUSTOM:
	case EV_TERMINAL_OUTPUT: /* its tool_result has it all */
	case EV_COMMAND_STATUS:
	case EV_TRACE_EVENT:
	case EV_INVESTIGATION_REPORT:
	case EV_ASSISTANT_DELTA:
	case EV_CHECKPOINT:
	case EV_COUNT:
		break;
	}
	return false;
}

static void read_reason(struct oh_change *change, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	char *reason = json_strdup(json_get(fields, "reason"));
	if (reason)
		(void)snprintf(
		    change->reason, sizeof change->reason, "%s", reason);
	free(reason);
	json_fini(&doc);
	buf_fini(&text);
}

bool oh_event_change(
    struct oh_change *change, const struct event *ev, unsigned view)
{
	unsigned says;
	enum oh_agent agent;
	if (!views_has(ev, view) || !agent_after(ev->type, &says, &agent) ||
	    says != view)
		return false;
	if (ev->views & VIEWS_STOPPED)
		agent = ev->views & VIEWS_PAUSED ? OH_AGENT_PAUSED
						 : OH_AGENT_STOPPED;
	*change = (struct oh_change){
	    .id = oh_event_id(ev, view),
	    .time_us = ev->time_us,
	    .agent = agent,
	};
	if (agent == OH_AGENT_ERROR)
		read_reason(change, ev);
	return true;
}

void oh_event_put_change(
    struct buf *out, const struct oh_change *change, enum oh_dialect dialect)
{
	static const char *const names[] = {
	    [OH_AGENT_RUNNING] = "running",
	    [OH_AGENT_AWAITING_INPUT] = "awaiting_user_input",
	    [OH_AGENT_AWAITING_CONFIRMATION] = "awaiting_user_confirmation",
	    [OH_AGENT_STOPPED] = "stopped",
	    [OH_AGENT_PAUSED] = "paused",
	    [OH_AGENT_ERROR] = "error",
	};
	put_begin(out, change->id, change->time_us, "agent", dialect);
	buf_printf(out,
	    ",\"message\":\"\",\"observation\":\"agent_state_changed\","
	    "\"content\":\"\",\"extras\":{\"agent_state\":\"%s\",\"reason\":",
	    names[change->agent]);
	buf_json_str(out, change->reason);
	buf_str(out, "}}");
}

/* ---- the rest ---- */

/* Append a field of an event. Returns false if it is no string. */
static bool put_field(
    struct buf *out, const struct event *ev, const char *field)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	size_t len = 0;
	const struct json *fields = event_fields(ev, &doc, &text);
	const char *s = json_str(json_get(fields, field), &scratch, &len);
	buf_append(out, s ? s : "", s ? len : 0);
	json_fini(&doc);
	buf_fini(&text);
	buf_fini(&scratch);
	return s != NULL;
}

bool oh_event_tool(struct buf *out, const struct event *ev)
{
	return (ev->type == EV_TOOL_CALL || ev->type == EV_TOOL_RESULT) &&
	       put_field(out, ev, "tool_id");
}

void oh_event_put_over(struct buf *out)
{
	buf_str(out, "{\"message\":\"\",\"observation\":"
		     "\"agent_state_changed\",\"content\":\"\",\"extras\":"
		     "{\"agent_state\":\"stopped\",\"reason\":\"\"}}");
}

bool oh_event_put_status(struct buf *out, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0};
	if (ev->type != EV_COMPACT)
		return false;
	const struct json *status =
	    json_get(event_fields(ev, &doc, &text), "status");
	bool is_error = json_str_is(status, "error");
	buf_printf(out,
	    "{\"status_update\":true,\"type\":\"%s\",\"message\":\"%s\"}",
	    is_error ? "error" : "info",
	    is_error			  ? "The context could not be condensed"
	    : json_str_is(status, "done") ? "The context was condensed"
					  : "The context is being condensed");
	json_fini(&doc);
	buf_fini(&text);
	return true;
}

void oh_event_put_error(struct buf *out, const char *text)
{
	buf_str(out, "{\"error\":true,\"message\":");
	buf_json_str(out, text);
	buf_char(out, '}');
}
