/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_frame.h"

#include "base/enc.h"
#include "base/json.h"
#include "ons/ons_message.h"

#include <stdio.h>
#include <string.h>

#define MICROSECONDS 1000

/* An event that is being told. */
struct telling {
	struct ons_frames *out;
	struct ons_frame_view *view;
	const struct event *ev;
	int64_t time_ms;
	struct ons_reader reader; /* of its fields */
	struct buf body;
	const struct json *fields; /* NULL: damaged */
};

/* ---- messages ---- */

static void begin(struct telling *t, enum ons_type type)
{
	char id[64];
	int n = snprintf(id, sizeof id, "msg-%llu-%zu",
	    (unsigned long long)t->ev->seq, t->out->n);
	ons_begin(
	    &t->out->text, type, (struct span){id, (size_t)n}, t->time_ms);
	ons_put_text(&t->out->text, "commandId", t->view->command);
	ons_put_text(&t->out->text, "agentId", t->view->agent);
}

static void end(struct telling *t)
{
	ons_end(&t->out->text);
	t->out->end[t->out->n++] = t->out->text.len;
}

static struct span text_of(struct telling *t, const char *field)
{
	return ons_text(&t->reader, t->fields, field);
}

/* ---- states ---- */

static void put_state(struct telling *t, const char *word)
{
	begin(t, ONS_COMMAND_STATUS);
	ons_put_str(&t->out->text, "status", word);
	ons_put_int(&t->out->text, "timestamp", t->time_ms);
}

static void tell_queued(struct telling *t)
{
	if (t->view->state > ONS_FRAME_QUEUED)
		return;
	int64_t position = ons_int(t->fields, "position", 0);
	t->view->state = ONS_FRAME_QUEUED;
	put_state(t, "QUEUED");
	if (position > 0)
		ons_put_int(&t->out->text, "queuePosition", position);
	end(t);
}

static void tell_executing(struct telling *t)
{
	if (t->view->state >= ONS_FRAME_EXECUTING)
		return;
	t->view->state = ONS_FRAME_EXECUTING;
	t->view->started_ms = t->time_ms;
	put_state(t, "EXECUTING");
	ons_put_int(&t->out->text, "startedAt", t->time_ms);
	end(t);
}

/* How a command ended. */
struct ending {
	const char *word;
	bool has_exit_code;
	int64_t exit_code;
	int64_t duration_ms; /* -1: unknown */
	struct span error;
};

static void put_ending(struct telling *t, const struct ending *e)
{
	struct buf *out = &t->out->text;
	if (e->has_exit_code)
		ons_put_int(out, "exitCode", e->exit_code);
	if (e->duration_ms >= 0) {
		ons_put_int(out, "duration", e->duration_ms);
		ons_put_int(out, "executionTime", e->duration_ms);
	}
	ons_put_text(out, "error", e->error);
}

static void tell_end(struct telling *t, const struct ending *e)
{
	if (t->view->state == ONS_FRAME_OVER)
		return;
	t->view->state = ONS_FRAME_OVER;
	put_state(t, e->word);
	put_ending(t, e);
	ons_put_int(&t->out->text, "completedAt", t->time_ms);
	end(t);
	begin(t, ONS_COMMAND_COMPLETE);
	ons_put_str(&t->out->text, "status", e->word);
	put_ending(t, e);
	end(t);
}

/* ---- the terminal ---- */

static void begin_stream(struct telling *t)
{
	tell_executing(t);
	begin(t, ONS_TERMINAL_STREAM);
}

static void end_stream(struct telling *t, bool is_stderr, int64_t sequence)
{
	ons_put_str(
	    &t->out->text, "streamType", is_stderr ? "STDERR" : "STDOUT");
	ons_put_int(&t->out->text, "sequence", sequence);
	ons_put_int(&t->out->text, "timestamp", t->time_ms);
	end(t);
}

/* Lines for people, which the agent itself did not write to a terminal. */
static void tell_lines(struct telling *t, const struct buf *lines, bool is_bad)
{
	if (!lines->len)
		return;
	begin_stream(t);
	ons_put_text(
	    &t->out->text, "content", (struct span){lines->data, lines->len});
	end_stream(t, is_bad, (int64_t)t->ev->seq);
}

