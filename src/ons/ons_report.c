/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "ons/ons_report.h"

#include "base/num.h"
#include "ons/ons_ansi.h"

#include <math.h>

static const char no_command[] =
    "needs commandId, a text of 1 to 200 bytes without control characters";

static const char *const states[] = {
    [ONS_RECEIVED] = "RECEIVED",
    [ONS_QUEUED] = "QUEUED",
    [ONS_EXECUTING] = "EXECUTING",
    [ONS_COMPLETED] = "COMPLETED",
    [ONS_FAILED] = "FAILED",
    [ONS_CANCELLED] = "CANCELLED",
};

const char *ons_state_name(enum ons_state state)
{
	return states[state];
}

/* Whether a word is one of the states from..to; *state is it then. */
static bool read_state(enum ons_state *state, struct span word,
    enum ons_state from, enum ons_state to)
{
	for (enum ons_state s = from; s <= to; s++) {
		if (!span_is_like(word, states[s]))
			continue;
		*state = s;
		return true;
	}
	return false;
}

static const char *read_command(
    struct span *command, struct ons_reader *r, const struct ons_message *m)
{
	*command = ons_text(r, m->payload, "commandId");
	return ons_is_command_id(*command) ? NULL : no_command;
}

/* Begin a message whose payload names the agent and, if present, a command. */
static void begin(struct buf *out, enum ons_type type, struct span id,
    int64_t now_ms, struct span agent, struct span command)
{
	ons_begin(out, type, id, now_ms);
	ons_put_text(out, "commandId", command);
	ons_put_text(out, "agentId", agent);
}

/* ---- AGENT_CONNECT ---- */

static struct span json_of(
    const struct json *object, const char *key, enum json_type type)
{
	return json_is(json_get(object, key), type) ? ons_json(object, key)
						    : (struct span){0};
}

const char *ons_read_connect(
    struct ons_connect *c, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *p = m->payload;
	*c = (struct ons_connect){
	    .agent = ons_text(r, p, "agentId"),
	    .name = ons_text(r, p, "name"),
	    .type = ons_text(r, p, "agentType"),
	    .version = ons_text(r, p, "version"),
	    .host = ons_text(r, p, "hostMachine"),
	    .capabilities = json_of(p, "capabilities", JSON_OBJECT),
	    .token = ons_text(r, p, "token"),
	    .active = json_of(p, "activeCommands", JSON_ARRAY),
	};
	if (!c->capabilities.text)
		c->capabilities = json_of(p, "capabilities", JSON_ARRAY);
	return ons_is_agent_id(c->agent)
		   ? NULL
		   : "needs agentId, 1 to 200 letters, digits, dots, colons, "
		     "hyphens and underscores";
}

void ons_put_connect(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_connect *c)
{
	ons_begin(out, ONS_AGENT_CONNECT, id, now_ms);
	ons_put_text(out, "agentId", c->agent);
	ons_put_text(out, "name", c->name);
	ons_put_text(out, "agentType", c->type);
	ons_put_text(out, "version", c->version);
	ons_put_text(out, "hostMachine", c->host);
	ons_put_json(out, "capabilities", c->capabilities);
	ons_put_json(out, "activeCommands", c->active);
	ons_put_text(out, "token", c->token);
	ons_end(out);
}

/* ---- AGENT_HEARTBEAT ---- */

static double number(const struct json *object, const char *key)
{
	double d;
	return json_double(json_get(object, key), &d) && isfinite(d) ? d : 0;
}

void ons_read_health(struct ons_health *h, const struct ons_message *m)
{
	const struct json *v = json_get(m->payload, "healthMetrics");
	*h = (struct ons_health){
	    .is_there = json_is(v, JSON_OBJECT),
	    .cpu = number(v, "cpuUsage"),
	    .memory_mb = number(v, "memoryUsage"),
	    .uptime_s = ons_int(v, "uptime", 0),
	    .n_commands = ons_int(v, "commandsProcessed", 0),
	    .response_ms = number(v, "averageResponseTime"),
	};
}

