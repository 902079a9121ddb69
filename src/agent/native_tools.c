/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/native_tools.h"

#include "agent/line.h"
#include "agent/native_source.h"
#include "base/json.h"
#include "base/line_queue.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/agent.h"
#include "core/event.h"
#include "core/tool.h"
#include "net/loop.h"
#include "runner/runner.h"
#include "runner/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of an answer line is read: a result and its escapes. */
#define LINE_MAX_BYTES (8 * TOOL_RESULT_MAX)

#define CUT "\n[the rest of the result was cut]"

struct native_tools {
	struct toolbox base;
	struct source_exec source;
	struct runner_place place;
	int64_t timeout_ms;
	struct tool *tools;
	size_t n_tools;
};

struct tool_run {
	struct native_tools *box;
	struct tool_call_ops ops;
	void *arg;
	struct runner *runner; /* NULL: it could not be started */
	struct line_queue lines;
	struct loop_timer deadline;
	char *why; /* it could not be started */
};

/* ---- the end of a call ---- */

static void free_run(struct tool_run *run)
{
	loop_timer_stop(run->box->place.loop, &run->deadline);
	runner_kill(&run->runner);
	line_fini(&run->lines);
	free(run->why);
	free(run);
}

/* Frees the call; the caller returns at once. */
static void end(
    struct tool_run *run, enum tool_status status, const char *text, size_t len)
{
	struct tool_call_ops ops = run->ops;
	void *arg = run->arg;
	struct buf result = {0};
	size_t n = len <= TOOL_RESULT_MAX
		       ? len
		       : utf8_cut(text, len, TOOL_RESULT_MAX - strlen(CUT));

	buf_append(&result, text, n);
	if (n < len)
		buf_str(&result, CUT);
	free_run(run);
	ops.on_end(arg, status, result.len ? result.data : "", result.len);
	buf_fini(&result);
}

static void end_error(struct tool_run *run, const char *text)
{
	end(run, TOOL_ERROR, text, strlen(text));
}

/* ---- its process ---- */

/*
 * The tool asks the user, who may take any time. Other events of a tool have
 * nobody to see them.
 */
static void take_event(struct tool_run *run, const struct draft *d)
{
	struct buf body = {0};

	if (d->type != EV_ASK_USER)
		return;
	loop_timer_stop(run->box->place.loop, &run->deadline);
	buf_char(&body, '{');
	buf_append(&body, d->body.data, d->body.len);
	buf_char(&body, '}');
	run->ops.on_question(run->arg, body.data, body.len);
	buf_fini(&body);
}

/* Returns whether the call goes on. */
static bool take_line(struct tool_run *run, const char *text, size_t len)
{
	struct line line = {0};
	struct err err;
	bool goes_on = false;

	if (line_read(&line, text, len, 1, &err) != 0)
		end_error(run, err.text);
	else if (line.kind == LINE_EXEC_RESULT)
		end(run, TOOL_SUCCESS, line.result, line.result_len);
	else if (line.kind == LINE_ERROR)
		end(run, TOOL_ERROR, line.message, line.message_len);
	else
		goes_on = true;
	if (goes_on && line.kind == LINE_EVENT)
		take_event(run, &line.draft);
	if (goes_on && line.kind == LINE_LOG)
		log_info("tool: %.*s", (int)line.message_len, line.message);
	line_free(&line);
	return goes_on;
}

static void native_tools_on_output(void *arg, const char *data, size_t len)
{
	struct tool_run *run = arg;
	enum line_state state;
	const char *text;
	size_t n;

	line_feed(&run->lines, data, len);
	while ((state = line_next(&run->lines, &text, &n)) == LINE_WHOLE)
		if (!take_line(run, text, n))
			return;
	if (state == LINE_TOO_LONG)
		end_error(run, "The result is too long.");
}

static void native_tools_on_complaint(void *arg, const char *text, size_t len)
{
	(void)arg;
	log_info("tool: %.*s", (int)len, text);
}

static void native_tools_on_end(void *arg, const struct runner_end *ended)
{
	struct tool_run *run = arg;
	char how[64], text[128];

	(void)runner_reason(ended, how, sizeof how);
	(void)snprintf(
	    text, sizeof text, "The tool ended without a result: %s.", how);
	end_error(run, text);
}

static const struct runner_handlers handlers = {
    .on_output = native_tools_on_output,
    .on_complaint = native_tools_on_complaint,
    .on_end = native_tools_on_end,
};

/* The time is over, or there never was a process. */
static void on_deadline(void *arg)
{
	struct tool_run *run = arg;
	char text[80];

	if (run->why) {
		end_error(run, run->why);
		return;
	}
	(void)snprintf(text, sizeof text,
	    "The tool was ended after %" PRId64 " s.",
	    run->box->timeout_ms / 1000);
	end_error(run, text);
}

