/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_said.h"

#include "base/json.h"
#include "core/stat.h"
#include "dialin/dialin_cmd.h"
#include "dialin/dialin_queue.h"

#include <stdio.h>
#include <string.h>

struct agent_turn *dialin_said_of(struct dialin_conn *c, struct span command)
{
	struct agent_turn *t = dialin_dock_turn(c->dock, c->home, command);
	if (!t && c->alias)
		t = dialin_dock_turn(c->dock, c->alias, command);
	if (!t || t->stage != STAGE_SENT || !t->conn)
		return NULL;
	t->speaker = c->connection;
	return t;
}

/*
 * Whether this piece has come before. Numbers of two connections are those of
 * two processes, unless the agent tells which commands it has kept.
 */
static bool is_repeated(struct agent_turn *t, int64_t sequence)
{
	bool is_new_process =
	    t->source != t->speaker && !t->conn->tells_active && sequence == 1;
	t->source = t->speaker;
	if (!sequence)
		return false;
	if (is_new_process)
		t->sequence = 0;
	if (sequence <= t->sequence)
		return true;
	t->sequence = sequence;
	return false;
}

/* The agent holds the command back, or has begun it. */
static void set_held(struct agent_turn *t, bool is_held)
{
	if (t->is_held == is_held)
		return;
	t->is_held = is_held;
	dialin_queue_tell(t->conn);
}

static void answer(struct agent_turn *t, struct buf *ack)
{
	dialin_cmd_take_ack(t, ack);
	dialin_cmd_send_acks(t, t->n_written);
}

void dialin_said_ack(
    struct agent_turn *t, const struct ons_command_ack *a, struct buf *ack)
{
	bool is_running = a->state == ONS_EXECUTING;
	const char *word = is_running ? "executing" : "queued";
	struct draft *d = dialin_cmd_draft(t, EV_COMMAND_STATUS);
	t->conn->reports_ends = true;
	loop_timer_stop(t->dock->setup.loop, &t->timer);
	set_held(t, a->state == ONS_QUEUED);
	event_str(d, "status", word, strlen(word));
	if (a->position > 0)
		event_int(d, "position", a->position);
	dialin_cmd_emit(t);
	answer(t, ack);
}

void dialin_said_output(
    struct agent_turn *t, const struct ons_output *o, struct buf *ack)
{
	struct span text = ons_output_text(o);
	if (is_repeated(t, o->sequence)) {
		stat_add(output_repeated, 1);
		answer(t, ack);
		return;
	}
	set_held(t, false);
	const char *stream = o->is_stderr ? "stderr" : "stdout";
	struct draft *d = dialin_cmd_draft(t, EV_TERMINAL_OUTPUT);
	dialin_cmd_str(d, "content", text);
	event_str(d, "stream", stream, 6);
	if (o->sequence)
		event_int(d, "sequence", o->sequence);
	if (o->is_blank)
		event_bool(d, "is_blank", true);
	dialin_cmd_keep(t, text);
	dialin_cmd_watch(t);
	dialin_cmd_emit(t);
	answer(t, ack);
}

void dialin_said_document(struct agent_turn *t, bool is_trace,
    const struct ons_document *doc, struct buf *ack)
{
	struct draft *d = dialin_cmd_draft(
	    t, is_trace ? EV_TRACE_EVENT : EV_INVESTIGATION_REPORT);
	event_json(d, is_trace ? "trace" : "report", doc->payload.text,
	    doc->payload.len);
	dialin_cmd_emit(t);
	answer(t, ack);
}

void dialin_said_event(
    struct agent_turn *t, const struct ons_event *e, struct buf *ack)
{
	struct json_doc doc = {0};
	struct json_error bad;
	struct err err;
	const struct json *v =
	    json_parse(&doc, e->event.text, e->event.len, 0, &bad);
	t->says_events = true;
	set_held(t, false);
	if (!is_repeated(t, e->sequence) && v &&
	    event_from_json(&t->draft, t->input->turn, v, &err) == 0) {
		if (dialin_cmd_is_question(t->draft.type))
			t->asked = e->sequence;
		if (e->sequence)
			event_note(&t->draft, DIALIN_SEQUENCE, e->sequence);
		dialin_cmd_emit(t);
	}
	json_fini(&doc);
	answer(t, ack);
}

static void end_failed(struct agent_turn *t, const struct ons_complete *c)
{
	char text[60] = "failed";
	if (c->has_exit_code)
		(void)snprintf(text, sizeof text, "it has the exit code %lld",
		    (long long)c->exit_code);
	dialin_cmd_end_badly(t, REASON_FAILED,
	    c->error.text ? c->error : (struct span){text, strlen(text)});
}

void dialin_said_complete(
    struct agent_turn *t, const struct ons_complete *c, struct buf *ack)
{
	static const char *const words[] = {[ONS_COMPLETED] = "completed",
	    [ONS_FAILED] = "failed",
	    [ONS_CANCELLED] = "cancelled"};
	const char *word = words[c->state];
	struct draft *d = dialin_cmd_draft(t, EV_COMMAND_STATUS);
	t->conn->reports_ends = true;
	event_str(d, "status", word, strlen(word));
	if (c->has_exit_code)
		event_int(d, "exit_code", c->exit_code);
	if (c->duration_ms >= 0)
		event_int(d, "duration_ms", c->duration_ms);
	dialin_cmd_str(d, "error", c->error);
	dialin_cmd_emit(t);
	dialin_cmd_take_ack(t, ack);
	if (c->state == ONS_COMPLETED)
		dialin_cmd_end_well(t, c->result);
	else if (c->state == ONS_CANCELLED)
		dialin_cmd_end_well(
		    t, (struct span){AGENT_INTERRUPTED_RESULT,
			   sizeof AGENT_INTERRUPTED_RESULT - 1});
	else
		end_failed(t, c);
}
