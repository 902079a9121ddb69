/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "ons/ons_order.h"

#define HEARTBEAT_MS 30000
#define CONTROL_TIMEOUT_MS 30000

static const char no_command[] =
    "needs commandId, a text of 1 to 200 bytes without control characters";
static const char no_agent[] = "needs agentId, the id of an agent";

static const char *const priorities[] = {
    [ONS_URGENT] = "urgent",
    [ONS_HIGH] = "high",
    [ONS_NORMAL] = "normal",
    [ONS_LOW] = "low",
};

static const char *const actions[] = {
    [ONS_STOP] = "STOP",
    [ONS_RESTART] = "RESTART",
    [ONS_PAUSE] = "PAUSE",
    [ONS_RESUME] = "RESUME",
};

const char *ons_priority_name(enum ons_priority priority)
{
	return priorities[priority];
}

const char *ons_action_name(enum ons_action action)
{
	return actions[action];
}

enum ons_priority ons_priority_of(
    struct ons_reader *r, const struct json *value)
{
	struct span word = {0};
	double d;
	if (json_double(value, &d))
		return d < 0	? ONS_URGENT
		       : d == 0 ? ONS_HIGH
		       : d <= 5 ? ONS_NORMAL
				: ONS_LOW;
	word.text = json_str(value, &r->text, &word.len);
	for (size_t i = 0; word.text && i < ONS_N_PRIORITIES; i++)
		if (span_is_like(word, priorities[i]))
			return (enum ons_priority)i;
	return ONS_NORMAL;
}

/* ---- the ACK of AGENT_CONNECT ---- */

void ons_read_welcome(
    struct ons_welcome *w, struct ons_reader *r, const struct ons_message *m)
{
	w->connection = ons_text(r, m->payload, "connectionId");
	w->agent = (struct span){0};
	if (ons_bool(m->payload, "authenticated", false))
		w->agent = ons_text(r, m->payload, "agentId");
	w->takes_events = ons_bool(m->payload, "events", false);
}

void ons_put_welcome(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_message *connect, const struct ons_welcome *w)
{
	ons_begin_ack(out, id, now_ms, connect);
	ons_put_text(out, "connectionId", w->connection);
	ons_put_text(out, "agentId", w->agent);
	ons_put_bool(out, "authenticated", true);
	if (w->takes_events)
		ons_put_bool(out, "events", true);
	ons_end(out);
}

/* ---- COMMAND_REQUEST ---- */

static struct span either(
    struct ons_reader *r, const struct json *p, const char *a, const char *b)
{
	struct span s = ons_text(r, p, a);
	return s.len ? s : ons_text(r, p, b);
}

static struct span arguments(const struct json *p)
{
	static const char *const keys[] = {"arguments", "args"};
	for (int i = 0; i < 2; i++) {
		const struct json *v = json_get(p, keys[i]);
		if ((json_is(v, JSON_ARRAY) || json_is(v, JSON_OBJECT)) &&
		    json_first(v))
			return ons_json(p, keys[i]);
	}
	return (struct span){0};
}

static struct span object(const struct json *p, const char *key)
{
	return json_is(json_get(p, key), JSON_OBJECT) ? ons_json(p, key)
						      : (struct span){0};
}

const char *ons_read_request(
    struct ons_request *q, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *p = m->payload;
	*q = (struct ons_request){
	    .command = ons_text(r, p, "commandId"),
	    .agent = ons_text(r, p, "agentId"),
	    .text = either(r, p, "command", "content"),
	    .args = arguments(p),
	    .env = object(p, "env"),
	    .dir = ons_text(r, p, "workingDirectory"),
	    .priority = ons_priority_of(r, json_get(p, "priority")),
	    .kind = ons_text(r, p, "type"),
	    .constraints = object(p, "executionConstraints"),
	    .time_limit_ms =
		ons_int(json_get(p, "executionConstraints"), "timeLimitMs", 0),
	    .dashboard = ons_text(r, p, "dashboardId"),
	    .user = ons_text(r, p, "userId"),
	    .answer_to = ons_text(r, p, "answerTo"),
	};
	const struct json *id = json_get(p, "commandId");
	bool is_named = id && !json_is(id, JSON_NULL);
	if (is_named && !ons_is_command_id(q->command))
		return "has a commandId that is no text of 1 to 200 bytes "
		       "without control characters";
	if (q->time_limit_ms < 0)
		return "has a negative timeLimitMs";
	return q->text.len ? NULL : "needs command or content, a text";
}

static void put_or(
    struct buf *out, const char *key, struct span json, const char *otherwise)
{
	ons_put_json(out, key,
	    json.text ? json : (struct span){otherwise, strlen(otherwise)});
}

void ons_put_request(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_request *q)
{
	ons_begin(out, ONS_COMMAND_REQUEST, id, now_ms);
	ons_put_text(out, "commandId", q->command);
	ons_put_text(out, "agentId", q->agent);
	/* Some agents read one name, some the other. */
	ons_put_text(out, "command", q->text);
	ons_put_text(out, "content", q->text);
	put_or(out, "arguments", q->args, "[]");
	put_or(out, "args", q->args, "[]");
	ons_put_str(out, "priority", priorities[q->priority]);
	ons_put_text(
	    out, "type", q->kind.len ? q->kind : (struct span){"NATURAL", 7});
	put_or(out, "env", q->env, "{}");
	if (q->dir.text)
		ons_put_text(out, "workingDirectory", q->dir);
	else
		put_or(out, "workingDirectory", (struct span){0}, "null");
	put_or(out, "executionConstraints", q->constraints,
	    "{\"timeLimitMs\":300000,\"maxRetries\":1}");
	ons_put_text(out, "dashboardId", q->dashboard);
	ons_put_text(out, "userId", q->user);
	ons_end(out);
}

