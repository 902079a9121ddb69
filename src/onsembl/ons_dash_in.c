/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_dash_in.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/door.h"
#include "net/wire.h"
#include "ons/ons_order.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_dash.h"
#include "onsembl/ons_dash_command.h"
#include "onsembl/ons_stop.h"
#include "onsembl/ons_uuid.h"

#include <stdio.h>
#include <string.h>

/* ---- who it is ---- */

static void refuse_token(
    struct ons_dash *d, const struct err *err, bool has_token)
{
	const struct ons_error error = {
	    .code = "UNAUTHORIZED",
	    .message = ons_token_refusal(err, has_token),
	    .reason = has_token ? err->text : NULL,
	};
	stat_add(onsembl_refused, 1);
	ons_dash_tell_error(d, &error);
}

void ons_dash_in_token(struct ons_dash *d, const char *token, size_t len)
{
	struct ons_claims claims;
	struct err err;
	d->has_token = token;
	if (ons_token_verify(d->keys, token, len, &claims, &err) != 0) {
		/* It is told when it asks, and may show another. */
		d->refusal = mem_strdup(err.text);
		return;
	}
	ons_wants_all(&d->wants);
	ons_dash_admit(d, &claims);
	ons_dash_list_agents(d);
}

/* A token in the message counts, and replaces that of the upgrade. */
static bool take_token(struct ons_dash *d, const struct ons_message *m)
{
	struct ons_claims claims;
	struct err err;
	struct span token = ons_text(&d->reader, m->payload, "token");
	if (!token.text && d->is_known)
		return true;
	if (ons_token_verify(d->keys, token.text, token.len, &claims, &err) !=
	    0) {
		if (!token.text && d->refusal)
			(void)err_set(&err, err.code, "%s", d->refusal);
		refuse_token(d, &err, token.text || d->has_token);
		return false;
	}
	if (d->is_known && strcmp(claims.user, d->claims.user) != 0) {
		(void)err_set(&err, ERR_UNAUTHORIZED,
		    "the token is of another user than the one before");
		refuse_token(d, &err, true);
		return false;
	}
	ons_dash_admit(d, &claims);
	return true;
}

static void on_init(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	struct err err;
	struct span user = ons_text(&d->reader, m->payload, "userId");
	if (!take_token(d, m))
		return;
	if (user.text && !ons_uuid_is(user, "user", d->claims.user)) {
		(void)err_set(&err, ERR_UNAUTHORIZED,
		    "userId is not the user of the token");
		refuse_token(d, &err, true);
		return;
	}
	if (!ons_wants_read(&d->wants, json_get(m->payload, "subscriptions"))) {
		ons_dash_error(d, "INIT_FAILED",
		    "Dashboard initialization failed: subscriptions have up to "
		    "256 ids of 1 to 200 bytes");
		return;
	}
	ons_dash_list_agents(d);
	ons_dash_command_list(d);
	ons_dash_begin_ack(&out, m);
	ons_put_str(&out, "connectionId", d->id);
	ons_wants_put(&out, &d->wants);
	ons_end(&out);
	ons_dash_send(d, &out);
}

static void on_refresh(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	struct ons_refresh f;
	struct ons_claims claims;
	struct err err;
	if (ons_read_refresh(&f, &d->reader, m)) {
		ons_dash_error(d, "INVALID_MESSAGE", "Invalid message format");
		return;
	}
	int rc = ons_token_verify(
	    d->keys, f.access.text, f.access.len, &claims, &err);
	if (rc == 0 && strcmp(claims.user, d->claims.user) != 0)
		rc = err_set(
		    &err, ERR_UNAUTHORIZED, "the token is of another user");
	if (rc != 0) {
		refuse_token(d, &err, true);
		return;
	}
	ons_dash_admit(d, &claims);
	ons_dash_begin_ack(&out, m);
	ons_end(&out);
	ons_dash_send(d, &out);
}

/* ---- subscriptions ---- */

struct status_of {
	struct ons_dash *dash;
	struct span id;
};

static void tell_if_it_is(const struct ons_agent *a, void *arg)
{
	struct status_of *s = arg;
	if (ons_agent_is(a, s->id) && ons_dash_watches(s->dash, a))
		ons_dash_tell_status(s->dash, a);
}

