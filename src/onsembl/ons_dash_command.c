/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_dash_command.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/stat.h"
#include "dialin/dialin_table.h"
#include "dialin/dialin_turn.h"
#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "ons/ons_order.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_answer.h"
#include "onsembl/ons_dash.h"
#include "onsembl/ons_frame.h"
#include "onsembl/ons_history.h"
#include "onsembl/ons_owner.h"
#include "onsembl/ons_uuid.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* What the users of tokens are to the policy: known, and no more. */
#define LEVEL "contact"

struct command {
	struct list link;
	struct ons_dash *dash; /* NULL: it is gone (leave_command()) */
	char *id;
	char *agent;
	char *message; /* that asks for it, until its receipt; NULL: none */
	struct session *session;
	struct attachment at;
	struct session_call *call; /* until its receipt */
	struct ons_frame_view view;
	struct ons_frames frames;
	int64_t began_ms;
	bool has_more;
	bool is_cancelled; /* before its receipt */
};

static void free_command(struct command *c)
{
	if (c->dash) {
		list_remove(&c->link);
		c->dash->n_commands--;
	}
	if (c->call)
		session_forget(&c->call);
	session_detach(&c->at);
	session_close(&c->session);
	ons_frames_fini(&c->frames);
	free(c->id);
	free(c->agent);
	free(c->message);
	free(c);
}

/*
 * A cancellation can be written only after the receipt: until then it outlives
 * its dashboard.
 */
static void leave_command(struct command *c)
{
	if (!c->is_cancelled || !c->call) {
		free_command(c);
		return;
	}
	list_remove(&c->link);
	c->dash->n_commands--;
	c->dash = NULL;
}

static struct command *find_command(struct ons_dash *d, struct span id)
{
	list_each(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (ons_is(id, c->id))
			return c;
	}
	return NULL;
}

/* ---- output ---- */

static void send_frames(struct wire *wire, const struct ons_frames *frames)
{
	size_t from = 0;
	for (size_t i = 0; i < frames->n; i++) {
		wire_send(
		    wire, frames->text.data + from, frames->end[i] - from);
		from = frames->end[i];
	}
}

/* Called inside session_read(). */
static bool take_event(const struct event *ev, void *arg)
{
	struct command *c = arg;
	c->view.hides_traces = !c->dash->wants.has_traces;
	ons_frame_put(&c->frames, &c->view, ev);
	send_frames(c->dash->wire, &c->frames);
	return !wire_is_full(c->dash->wire);
}

static void tell_gap(struct command *c)
{
	stat_add(onsembl_missed, c->at.n_missed);
	ons_frame_put_gap(
	    &c->frames, &c->view, c->at.n_missed, clock_wall_ms());
	send_frames(c->dash->wire, &c->frames);
}

static void read_command(struct command *c)
{
	enum session_read how;
	do {
		how = session_read(&c->at, take_event, c);
		if (how == READ_GONE)
			tell_gap(c);
	} while (how == READ_GONE);
	c->has_more = how == READ_STOPPED;
}

static bool is_over(const struct command *c)
{
	return c->view.state == ONS_FRAME_OVER && !c->call;
}

void ons_dash_command_pump(struct ons_dash *d)
{
	if (d->is_pumping || d->is_over)
		return;
	d->is_pumping = true;
	list_each_safe(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (wire_is_full(d->wire))
			break; /* on_drain goes on */
		if (c->has_more)
			read_command(c);
		if (is_over(c))
			free_command(c);
	}
	d->is_pumping = false;
}

static void on_more(void *arg)
{
	struct command *c = arg;
	c->has_more = true;
	ons_dash_command_pump(c->dash);
}

/* ---- beginning ---- */

/* What an agent on another machine should know of the command. */
static void put_options(
    struct buf *out, const struct ons_dash *d, const struct ons_request *q)
{
	buf_char(out, '{');
	ons_put_text(out, "commandId", q->command);
	ons_put_str(out, "priority", ons_priority_name(q->priority));
	ons_put_json(out, "args", q->args);
	ons_put_json(out, "env", q->env);
	ons_put_text(out, "workingDirectory", q->dir);
	ons_put_text(out, "type", q->kind);
	ons_put_json(out, "executionConstraints", q->constraints);
	ons_put_str(out, "dashboardId", d->id);
	ons_put_str(out, "userId", d->claims.user);
	buf_char(out, '}');
}