/* ---- COMMAND_CANCEL ---- */

const char *ons_read_cancel(
    struct ons_cancel *c, struct ons_reader *r, const struct ons_message *m)
{
	*c = (struct ons_cancel){
	    .command = ons_text(r, m->payload, "commandId"),
	    .agent = ons_text(r, m->payload, "agentId"),
	    .reason = ons_text(r, m->payload, "reason"),
	    .is_forced = ons_bool(m->payload, "force", false),
	};
	return ons_is_command_id(c->command) ? NULL : no_command;
}

void ons_put_cancel(
    struct buf *out, struct span id, int64_t now_ms, const struct ons_cancel *c)
{
	ons_begin(out, ONS_COMMAND_CANCEL, id, now_ms);
	ons_put_text(out, "commandId", c->command);
	ons_put_text(out, "agentId", c->agent);
	ons_put_text(out, "reason", c->reason);
	ons_put_bool(out, "force", c->is_forced);
	ons_end(out);
}

/* ---- AGENT_CONTROL ---- */

const char *ons_read_control(
    struct ons_control *c, struct ons_reader *r, const struct ons_message *m)
{
	struct span word = ons_text(r, m->payload, "action");
	*c = (struct ons_control){
	    .agent = ons_text(r, m->payload, "agentId"),
	    .reason = ons_text(r, m->payload, "reason"),
	    .is_graceful = ons_bool(m->payload, "gracefulShutdown", false),
	    .timeout_ms = ons_int(m->payload, "timeout", CONTROL_TIMEOUT_MS),
	};
	for (size_t i = 0; word.text && i < sizeof actions / sizeof actions[0];
	     i++) {
		if (!span_is_like(word, actions[i]))
			continue;
		c->action = (enum ons_action)i;
		return c->agent.text && !ons_is_agent_id(c->agent) ? no_agent
								   : NULL;
	}
	return "needs action: STOP, RESTART, PAUSE or RESUME";
}

void ons_put_control(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_control *c)
{
	ons_begin(out, ONS_AGENT_CONTROL, id, now_ms);
	ons_put_text(out, "agentId", c->agent);
	ons_put_str(out, "action", actions[c->action]);
	ons_put_text(out, "reason", c->reason);
	ons_put_bool(out, "gracefulShutdown", c->action == ONS_STOP);
	ons_put_int(out, "timeout", CONTROL_TIMEOUT_MS);
	ons_end(out);
}

/* ---- EMERGENCY_STOP ---- */

void ons_read_stop(
    struct ons_stop *s, struct ons_reader *r, const struct ons_message *m)
{
	*s = (struct ons_stop){
	    .by = ons_text(r, m->payload, "triggeredBy"),
	    .reason = ons_text(r, m->payload, "reason"),
	    .n_agents = ons_int(m->payload, "agentsStopped", 0),
	    .n_commands = ons_int(m->payload, "commandsCancelled", 0),
	};
}

void ons_put_stop(
    struct buf *out, struct span id, int64_t now_ms, const struct ons_stop *s)
{
	ons_begin(out, ONS_EMERGENCY_STOP, id, now_ms);
	ons_put_text(out, "triggeredBy", s->by);
	ons_put_text(out, "reason", s->reason);
	ons_put_int(out, "agentsStopped", s->n_agents);
	ons_put_int(out, "commandsCancelled", s->n_commands);
	ons_put_int(out, "timestamp", now_ms);
	ons_end(out);
}

/* ---- AGENT_STIMULUS ---- */

const char *ons_read_stimulus(
    struct ons_stimulus *s, struct ons_reader *r, const struct ons_message *m)
{
	const struct json *v = json_get(m->payload, "stimulus");
	s->command = ons_text(r, m->payload, "commandId");
	s->stimulus = ons_json(m->payload, "stimulus");
	s->asked = ons_int(m->payload, "asked", 0);
	if (!ons_is_command_id(s->command))
		return no_command;
	return json_is(v, JSON_OBJECT) &&
		       json_is(json_get(v, "type"), JSON_STRING)
		   ? NULL
		   : "needs stimulus, an object with a type";
}

void ons_put_stimulus(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_stimulus *s)
{
	ons_begin(out, ONS_AGENT_STIMULUS, id, now_ms);
	ons_put_text(out, "commandId", s->command);
	ons_put_json(out, "stimulus", s->stimulus);
	if (s->asked)
		ons_put_int(out, "asked", s->asked);
	ons_end(out);
}

/* ---- SERVER_HEARTBEAT, TOKEN_REFRESH ---- */

void ons_put_server_heartbeat(struct buf *out, struct span id, int64_t now_ms)
{
	ons_begin(out, ONS_SERVER_HEARTBEAT, id, now_ms);
	ons_put_int(out, "serverTime", now_ms);
	ons_put_int(out, "nextPingExpected", now_ms + HEARTBEAT_MS);
	ons_end(out);
}

const char *ons_read_refresh(
    struct ons_refresh *f, struct ons_reader *r, const struct ons_message *m)
{
	f->access = ons_text(r, m->payload, "accessToken");
	f->refresh = ons_text(r, m->payload, "refreshToken");
	f->expires_s = ons_int(m->payload, "expiresIn", 0);
	return f->access.len ? NULL : "needs accessToken, a text";
}

void ons_put_refresh(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_refresh *f)
{
	ons_begin(out, ONS_TOKEN_REFRESH, id, now_ms);
	ons_put_text(out, "accessToken", f->access);
	ons_put_text(out, "refreshToken", f->refresh);
	ons_put_int(out, "expiresIn", f->expires_s);
	ons_end(out);
}