static void subscribe(
    struct ons_dash *d, const struct ons_message *m, bool is_wanted)
{
	struct buf out = {0};
	struct span type = ons_text(&d->reader, m->payload, "type");
	struct span id = ons_text(&d->reader, m->payload, "id");
	bool is_all = ons_bool(m->payload, "all", false);
	struct status_of status = {d, id};
	if (!ons_wants_change(&d->wants, type, id, is_all, is_wanted)) {
		ons_dash_error(d,
		    is_wanted ? "SUBSCRIPTION_FAILED" : "UNSUBSCRIPTION_FAILED",
		    is_wanted ? "Failed to add subscription: it needs a type "
				"(agent, command, trace, terminal) and an id, "
				"or all; at most 256 ids"
			      : "Failed to remove subscription: it needs a "
				"type (agent, command, trace, terminal) and "
				"an id, or all");
		return;
	}
	if (is_wanted && ons_is(type, "agent"))
		ons_agents_each(d->setup, tell_if_it_is, &status);
	if (is_wanted && ons_is(type, "command") && id.text)
		(void)ons_dash_command_take(d, id); /* there may be none */
	ons_dash_begin_ack(&out, m);
	ons_begin_object(&out, is_wanted ? "subscription" : "unsubscription");
	ons_put_text(&out, "type", type);
	ons_put_text(&out, "id", id);
	ons_put_bool(&out, "all", is_all);
	ons_end_object(&out);
	ons_wants_put(&out, &d->wants);
	ons_end(&out);
	ons_dash_send(d, &out);
}

static void on_subscribe(struct ons_dash *d, const struct ons_message *m)
{
	subscribe(d, m, true);
}

static void on_unsubscribe(struct ons_dash *d, const struct ons_message *m)
{
	subscribe(d, m, false);
}

/* ---- commands ---- */

/* Looks for an agent, and does something with it while it is there. */
struct search {
	struct ons_dash *dash;
	const struct ons_message *message;
	struct span id;
	const struct ons_request *request;
	bool is_found;
	bool is_hosted;
	char agent[ONS_MAX_ID + 1]; /* its own id */
};

static void run_if_it_is(const struct ons_agent *a, void *arg)
{
	struct search *s = arg;
	if (s->is_found || !ons_agent_is(a, s->id) ||
	    !ons_agent_is_seen(a, s->dash->keys, &s->dash->claims))
		return;
	s->is_found = ons_agent_is_there(a);
	if (s->is_found)
		ons_dash_command_run(s->dash, s->message, s->request, a);
}

static void refuse(struct ons_dash *d, const char *code, const char *message,
    struct span command, struct span agent, const char *reason)
{
	const struct ons_error error = {
	    .code = code,
	    .message = message,
	    .reason = reason,
	    .command = command,
	    .agent = agent,
	};
	ons_dash_tell_error(d, &error);
}

static void on_request(struct ons_dash *d, const struct ons_message *m)
{
	struct ons_request q;
	const char *fault = ons_read_request(&q, &d->reader, m);
	struct search s = {
	    .dash = d, .message = m, .id = q.agent, .request = &q};
	if (fault || !q.agent.text) {
		refuse(d, "INVALID_MESSAGE", "Invalid message format",
		    q.command, q.agent, fault ? fault : "needs agentId");
		return;
	}
	ons_agents_each(d->setup, run_if_it_is, &s);
	if (!s.is_found && !ons_dash_command_repeat(d, m, &q))
		refuse(d, "ROUTING_FAILED", "Failed to route command to agent",
		    q.command, q.agent, "no such agent is connected");
}

static void on_cancel(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	struct ons_cancel c;
	const char *fault = ons_read_cancel(&c, &d->reader, m);
	const struct span none = {0};
	if (fault) {
		refuse(d, "INVALID_MESSAGE", "Invalid message format",
		    c.command, none, fault);
		return;
	}
	if (!ons_dash_command_cancel(d, c.command)) {
		ons_dash_error(d, "FORBIDDEN",
		    "Cannot cancel command from another dashboard");
		return;
	}
	ons_dash_begin_ack(&out, m);
	ons_put_text(&out, "commandId", c.command);
	ons_end(&out);
	ons_dash_send(d, &out);
}

static void find_if_it_is(const struct ons_agent *a, void *arg)
{
	struct search *s = arg;
	if (ons_agent_is(a, s->id) &&
	    ons_agent_is_seen(a, s->dash->keys, &s->dash->claims)) {
		s->is_found = true;
		s->is_hosted = a->is_hosted;
		strncpy(s->agent, a->id, ONS_MAX_ID);
	}
}

/* The hosted agent can do no more than stop this dashboard's commands. */
static bool control(struct search *s, const struct ons_control *c)
{
	if (!s->is_hosted)
		return ons_agent_control(
		    s->dash->setup, s->agent, c->action, s->dash->claims.user);
	if (c->action != ONS_STOP)
		return false;
	(void)ons_dash_command_cancel_all(s->dash, s->agent);
	return true;
}