/* A whole number is written without a fraction, as JavaScript does. */
static void put_number(struct buf *out, const char *key, double d)
{
	char text[NUM_SIZE];
	size_t len = num_repr(text, d);
	if (len > 2 && memcmp(text + len - 2, ".0", 2) == 0)
		len -= 2;
	ons_put_json(out, key, (struct span){text, len});
}

void ons_put_health(struct buf *out, const struct ons_health *h)
{
	put_number(out, "cpuUsage", h->cpu);
	put_number(out, "memoryUsage", h->memory_mb);
	ons_put_int(out, "uptime", h->uptime_s);
	ons_put_int(out, "commandsProcessed", h->n_commands);
	put_number(out, "averageResponseTime", h->response_ms);
}

void ons_put_heartbeat(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_health *h)
{
	begin(out, ONS_AGENT_HEARTBEAT, id, now_ms, agent, (struct span){0});
	if (h->is_there) {
		ons_begin_object(out, "healthMetrics");
		ons_put_health(out, h);
		ons_end_object(out);
	}
	ons_end(out);
}

/* ---- COMMAND_ACK ---- */

const char *ons_read_command_ack(struct ons_command_ack *a,
    struct ons_reader *r, const struct ons_message *m)
{
	const char *fault = read_command(&a->command, r, m);
	if (fault)
		return fault;
	a->position = ons_int(m->payload, "queuePosition", 0);
	return read_state(&a->state, ons_text(r, m->payload, "status"),
		   ONS_RECEIVED, ONS_EXECUTING)
		   ? NULL
		   : "needs status: RECEIVED, QUEUED or EXECUTING";
}

void ons_put_command_ack(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_command_ack *a)
{
	begin(out, ONS_COMMAND_ACK, id, now_ms, agent, a->command);
	ons_put_str(out, "status", states[a->state]);
	if (a->position > 0)
		ons_put_int(out, "queuePosition", a->position);
	ons_end(out);
}

/* ---- TERMINAL_OUTPUT ---- */

/* Only a number without a fraction can be told from the next one. */
static bool read_sequence(int64_t *out, const struct json *payload)
{
	const struct json *v = json_get(payload, "sequence");
	double d;
	*out = 0;
	if (!v || json_is(v, JSON_NULL))
		return true;
	*out = ons_int(payload, "sequence", -1);
	return *out >= 0 && (!json_double(v, &d) || d == floor(d));
}

const char *ons_read_output(
    struct ons_output *o, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *p = m->payload;
	const char *fault = read_command(&o->command, r, m);
	if (fault)
		return fault;
	o->content = ons_text(r, p, "content");
	o->ansi = ons_text(r, p, "ansiCodes");
	o->is_stderr = span_is_like(ons_text(r, p, "streamType"), "STDERR");
	o->is_blank = ons_bool(p, "isBlank", false);
	if (!o->content.text)
		return "needs content, a text";
	return read_sequence(&o->sequence, p)
		   ? NULL
		   : "has a sequence that is no whole number from 0";
}

void ons_put_output(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_output *o)
{
	begin(out, ONS_TERMINAL_OUTPUT, id, now_ms, agent, o->command);
	ons_put_text(out, "content", o->content);
	ons_put_str(out, "streamType", o->is_stderr ? "STDERR" : "STDOUT");
	ons_put_int(out, "sequence", o->sequence);
	ons_put_text(out, "ansiCodes", o->ansi);
	if (o->is_blank)
		ons_put_bool(out, "isBlank", true);
	ons_end(out);
}

struct span ons_output_text(const struct ons_output *o)
{
	return o->ansi.len && ons_ansi_is(o->ansi, o->content) ? o->ansi
							       : o->content;
}

/* ---- COMMAND_COMPLETE ---- */

