/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/invoke.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "native/question.h"
#include "native/value.h"

#include <inttypes.h>
#include <string.h>

/* A call of a tool by the agent, as its events tell of it. */
struct invocation {
	struct task *task;
	const char *tool;
	const char *args;	   /* in the memory of the task, as id is */
	const struct json *values; /* of args */
	char *id;
	int64_t began_ms;
};

static void begin_members(struct buf *out, const struct invocation *c)
{
	buf_str(out, "{\"tool_id\":");
	buf_json_str(out, c->id);
	buf_str(out, ",\"name\":");
	buf_json_str(out, c->tool);
	buf_printf(out, ",\"args\":%s", c->args);
}

static int tell_call(struct invocation *c, const struct co_turn *turn)
{
	struct buf text = {0};

	(void)pthread_mutex_lock(&c->task->lock);
	unsigned n = ++c->task->n_calls;
	(void)pthread_mutex_unlock(&c->task->lock);
	buf_printf(&text, "call-%" PRId64 "-%u", turn->number, n);
	c->id = task_copy(c->task, text.data, text.len);
	c->began_ms = clock_mono_ms();
	buf_reset(&text);
	begin_members(&text, c);
	buf_str(&text, ",\"status\":\"running\"}");
	int rc = task_emit(c->task, "tool_call", buf_cstr(&text));
	buf_fini(&text);
	return rc;
}

static void tell_result(
    const struct invocation *c, bool is_success, const char *text, size_t len)
{
	struct buf members = {0};

	begin_members(&members, c);
	buf_printf(&members,
	    ",\"status\":\"%s\",\"result\":", is_success ? "success" : "error");
	buf_json(&members, text, len);
	buf_printf(&members, ",\"timing_ms\":%" PRId64 "}",
	    clock_mono_ms() - c->began_ms);
	(void)task_emit(c->task, "tool_result", buf_cstr(&members));
	buf_fini(&members);
}

static void tell_blocked(const struct invocation *c, const char *message)
{
	struct buf members = {0};

	buf_str(&members, "{\"tool\":");
	buf_json_str(&members, c->tool);
	buf_str(&members, ",\"reason\":\"rejected\",\"message\":");
	buf_json_str(&members, message);
	buf_char(&members, '}');
	(void)task_emit(c->task, "tool_blocked", buf_cstr(&members));
	buf_fini(&members);
}

/* Ask for approval. Sets *result to the reason unless it is given. */
static int ask_first(
    const struct invocation *c, const struct co_tool *tool, const char **result)
{
	struct co_approval approval;
	int rc = question_approve(
	    c->task, tool->name, c->args, tool->description, &approval);

	if (rc == CO_TURN_REJECTED) {
		*result = *approval.feedback ? approval.feedback
					     : "The user did not approve it.";
		tell_blocked(c, *result);
	} else if (rc == CO_TURN_INTERRUPTED) {
		*result = "interrupted";
	}
	return rc;
}

static int run_tool(struct part *caller, const struct invocation *c,
    const struct co_tool *tool, const char **result)
{
	struct part call;
	int rc = task_call(caller, tool, c->values, &call);
	const char *text = rc == CO_TURN_OK ? call.answer : call.fault;
	size_t len = rc == CO_TURN_OK ? call.answer_len : call.fault_len;

	if (!text) {
		text = rc == CO_TURN_OK ? "" : "the tool failed";
		len = strlen(text);
	}
	tell_result(c, rc == CO_TURN_OK, text, len);
	*result = text;
	return rc == CO_TURN_OK || rc == CO_TURN_INTERRUPTED ? rc
							     : CO_TURN_FAILED;
}

/* Call a tool between its events. */
static int invoke_between(struct part *caller, struct invocation *c,
    const struct co_tool *tool, const char **result)
{
	int rc = tell_call(c, &caller->turn);

	*result = "an event of the call was refused"; /* unless it goes on */
	if (rc != CO_TURN_OK)
		return rc;
	if ((tool->flags & CO_TOOL_ASKS) && !c->task->is_direct) {
		rc = ask_first(c, tool, result);
		if (rc != CO_TURN_OK) {
			tell_result(c, false, *result, strlen(*result));
			return rc;
		}
	}
	return run_tool(caller, c, tool, result);
}

int invoke_tool(struct part *caller, const char *name, const char *args,
    const char **result)
{
	const struct co_tool *tool =
	    name ? object_find(caller->task->object, name) : NULL;

	if (!tool) {
		*result = "there is no such tool";
		return CO_TURN_INVALID;
	}
	if (inbox_is_interrupted(&caller->task->inbox)) {
		*result = "interrupted";
		return CO_TURN_INTERRUPTED;
	}
	if (!args)
		args = "{}";
	size_t len = strlen(args);
	struct invocation c = {
	    .task = caller->task,
	    .tool = tool->name,
	    .args = task_copy(caller->task, args, len),
	};
	c.values = task_parse(c.task, c.args, len);
	if (!json_is(c.values, JSON_OBJECT)) {
		*result = "the arguments are no JSON object";
		return CO_TURN_FAILED;
	}
	return invoke_between(caller, &c, tool, result);
}