static void add_line(struct buf *lines, const char *before, struct span text)
{
	if (!text.text)
		return;
	buf_str(lines, before);
	buf_append(lines, text.text, text.len);
	if (!text.len || text.text[text.len - 1] != '\n')
		buf_char(lines, '\n');
}

static void tell_text(struct telling *t, const char *field)
{
	struct buf lines = {0};
	struct span text = text_of(t, field);
	if (text.len) {
		t->view->said = enc_crc32c(0, text.text, text.len);
		add_line(&lines, "", text);
	}
	tell_lines(t, &lines, false);
	buf_fini(&lines);
}

/* The text of a command's own output stays as it is, escapes and all. */
static void tell_output(struct telling *t)
{
	struct span stream = text_of(t, "stream");
	int64_t own = ons_int(t->fields, "sequence", 0);
	t->view->has_output = true;
	begin_stream(t);
	ons_put_json(&t->out->text, "content", ons_json(t->fields, "content"));
	if (ons_bool(t->fields, "is_blank", false))
		ons_put_bool(&t->out->text, "isBlank", true);
	end_stream(
	    t, ons_is(stream, "stderr"), own > 0 ? own : (int64_t)t->ev->seq);
}

/* ---- questions ---- */

static void add_options(struct buf *lines, const struct json *options)
{
	struct buf scratch = {0};
	if (!json_is(options, JSON_ARRAY))
		return;
	for (const struct json *v = json_first(options); v; v = json_next(v)) {
		struct span s = {0};
		s.text = json_str(v, &scratch, &s.len);
		add_line(lines, "  - ", s);
	}
	buf_fini(&scratch);
}

/* A question as a program can read it; what is absent is not written. */
struct asked {
	const char *kind;
	struct span text;
	struct span tool;
	struct span arguments; /* JSON */
	struct span options;   /* the same */
	bool takes_several;
};

/* The lines are for clients that know no questions. */
static void tell_asked(
    struct telling *t, const struct buf *lines, const struct asked *a)
{
	struct buf *out = &t->out->text;
	begin_stream(t);
	ons_put_text(out, "content", (struct span){lines->data, lines->len});
	ons_begin_object(out, "question");
	ons_put_str(out, "kind", a->kind);
	ons_put_text(out, "text", a->text);
	ons_put_text(out, "tool", a->tool);
	ons_put_json(out, "arguments", a->arguments);
	ons_put_json(out, "options", a->options);
	if (a->takes_several)
		ons_put_bool(out, "multi_select", true);
	ons_end_object(out);
	end_stream(t, false, (int64_t)t->ev->seq);
}

static void tell_question(struct telling *t)
{
	struct buf lines = {0};
	const struct asked a = {
	    .kind = "ask_user",
	    .text = text_of(t, "question"),
	    .options = ons_json(t->fields, "options"),
	    .takes_several = ons_bool(t->fields, "multi_select", false),
	};
	add_line(&lines, "? ", a.text);
	add_options(&lines, json_get(t->fields, "options"));
	buf_str(&lines, "(the next command is the answer)\n");
	tell_asked(t, &lines, &a);
	buf_fini(&lines);
}

/* So that nobody answers a question that another client has answered. */
static void tell_answered(struct telling *t)
{
	if (t->view->state != ONS_FRAME_EXECUTING)
		return;
	put_state(t, "EXECUTING");
	ons_put_text(&t->out->text, "answered", text_of(t, "kind"));
	end(t);
}

static void tell_approval(struct telling *t)
{
	struct buf lines = {0};
	const struct asked a = {
	    .kind = "approval_needed",
	    .text = text_of(t, "description"),
	    .tool = text_of(t, "tool"),
	    .arguments = ons_json(t->fields, "arguments"),
	};
	add_line(&lines, "? May this tool run: ", a.tool);
	add_line(&lines, "  ", a.arguments);
	add_line(&lines, "  ", a.text);
	buf_str(&lines, "(the next command is the answer: yes, or no)\n");
	tell_asked(t, &lines, &a);
	buf_fini(&lines);
}