const char *ons_read_complete(
    struct ons_complete *c, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *p = m->payload;
	const char *fault = read_command(&c->command, r, m);
	if (fault)
		return fault;
	c->has_exit_code = json_is(json_get(p, "exitCode"), JSON_NUMBER);
	c->exit_code = ons_int(p, "exitCode", 0);
	c->duration_ms =
	    ons_int(p, "duration", ons_int(p, "executionTime", -1));
	c->tokens = ons_int(p, "tokensUsed", -1);
	c->error = ons_text(r, p, "error");
	c->result = ons_text(r, p, "result");
	if (!read_state(&c->state, ons_text(r, p, "status"), ONS_COMPLETED,
		ONS_CANCELLED))
		return "needs status: COMPLETED, FAILED or CANCELLED";
	if (c->state == ONS_COMPLETED && c->error.len)
		c->state = ONS_FAILED;
	return NULL;
}

void ons_put_complete(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_complete *c)
{
	begin(out, ONS_COMMAND_COMPLETE, id, now_ms, agent, c->command);
	ons_put_str(out, "status", states[c->state]);
	if (c->has_exit_code)
		ons_put_int(out, "exitCode", c->exit_code);
	if (c->duration_ms >= 0) {
		ons_put_int(out, "duration", c->duration_ms);
		ons_put_int(out, "executionTime", c->duration_ms);
	}
	if (c->tokens >= 0)
		ons_put_int(out, "tokensUsed", c->tokens);
	ons_put_text(out, "error", c->error);
	ons_put_text(out, "result", c->result);
	ons_end(out);
}

/* ---- TRACE_EVENT, INVESTIGATION_REPORT ---- */

const char *ons_read_document(
    struct ons_document *d, struct ons_reader *r, const struct ons_message *m)
{
	bool is_trace = m->type == ONS_TRACE_EVENT;
	const char *fault = read_command(&d->command, r, m);
	if (fault)
		return fault;
	d->name = ons_text(r, m->payload, is_trace ? "traceId" : "reportId");
	d->payload.text = json_text(m->payload, &d->payload.len);
	if (ons_is_command_id(d->name))
		return NULL;
	return is_trace ? "needs traceId, a text of 1 to 200 bytes"
			: "needs reportId, a text of 1 to 200 bytes";
}

void ons_put_document(struct buf *out, enum ons_type type, struct span id,
    int64_t now_ms, const struct ons_document *d)
{
	buf_char(out, '{');
	ons_put_str(out, "type", ons_type_name(type));
	ons_put_text(out, "id", id);
	ons_put_int(out, "timestamp", now_ms);
	ons_put_json(out, "payload", d->payload);
	ons_end_object(out);
}

/* ---- AGENT_ERROR ---- */

const char *ons_read_failure(
    struct ons_failure *f, struct ons_reader *r, const struct ons_message *m)
{
	f->kind = ons_text(r, m->payload, "errorType");
	f->message = ons_text(r, m->payload, "message");
	f->is_recoverable = ons_bool(m->payload, "recoverable", true);
	return f->message.text ? NULL : "needs message, a text";
}

void ons_put_failure(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_failure *f)
{
	begin(out, ONS_AGENT_ERROR, id, now_ms, agent, (struct span){0});
	ons_put_text(out, "errorType", f->kind);
	ons_put_text(out, "message", f->message);
	ons_put_bool(out, "recoverable", f->is_recoverable);
	ons_end(out);
}

/* ---- AGENT_EVENT ---- */

const char *ons_read_event(
    struct ons_event *e, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *event = json_get(m->payload, "event");
	const char *fault = read_command(&e->command, r, m);
	if (fault)
		return fault;
	e->sequence = ons_int(m->payload, "sequence", 0);
	e->event = ons_json(m->payload, "event");
	if (!json_is(event, JSON_OBJECT) ||
	    !json_is(json_get(event, "type"), JSON_STRING))
		return "needs event, an object with a type";
	return e->sequence > 0 ? NULL : "needs sequence, a number from 1";
}

void ons_put_event(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_event *e)
{
	begin(out, ONS_AGENT_EVENT, id, now_ms, agent, e->command);
	ons_put_int(out, "sequence", e->sequence);
	ons_put_json(out, "event", e->event);
	ons_end(out);
}