/* a NULL: its agent is not known. */
static struct command *add_command(struct ons_dash *d, struct span id,
    const struct ons_agent *a, struct session *s)
{
	struct command *c = mem_zero(sizeof *c);
	c->dash = d;
	c->id = mem_strndup(id.text, id.len);
	c->agent = mem_strdup(a ? a->id : "");
	c->session = s;
	c->began_ms = clock_mono_ms();
	c->view.command = span_cstr(c->id);
	c->view.agent = a ? span_cstr(c->agent) : (struct span){0};
	c->view.is_here = a && a->is_hosted;
	list_append(&d->commands, &c->link);
	d->n_commands++;
	return c;
}

static void refuse(struct ons_dash *d, const char *code, const char *message,
    struct span command, const char *reason)
{
	const struct ons_error error = {
	    .code = code,
	    .message = message,
	    .reason = reason,
	    .command = command,
	};
	ons_dash_tell_error(d, &error);
}

static void refuse_route(
    struct ons_dash *d, struct span command, const char *reason)
{
	refuse(d, "ROUTING_FAILED", "Failed to route command to agent", command,
	    reason);
}

static void refuse_reuse(struct ons_dash *d, struct span command)
{
	refuse_route(d, command,
	    "a command to another agent has this commandId: choose a new one");
}

/* Either may be a UUID. */
static bool is_same_agent(const char *a, const char *b)
{
	return ons_uuid_is(span_cstr(a), "agent", b) ||
	       ons_uuid_is(span_cstr(b), "agent", a);
}

/*
 * Sessions compare the texts of inputs with one id, but not their agents: other
 * doors repeat inputs without naming one.
 */
static bool was_for_another(const struct command *c)
{
	const char *name = session_id(c->session);
	struct session_record r;
	struct buf mem = {0};
	struct err err;
	bool is_another = false;
	if (session_look(c->dash->setup->sessions, name, strlen(name), &mem, &r,
		&err) == 0) {
		const char *agent = ons_history_agent(&r);
		is_another =
		    *agent ? !is_same_agent(c->agent, agent) : !c->view.is_here;
	}
	buf_fini(&mem);
	return is_another;
}

static void send_ack(
    struct ons_dash *d, struct span message, struct span command)
{
	struct buf out = {0};
	const struct ons_message m = {.id = message};
	ons_dash_begin_ack(&out, &m);
	ons_put_text(&out, "commandId", command);
	ons_end(&out);
	ons_dash_send(d, &out);
}

/* The events of the turn, from its first one. */
static void attach(struct command *c, const struct session_receipt *r)
{
	uint64_t began = session_turn_began(c->session);
	if (r->outcome == INPUT_STARTED && r->seq)
		began = r->seq;
	session_attach(c->session, &c->at, began ? began - 1 : 0, on_more, c);
}

static bool stop(struct command *c)
{
	struct err err;
	c->is_cancelled = c->call;
	return c->is_cancelled ||
	       session_interrupt(c->session, SESSION_STOP, &err) == 0;
}

static void on_late_receipt(struct command *c, const struct session_receipt *r)
{
	if (r->outcome != INPUT_REFUSED)
		(void)stop(c); /* it may be over */
	free_command(c);
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct command *c = arg;
	struct ons_dash *d = c->dash;
	c->call = NULL;
	if (!d) {
		on_late_receipt(c, r);
		return;
	}
	if (r->outcome == INPUT_REFUSED) {
		refuse_route(d, span_cstr(c->id), err_public_text(r->err));
		free_command(c);
		return;
	}
	if (r->outcome == INPUT_REPEATED && was_for_another(c)) {
		refuse_reuse(d, span_cstr(c->id));
		free_command(c);
		return;
	}
	send_ack(d, span_cstr(c->message), span_cstr(c->id));
	free(c->message);
	c->message = NULL;
	attach(c, r);
	if (c->is_cancelled)
		(void)stop(c); /* it may be over */
}