static void tell_plan(struct telling *t)
{
	struct buf lines = {0};
	const struct asked a = {
	    .kind = "plan_review",
	    .text = text_of(t, "plan_content"),
	};
	add_line(&lines, "", a.text);
	buf_str(&lines, "(the next command is the review of this plan)\n");
	tell_asked(t, &lines, &a);
	buf_fini(&lines);
}

/* ---- tools ---- */

static void begin_trace(struct telling *t)
{
	begin(t, ONS_TRACE_STREAM);
	ons_begin_object(&t->out->text, "trace");
}

static void end_trace(struct telling *t)
{
	ons_end_object(&t->out->text);
	end(t);
}

static void put_tool(struct telling *t, bool is_over)
{
	struct buf *out = &t->out->text;
	struct span name = text_of(t, "name");
	ons_put_text(out, "commandId", t->view->command);
	ons_put_text(out, "agentId", t->view->agent);
	ons_put_text(out, "traceId", text_of(t, "tool_id"));
	ons_put_json(out, "parentId", (struct span){"null", 4});
	ons_put_str(out, "type", "TOOL_CALL");
	ons_put_text(out, "name", name);
	ons_begin_object(out, "content");
	ons_put_text(out, "toolName", name);
	ons_put_json(out, "toolInput", ons_json(t->fields, "args"));
	if (is_over)
		ons_put_json(out, "toolOutput", ons_json(t->fields, "result"));
	ons_end_object(out);
	ons_put_int(out, is_over ? "completedAt" : "startedAt", t->time_ms);
	if (is_over)
		ons_put_json(
		    out, "durationMs", ons_json(t->fields, "timing_ms"));
}

/* To clients of other protocols the command itself is a call of a tool. */
static bool is_command(struct telling *t)
{
	struct span id = text_of(t, "tool_id");
	return id.len == t->view->command.len &&
	       memcmp(id.text, t->view->command.text, id.len) == 0 &&
	       ons_is(text_of(t, "name"), "terminal");
}

static void tell_tool(struct telling *t, bool is_over)
{
	struct buf lines = {0};
	if (is_command(t))
		return;
	if (is_over) {
		add_line(&lines, "", text_of(t, "result"));
	} else {
		buf_str(&lines, "> ");
		struct span name = text_of(t, "name");
		buf_append(&lines, name.text, name.len);
		add_line(&lines, " ", ons_json(t->fields, "args"));
	}
	tell_lines(t, &lines, false);
	buf_fini(&lines);
	if (t->view->hides_traces)
		return;
	begin_trace(t);
	put_tool(t, is_over);
	end_trace(t);
}

static void tell_blocked(struct telling *t)
{
	struct buf lines = {0};
	add_line(&lines, "This tool was not allowed: ", text_of(t, "tool"));
	add_line(&lines, "  ", text_of(t, "message"));
	tell_lines(t, &lines, true);
	buf_fini(&lines);
}

/* What the agent of another machine has sent goes on as it came. */
static void tell_foreign_trace(struct telling *t)
{
	if (t->view->hides_traces)
		return;
	begin(t, ONS_TRACE_STREAM);
	ons_put_json(&t->out->text, "trace", ons_json(t->fields, "trace"));
	end(t);
}

/* ---- what a command on another machine does ---- */

static void tell_status(struct telling *t)
{
	static const struct {
		const char *word;
		const char *told;
	} ends[] = {
	    {"completed", "COMPLETED"},
	    {"failed", "FAILED"},
	    {"cancelled", "CANCELLED"},
	};
	struct span word = text_of(t, "status");
	struct ending e = {
	    .has_exit_code = json_get(t->fields, "exit_code") != NULL,
	    .exit_code = ons_int(t->fields, "exit_code", 0),
	    .duration_ms = ons_int(t->fields, "duration_ms", -1),
	    .error = text_of(t, "error"),
	};
	if (ons_is(word, "queued"))
		tell_queued(t);
	else if (ons_is(word, "sent") || ons_is(word, "executing"))
		tell_executing(t);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (!ons_is(word, ends[i].word))
			continue;
		e.word = ends[i].told;
		tell_end(t, &e);
	}
}

/* ---- the end of the turn ---- */

