/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_cmd.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Of a long output, the end becomes the result of the turn. */
#define RESULT_BYTES ((size_t)256 * 1024)

/* An agent that never reports ends has ended a command when it is so silent. */
#define SILENCE_MS 30000

/* An answer to the agent that waits until what it answers is written. */
struct ack {
	struct list link;
	uint64_t after; /* so many events of the turn are written */
	struct buf text;
};

/* ---- events ---- */

bool dialin_cmd_is_question(enum event_type type)
{
	return type == EV_ASK_USER || type == EV_APPROVAL_NEEDED ||
	       type == EV_PLAN_REVIEW;
}

struct draft *dialin_cmd_draft(struct agent_turn *t, enum event_type type)
{
	event_begin(&t->draft, type, t->input->turn);
	return &t->draft;
}

void dialin_cmd_str(struct draft *d, const char *field, struct span s)
{
	if (s.text)
		event_str(d, field, s.text, s.len);
}

void dialin_cmd_emit(struct agent_turn *t)
{
	t->n_emitted++;
	if (t->sink->ops->emit(t->sink, &t->draft) || !t->conn)
		return;
	/* Its output finds no room: do not read more of it. */
	t->conn->is_paused = true;
	dialin_read_on(t->conn);
}

void dialin_cmd_status(struct agent_turn *t, const char *status)
{
	struct draft *d = dialin_cmd_draft(t, EV_COMMAND_STATUS);
	event_str(d, "status", status, strlen(status));
	dialin_cmd_emit(t);
}

void dialin_cmd_call(struct agent_turn *t)
{
	struct buf args = {0};
	struct draft *d = dialin_cmd_draft(t, EV_TOOL_CALL);
	event_str(d, "tool_id", t->command, strlen(t->command));
	event_str(d, "name", "terminal", 8);
	buf_str(&args, "{\"command\":");
	buf_json(&args, t->input->prompt, t->input->prompt_len);
	buf_char(&args, '}');
	event_json(d, "args", args.data, args.len);
	event_str(d, "status", "running", 7);
	buf_fini(&args);
	t->has_call = true;
	dialin_cmd_emit(t);
}

void dialin_cmd_keep(struct agent_turn *t, struct span text)
{
	buf_append(&t->output, text.text, text.len);
	if (t->output.len <= 2 * RESULT_BYTES)
		return;
	size_t cut = t->output.len - RESULT_BYTES;
	while (cut < t->output.len &&
	       ((unsigned char)t->output.data[cut] & 0xc0) == 0x80)
		cut++; /* not inside a character */
	t->n_left_out += cut;
	buf_consume(&t->output, cut);
}

static void put_result(const struct agent_turn *t, struct buf *out)
{
	if (t->n_left_out)
		buf_printf(out, "[%llu bytes before this are left out]\n",
		    (unsigned long long)t->n_left_out);
	buf_append(out, t->output.data, t->output.len);
}

static void emit_tool_result(
    struct agent_turn *t, bool is_good, const struct buf *result)
{
	struct draft *d = dialin_cmd_draft(t, EV_TOOL_RESULT);
	event_str(d, "tool_id", t->command, strlen(t->command));
	event_str(d, "name", "terminal", 8);
	event_str(d, "status", is_good ? "success" : "error", is_good ? 7 : 5);
	event_str(d, "result", result->data ? result->data : "", result->len);
	dialin_cmd_emit(t);
}

/* ---- acknowledgements ---- */

void dialin_cmd_take_ack(struct agent_turn *t, struct buf *text)
{
	struct ack *a = mem_zero(sizeof *a);
	a->after = t->n_emitted;
	a->text = *text;
	*text = (struct buf){0};
	list_append(&t->acks, &a->link);
}

static void free_ack(struct ack *a)
{
	list_remove(&a->link);
	buf_fini(&a->text);
	free(a);
}

void dialin_cmd_free_acks(struct agent_turn *t)
{
	list_each_safe(it, &t->acks) free_ack(list_entry(it, struct ack, link));
}

void dialin_cmd_send_acks(struct agent_turn *t, uint64_t n_written)
{
	list_each_safe(it, &t->acks)
	{
		struct ack *a = list_entry(it, struct ack, link);
		if (a->after > n_written)
			return;
		if (t->conn)
			dialin_send(t->conn, &a->text);
		free_ack(a);
	}
}

/* ---- the end ---- */

void dialin_cmd_count(struct agent_turn *t, bool is_counted)
{
	if (t->is_counted == is_counted)
		return;
	t->is_counted = is_counted;
	dialin_tell_running(t->conn, is_counted ? 1 : -1);
}

void dialin_cmd_detach(struct agent_turn *t)
{
	list_remove(&t->link);
	if (!t->conn)
		return;
	dialin_cmd_count(t, false);
	if (t->conn->latest == t)
		t->conn->latest = NULL;
	/* It may have waited. */
	if (t->conn->wire)
		loop_later_ask(t->dock->setup.loop, &t->conn->send_later);
	t->conn = NULL;
}

void dialin_cmd_end_well(struct agent_turn *t, struct span result)
{
	struct buf text = {0};
	if (t->stage == STAGE_ENDED)
		return;
	put_result(t, &text);
	if (t->has_call)
		emit_tool_result(t, true, &text);
	t->stage = STAGE_ENDED;
	if (result.text)
		t->sink->ops->finish(t->sink, result.text, result.len, NULL, 0);
	else
		t->sink->ops->finish(
		    t->sink, text.data ? text.data : "", text.len, NULL, 0);
	buf_fini(&text);
}

void dialin_cmd_end_badly(
    struct agent_turn *t, enum err_reason reason, struct span why)
{
	struct buf text = {0}, detail = {0};
	if (t->stage == STAGE_ENDED)
		return;
	put_result(t, &text);
	if (t->has_call)
		emit_tool_result(t, false, &text);
	t->stage = STAGE_ENDED;
	buf_append(&detail, why.text, why.len);
	t->sink->ops->fail(t->sink, reason, buf_cstr(&detail));
	buf_fini(&text);
	buf_fini(&detail);
}

void dialin_cmd_fail(
    struct agent_turn *t, enum err_reason reason, const char *why)
{
	struct draft *d = dialin_cmd_draft(t, EV_COMMAND_STATUS);
	event_str(d, "status", "failed", 6);
	event_str(d, "error", why, strlen(why));
	dialin_cmd_emit(t);
	dialin_cmd_end_badly(t, reason, (struct span){why, strlen(why)});
}

void dialin_cmd_end_cancelled(struct agent_turn *t)
{
	static const char text[] = AGENT_INTERRUPTED_RESULT;
	dialin_cmd_status(t, "cancelled");
	dialin_cmd_end_well(t, (struct span){text, sizeof text - 1});
}

void dialin_cmd_end_silently(struct agent_turn *t)
{
	dialin_cmd_status(t, "completed");
	dialin_cmd_end_well(t, (struct span){0});
}

/* ---- silence ---- */

void dialin_cmd_set_timer(struct agent_turn *t, int64_t delay_ms)
{
	loop_timer_set(t->dock->setup.loop, &t->timer, delay_ms);
}

void dialin_cmd_watch(struct agent_turn *t)
{
	if (t->conn->reports_ends || t->is_interrupted)
		return;
	dialin_cmd_count(t, true);
	dialin_cmd_set_timer(t, SILENCE_MS);
}