/* ---- the toolbox ---- */

static struct native_tools *box_of(const struct toolbox *b)
{
	return (struct native_tools *)(uintptr_t)b;
}

static const struct tool *native_tools_tool(const struct toolbox *b, size_t i)
{
	const struct native_tools *box = box_of(b);

	return i < box->n_tools ? &box->tools[i] : NULL;
}

static void write_task(struct tool_run *run, const struct tool_call *call)
{
	const struct agent_exec task = {
	    .session_id = call->session_id,
	    .tool = call->tool->name,
	    .args = call->args,
	    .args_len = call->args_len,
	};
	struct buf line = {0};

	line_exec(&line, &task);
	line.len -= strlen("}\n");
	buf_str(&line, ",\"questions\":true}\n");
	(void)runner_write(run->runner, line.data, line.len, SIZE_MAX);
	buf_fini(&line);
}

static struct tool_run *native_tools_start(struct toolbox *b,
    const struct tool_call *call, const struct tool_call_ops *ops, void *arg)
{
	struct native_tools *box = box_of(b);
	struct tool_run *run = mem_zero(sizeof *run);
	struct err err;

	*run = (struct tool_run){.box = box, .ops = *ops, .arg = arg};
	line_init(&run->lines, LINE_MAX_BYTES);
	loop_timer_init(&run->deadline, on_deadline, run);
	run->runner = runner_start(&box->place, &handlers, run, &err);
	if (run->runner) {
		runner_claim(run->runner, &handlers, run);
		write_task(run, call);
	} else {
		run->why = mem_strdup(err.text);
	}
	loop_timer_set(
	    box->place.loop, &run->deadline, run->why ? 0 : box->timeout_ms);
	return run;
}

static void native_tools_answer(
    struct tool_run *run, const char *answer, size_t len)
{
	struct buf line = {0};

	buf_str(&line, "{\"type\":\"ASK_USER_RESPONSE\",\"answer\":");
	buf_json_line(&line, answer, len);
	buf_str(&line, "}\n");
	(void)runner_write(run->runner, line.data, line.len, SIZE_MAX);
	buf_fini(&line);
	loop_timer_set(
	    run->box->place.loop, &run->deadline, run->box->timeout_ms);
}

static void native_tools_cancel(struct tool_run **run)
{
	struct tool_run *it = *run;

	*run = NULL;
	if (it)
		free_run(it);
}

static void native_tools_close(struct toolbox **b)
{
	struct native_tools *box = *b ? box_of(*b) : NULL;

	*b = NULL;
	if (!box)
		return;
	runner_clear(&box->place);
	source_exec_fini(&box->source);
	for (size_t i = 0; i < box->n_tools; i++) {
		free((char *)(uintptr_t)box->tools[i].name);
		free((char *)(uintptr_t)box->tools[i].description);
		free((char *)(uintptr_t)box->tools[i].schema);
	}
	free(box->tools);
	free(box);
}

static unsigned flags_of(const struct json *o)
{
	bool is_idempotent = false, is_read_only = false;

	(void)json_bool(json_get(o, "idempotent"), &is_idempotent);
	(void)json_bool(json_get(o, "read_only"), &is_read_only);
	return (is_idempotent ? TOOL_IDEMPOTENT : 0) |
	       (is_read_only ? TOOL_READ_ONLY : 0);
}

/* The profile is that of co-agent-c, which has checked it. */
static void read_tools(struct native_tools *box, const char *profile)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *list = json_get(
	    json_parse(&doc, profile, strlen(profile), 0, &why), "functions");

	box->tools = mem_zero(json_count(list) * sizeof *box->tools);
	for (const struct json *o = json_first(list); o; o = json_next(o)) {
		size_t len;
		const char *schema = json_text(json_get(o, "schema"), &len);
		box->tools[box->n_tools++] = (struct tool){
		    .name = json_strdup(json_get(o, "name")),
		    .description = json_strdup(json_get(o, "description")),
		    .schema = mem_strndup(schema, len),
		    .flags = flags_of(o),
		};
	}
	json_fini(&doc);
}

struct toolbox *native_tools_open(const struct agent_setup *setup)
{
	static const struct toolbox_ops ops = {
	    .tool = native_tools_tool,
	    .start = native_tools_start,
	    .answer = native_tools_answer,
	    .cancel = native_tools_cancel,
	    .close = native_tools_close,
	};
	struct native_tools *box = mem_zero(sizeof *box);

	box->base.ops = &ops;
	box->timeout_ms = setup->spec.run_timeout_ms;
	native_source_init(&box->source, &setup->spec, NULL);
	box->place = (struct runner_place){.loop = setup->loop,
	    .crew = setup->crew,
	    .source = &box->source.base};
	list_init(&box->place.all);
	read_tools(box, setup->spec.profile);
	return &box->base;
}