/* The result is new unless the agent has said it, or it is the output. */
static void tell_result(struct telling *t)
{
	struct buf lines = {0};
	struct span text = text_of(t, "result");
	bool is_old =
	    t->view->has_output ||
	    (text.len && t->view->said == enc_crc32c(0, text.text, text.len));
	if (text.len && !is_old && t->view->state != ONS_FRAME_OVER)
		add_line(&lines, "", text);
	tell_lines(t, &lines, false);
	buf_fini(&lines);
}

static void tell_done(struct telling *t)
{
	const struct ending e = {
	    .word = t->view->is_interrupted ? "CANCELLED" : "COMPLETED",
	    .has_exit_code = !t->view->is_interrupted,
	    .duration_ms = ons_int(t->fields, "duration_ms", -1),
	};
	tell_result(t);
	tell_end(t, &e);
}

static void tell_failed(struct telling *t)
{
	const struct ending e = {
	    .word = t->view->is_interrupted ? "CANCELLED" : "FAILED",
	    .duration_ms = ons_int(t->fields, "duration_ms", -1),
	    .error = text_of(t, "reason"),
	};
	tell_end(t, &e);
}

static void tell(struct telling *t)
{
	switch (t->ev->type) {
	case EV_INPUT:
		tell_queued(t);
		if (t->view->is_here)
			tell_executing(t);
		break;
	case EV_INTERRUPT:
		t->view->is_interrupted = true;
		break;
	case EV_DONE:
		tell_done(t);
		break;
	case EV_FAILED:
		tell_failed(t);
		break;
	case EV_USER_INPUT:
		tell_executing(t);
		break;
	case EV_THINKING:
	case EV_ASSISTANT:
		tell_text(t, "content");
		break;
	case EV_TOOL_CALL:
	case EV_TOOL_RESULT:
		tell_tool(t, t->ev->type == EV_TOOL_RESULT);
		break;
	case EV_TOOL_BLOCKED:
		tell_blocked(t);
		break;
	case EV_ASK_USER:
		tell_question(t);
		break;
	case EV_APPROVAL_NEEDED:
		tell_approval(t);
		break;
	case EV_PLAN_REVIEW:
		tell_plan(t);
		break;
	case EV_ANSWER:
		tell_answered(t);
		break;
	case EV_TERMINAL_OUTPUT:
		tell_output(t);
		break;
	case EV_COMMAND_STATUS:
		tell_status(t);
		break;
	case EV_TRACE_EVENT:
		tell_foreign_trace(t);
		break;
	case EV_START:
	case EV_MORE_INPUT:
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
	case EV_INVESTIGATION_REPORT:
	case EV_ASSISTANT_DELTA:
	case EV_CHECKPOINT:
	case EV_COUNT:
		break; /* a terminal shows nothing of these */
	}
}

static void clear(struct ons_frames *out)
{
	buf_reset(&out->text);
	out->n = 0;
}

void ons_frame_put(
    struct ons_frames *out, struct ons_frame_view *view, const struct event *ev)
{
	struct json_doc doc = {0};
	struct telling t = {
	    .out = out,
	    .view = view,
	    .ev = ev,
	    .time_ms = ev->time_us / MICROSECONDS,
	};
	clear(out);
	t.fields = event_fields(ev, &doc, &t.body);
	(void)buf_reserve(&t.reader.text, t.body.len);
	tell(&t);
	ons_reader_fini(&t.reader);
	buf_fini(&t.body);
	json_fini(&doc);
}

void ons_frame_put_gap(struct ons_frames *out,
    const struct ons_frame_view *view, uint64_t n_missed, int64_t now_ms)
{
	struct ons_frame_view copy = *view;
	struct event ev = {.seq = 0}; /* it has no number */
	struct buf line = {0};
	struct telling t = {
	    .out = out, .view = &copy, .ev = &ev, .time_ms = now_ms};
	clear(out);
	copy.state = ONS_FRAME_EXECUTING; /* nothing but the note */
	/* Output is cut anywhere, also inside a line. */
	buf_printf(&line,
	    "%s[co-hostd: %llu events are missing here: they were not read in "
	    "time]\n",
	    view->has_output ? "\n" : "", (unsigned long long)n_missed);
	tell_lines(&t, &line, true);
	buf_fini(&line);
}

void ons_frames_fini(struct ons_frames *out)
{
	buf_fini(&out->text);
	*out = (struct ons_frames){0};
}