static struct session *open_session(
    struct ons_dash *d, struct span id, struct err *err)
{
	char name[ONS_OWNER_SIZE];
	enum session_status status;
	bool has_record;
	ons_owner_session(name, id);
	return session_open(d->setup->sessions, name, strlen(name), d->owner,
	    &status, &has_record, err);
}

static void submit(struct command *c, const struct ons_agent *a,
    const struct ons_message *m, const struct ons_request *q)
{
	const struct ons_dash *d = c->dash;
	struct buf name = {0}, options = {0};
	buf_printf(&name, DIALIN_PREFIX "%s", a->id);
	put_options(&options, d, q);
	const struct session_input in = {
	    .prompt = q->text.text,
	    .prompt_len = q->text.len,
	    .input_id = c->id,
	    .input_id_len = strlen(c->id),
	    .caller = d->owner,
	    .level = LEVEL,
	    .peer = d->wire->peer,
	    .peer_is_loopback = d->wire->peer_is_loopback,
	    .is_holder = true,
	    .agent = a->is_hosted ? NULL : buf_cstr(&name),
	    .options = options.data,
	    .options_len = options.len,
	};
	c->message = m->id.text ? mem_strndup(m->id.text, m->id.len) : NULL;
	console_input(
	    d->claims.user, session_id(c->session), q->text.text, q->text.len);
	c->call = session_input(c->session, &in, on_receipt, c);
	buf_fini(&name);
	buf_fini(&options);
}

/* ---- answers ---- */

/* A command that was an answer is over at once. */
static void tell_answered(struct ons_dash *d, const struct ons_message *m,
    struct span command, const char *agent)
{
	struct ons_frames frames = {0};
	struct ons_frame_view view = {
	    .command = command, .agent = span_cstr(agent)};
	const struct event ev = {
	    .type = EV_DONE, .time_us = clock_wall_us(), .body = ""};
	send_ack(d, m->id, command);
	ons_frame_put(&frames, &view, &ev);
	send_frames(d->wire, &frames);
	ons_frames_fini(&frames);
}

static bool is_answer(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q, struct span id, const char *agent)
{
	list_each(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (strcmp(c->agent, agent) != 0 ||
		    !ons_answer_give(c->session, q->text))
			continue;
		tell_answered(d, m, id, agent);
		return true;
	}
	return false;
}

/* An answer that comes too late must not become a command. */
static void answer_one(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q, struct span id, const char *agent)
{
	const struct command *c = find_command(d, q->answer_to);
	if (c && ons_answer_give(c->session, q->text))
		tell_answered(d, m, id, agent);
	else
		refuse_route(d, id,
		    "the command of answerTo does not wait for an answer");
}

/* ---- calls ---- */

static void begin_command(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q, struct span id, const struct ons_agent *a)
{
	struct err err;
	struct session *s = open_session(d, id, &err);
	if (s)
		submit(add_command(d, id, a, s), a, m, q);
	else if (err.code == ERR_NO_SESSION)
		refuse(d, "FORBIDDEN",
		    "This command belongs to another dashboard", id, NULL);
	else
		refuse_route(d, id, err_public_text(&err));
}

void ons_dash_command_run(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q, const struct ons_agent *a)
{
	char made[ONS_OWN_ID];
	struct span id = q->command;
	if (!id.text) {
		ons_dash_make_id(made, "cmd");
		id = span_cstr(made);
	}
	if (q->answer_to.text) {
		answer_one(d, m, q, id, a->id);
		return;
	}
	if (is_answer(d, m, q, id, a->id))
		return;
	const struct command *before = find_command(d, id);
	if (before && *before->agent && !is_same_agent(before->agent, a->id))
		refuse_reuse(d, id);
	else if (before)
		send_ack(d, m->id, id); /* it was sent again */
	else if (d->n_commands == ONS_DASH_COMMANDS_MAX)
		refuse_route(d, id,
		    "this dashboard has 1000 commands that have not ended");
	else
		begin_command(d, m, q, id, a);
}

