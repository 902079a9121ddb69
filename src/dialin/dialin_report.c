/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_report.h"

#include "core/stat.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_monitor.h"
#include "dialin/dialin_said.h"

static void send_and_free(struct dialin_conn *c, struct buf *out)
{
	dialin_send(c, out);
	buf_fini(out);
}

/* A message about a command: to its turn, or if it has none, only answered. */
static struct agent_turn *turn_for(struct dialin_conn *c, struct span command)
{
	struct agent_turn *t = dialin_said_of(c, command);
	if (!t)
		stat_add(output_unclaimed, 1);
	return t;
}

/*
 * Output without a turn. What the agent wrote by itself is named after the
 * agent. An agent that never reports ends names everything after its latest
 * command, also when that is over here; of all others, this came before.
 */
static void monitor(struct dialin_conn *c, const struct ons_output *o)
{
	bool is_own = ons_is(o->command, c->id);
	const struct dialin_piece p = {
	    .id = c->id,
	    .user = c->user,
	    .org = c->org,
	    .text = ons_output_text(o),
	    .sequence = o->sequence,
	    .is_stderr = o->is_stderr,
	    .is_private = !is_own,
	};
	if (!is_own && (c->reports_ends || c->tells_active)) {
		stat_add(output_unclaimed, 1);
		return;
	}
	dialin_monitor_add(c->dock->monitor, &p);
	stat_add(output_monitored, 1);
}

static const char *on_command_ack(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_command_ack a;
	struct buf ack = {0};
	const char *why = ons_read_command_ack(&a, r, m);
	if (why)
		return why;
	struct agent_turn *t = turn_for(c, a.command);
	dialin_begin_ack(&ack, m);
	ons_put_text(&ack, "commandId", a.command);
	ons_put_bool(&ack, "acknowledged", true);
	ons_end(&ack);
	c->reports_ends = true;
	if (t)
		dialin_said_ack(t, &a, &ack);
	else
		send_and_free(c, &ack);
	return NULL;
}

static const char *on_output(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_output o;
	struct buf ack = {0};
	const char *why = ons_read_output(&o, r, m);
	if (why)
		return why;
	struct agent_turn *t = dialin_said_of(c, o.command);
	dialin_begin_ack(&ack, m);
	ons_put_int(&ack, "sequence", o.sequence);
	ons_put_bool(&ack, "received", true);
	ons_end(&ack);
	if (t) {
		dialin_said_output(t, &o, &ack);
		return NULL;
	}
	monitor(c, &o);
	send_and_free(c, &ack);
	return NULL;
}

static const char *on_complete(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_complete end;
	struct buf ack = {0};
	const char *why = ons_read_complete(&end, r, m);
	if (why)
		return why;
	struct agent_turn *t = turn_for(c, end.command);
	dialin_begin_ack(&ack, m);
	ons_put_text(&ack, "commandId", end.command);
	ons_put_bool(&ack, "completed", true);
	ons_end(&ack);
	c->reports_ends = true;
	if (t)
		dialin_said_complete(t, &end, &ack);
	else
		send_and_free(c, &ack);
	return NULL;
}

static const char *on_document(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	bool is_trace = m->type == ONS_TRACE_EVENT;
	struct ons_document d;
	struct buf ack = {0};
	const char *why = ons_read_document(&d, r, m);
	if (why)
		return why;
	struct agent_turn *t = turn_for(c, d.command);
	dialin_begin_ack(&ack, m);
	ons_put_text(&ack, is_trace ? "traceId" : "reportId", d.name);
	ons_put_bool(&ack, "received", true);
	ons_end(&ack);
	if (t)
		dialin_said_document(t, is_trace, &d, &ack);
	else
		send_and_free(c, &ack);
	return NULL;
}

static const char *on_event(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_event e;
	struct buf ack = {0};
	const char *why = ons_read_event(&e, r, m);
	if (why)
		return why;
	struct agent_turn *t = turn_for(c, e.command);
	dialin_begin_ack(&ack, m);
	ons_put_int(&ack, "sequence", e.sequence);
	ons_put_bool(&ack, "received", true);
	ons_end(&ack);
	if (t)
		dialin_said_event(t, &e, &ack);
	else
		send_and_free(c, &ack);
	return NULL;
}

const char *dialin_report(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m)
{
	if (m->type == ONS_COMMAND_ACK)
		return on_command_ack(c, r, m);
	if (m->type == ONS_TERMINAL_OUTPUT)
		return on_output(c, r, m);
	if (m->type == ONS_COMMAND_COMPLETE)
		return on_complete(c, r, m);
	if (m->type == ONS_AGENT_EVENT)
		return on_event(c, r, m);
	return on_document(c, r, m);
}