static void on_control(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	struct ons_control c;
	const struct span none = {0};
	const char *fault = ons_read_control(&c, &d->reader, m);
	struct search s = {.dash = d, .message = m, .id = c.agent};
	if (fault || !c.agent.text) {
		refuse(d, "INVALID_MESSAGE", "Invalid message format", none,
		    none, fault ? fault : "needs agentId");
		return;
	}
	ons_agents_each(d->setup, find_if_it_is, &s);
	if (!s.is_found || !control(&s, &c)) {
		refuse(d, "ROUTING_FAILED",
		    "Failed to route control command to agent", none, c.agent,
		    s.is_hosted ? "this agent can only be stopped"
				: "no such agent is connected, or it has not "
				  "yet taken what was sent before");
		return;
	}
	ons_dash_begin_ack(&out, m);
	ons_put_text(&out, "agentId", c.agent);
	ons_put_str(&out, "action", ons_action_name(c.action));
	ons_end(&out);
	ons_dash_send(d, &out);
}

static void on_stop(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	const struct ons_stopper by = {
	    .setup = d->setup,
	    .keys = d->keys,
	    .claims = &d->claims,
	    .dashboard = d->id,
	    .reason = ons_text(&d->reader, m->payload, "reason"),
	};
	(void)ons_stop_all(&by);
	(void)ons_dash_command_cancel_all(d, NULL);
	ons_dash_begin_ack(&out, m);
	ons_end(&out);
	ons_dash_send(d, &out);
}

/* ---- the heartbeat ---- */

static void on_ping(struct ons_dash *d, const struct ons_message *m)
{
	struct buf out = {0};
	char id[ONS_OWN_ID];
	struct ons_ping ping;
	ons_read_ping(&ping, m);
	ons_dash_make_id(id, "msg");
	ons_put_pong(
	    &out, (struct span){id, strlen(id)}, clock_wall_ms(), &ping);
	ons_dash_send(d, &out);
}

static void on_pong(struct ons_dash *d, const struct ons_message *m)
{
	(void)d; /* that it came is enough */
	(void)m;
}

/* ---- all of them ---- */

struct handler {
	enum ons_type type;
	void (*take)(struct ons_dash *d, const struct ons_message *m);
	const char *unknown; /* to one without a token; NULL: it may */
};

static const struct handler handlers[] = {
    {ONS_DASHBOARD_INIT, on_init, NULL},
    {ONS_DASHBOARD_SUBSCRIBE, on_subscribe, "Must be authenticated first"},
    {ONS_DASHBOARD_UNSUBSCRIBE, on_unsubscribe, "Must be authenticated first"},
    {ONS_COMMAND_REQUEST, on_request, "Must be authenticated to send commands"},
    {ONS_COMMAND_CANCEL, on_cancel, "Must be authenticated to cancel commands"},
    {ONS_AGENT_CONTROL, on_control, "Must be authenticated to control agents"},
    {ONS_EMERGENCY_STOP, on_stop,
	"Must be authenticated to trigger emergency stop"},
    {ONS_TOKEN_REFRESH, on_refresh, "Must be authenticated first"},
    {ONS_PING, on_ping, NULL},
    {ONS_PONG, on_pong, NULL},
};

static const struct handler *find_handler(enum ons_type type)
{
	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (handlers[i].type == type)
			return &handlers[i];
	return NULL;
}

static void refuse_type(struct ons_dash *d, const struct ons_message *m)
{
	char text[128];
	if (m->type != ONS_UNKNOWN) {
		ons_dash_error(d, "INVALID_MESSAGE_TYPE",
		    "Message type not allowed for dashboard");
		return;
	}
	(void)snprintf(text, sizeof text, "Unknown message type: %.*s",
	    m->name.len > 64 ? 64 : (int)m->name.len, m->name.text);
	ons_dash_error(d, "UNKNOWN_MESSAGE_TYPE", text);
}

static void take(struct ons_dash *d, const struct ons_message *m)
{
	const struct handler *h = find_handler(m->type);
	if (!h) {
		refuse_type(d, m);
	} else if (h->unknown && !d->is_known) {
		stat_add(onsembl_refused, 1);
		ons_dash_error(d, "UNAUTHORIZED", h->unknown);
	} else {
		h->take(d, m);
	}
}

/* Returns whether it may send this much more. */
static bool count_message(struct ons_dash *d, size_t len)
{
	const struct limits_who who = {
	    .caller = d->is_known ? d->owner : "",
	    .peer = d->wire->peer,
	    .peer_is_loopback = d->wire->peer_is_loopback,
	};
	struct limits_verdict v;
	if (limits_request(d->setup->limits, &who, (int64_t)len, &v) == 0)
		return true;
	ons_dash_error(d, "RATE_LIMITED", v.err.text);
	return false;
}

void ons_dash_in(struct ons_dash *d, const char *text, size_t len)
{
	struct ons_message m;
	if (!count_message(d, len))
		return;
	switch (ons_message_read(&m, &d->reader, text, len)) {
	case ONS_FINE:
		take(d, &m);
		return;
	case ONS_NOT_JSON:
		ons_dash_error(
		    d, "INTERNAL_ERROR", "Failed to process message");
		return;
	case ONS_MALFORMED:
		ons_dash_error(d, "INVALID_MESSAGE", "Invalid message format");
		return;
	}
}