bool ons_dash_command_repeat(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q)
{
	char name[ONS_OWNER_SIZE];
	struct buf id = {0};
	if (!q->command.text)
		return false;
	ons_owner_session(name, q->command);
	if (session_peek(d->setup->sessions, name, strlen(name), d->owner) ==
	    SESSION_NEW)
		return false;
	buf_append(&id, q->agent.text, q->agent.len);
	const struct ons_agent away = {.id = buf_cstr(&id)};
	ons_dash_command_run(d, m, q, &away);
	buf_fini(&id);
	return true;
}

bool ons_dash_command_take(struct ons_dash *d, struct span command)
{
	char name[ONS_OWNER_SIZE];
	struct err err;
	if (find_command(d, command))
		return true;
	ons_owner_session(name, command);
	if (d->n_commands == ONS_DASH_COMMANDS_MAX ||
	    session_peek(d->setup->sessions, name, strlen(name), d->owner) !=
		SESSION_RUNNING)
		return false;
	struct session *s = open_session(d, command, &err);
	if (!s)
		return false;
	struct command *c = add_command(d, command, NULL, s);
	session_attach(s, &c->at, session_head(s), on_more, c);
	return true;
}

bool ons_dash_command_cancel(struct ons_dash *d, struct span command)
{
	struct command *c = find_command(d, command);
	if (c)
		(void)stop(c); /* it may be over */
	return c;
}

unsigned ons_dash_command_cancel_all(struct ons_dash *d, const char *agent)
{
	unsigned n = 0;
	list_each(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (!agent || strcmp(c->agent, agent) == 0)
			n += stop(c);
	}
	return n;
}

void ons_dash_command_list(struct ons_dash *d)
{
	list_each(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		struct buf out = {0};
		bool is_running = c->view.state == ONS_FRAME_EXECUTING;
		ons_dash_begin(&out, ONS_COMMAND_STATUS);
		ons_put_text(&out, "commandId", c->view.command);
		ons_put_text(&out, "agentId", c->view.agent);
		ons_put_str(
		    &out, "status", is_running ? "EXECUTING" : "QUEUED");
		ons_put_int(&out, "timestamp", clock_wall_ms());
		ons_end(&out);
		ons_dash_send(d, &out);
	}
}

static void put_queued(struct buf *array, const struct command *c,
    const struct dialin_queued *queued, size_t position)
{
	struct buf one = {0};
	ons_put_text(&one, "commandId", c->view.command);
	ons_put_int(&one, "position", (int64_t)position);
	ons_put_str(&one, "priority",
	    ons_priority_name((enum ons_priority)queued->priority));
	buf_str(array, array->len > 1 ? ",{" : "{");
	buf_append(array, one.data, one.len);
	buf_char(array, '}');
	buf_fini(&one);
}

static const struct command *find_number(
    const struct ons_dash *d, uint64_t number)
{
	list_each(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (dialin_home(c->id, strlen(c->id)) == number)
			return c;
	}
	return NULL;
}

void ons_dash_command_put_queue(
    struct buf *out, const struct ons_dash *d, const struct dialin_queue *q)
{
	struct buf array = {0};
	buf_char(&array, '[');
	for (size_t i = 0; i < q->n && i < DIALIN_QUEUE_SHOWN; i++) {
		const struct command *c = find_number(d, q->first[i].command);
		if (c)
			put_queued(&array, c, &q->first[i], i + 1);
	}
	buf_char(&array, ']');
	ons_put_json(out, "queued", (struct span){array.data, array.len});
	buf_fini(&array);
}

void ons_dash_command_expire(struct ons_dash *d, int64_t now_ms)
{
	list_each_safe(it, &d->commands)
	{
		struct command *c = list_entry(it, struct command, link);
		if (now_ms - c->began_ms > ONS_COMMAND_TTL_MS)
			free_command(c);
	}
}

void ons_dash_command_forget(struct ons_dash *d)
{
	list_each_safe(it, &d->commands)
	    leave_command(list_entry(it, struct command, link));
}
