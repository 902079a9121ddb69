/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_commands.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/err.h"
#include "dialin/dialin_turn.h"
#include "door/console.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "ons/ons_message.h"
#include "ons/ons_order.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_asked.h"
#include "onsembl/ons_history.h"
#include "onsembl/ons_owner.h"
#include "onsembl/ons_token.h"
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT 50
#define LIMIT_MAX 100
#define OUTPUT_LIMIT 1000
#define OUTPUT_LIMIT_MAX 10000
#define OFFSET_MAX 1000000000
#define MILLISECONDS 1000

/* What the users of tokens are to the policy: known, and no more. */
#define LEVEL "contact"

static const struct ons_site *site;

/* Who asks, and for what. */
struct asking {
	struct ons_claims claims;
	char owner[ONS_OWNER_SIZE];
	struct ons_history history;
	struct buf name; /* the segment of the path */
};

/* Returns false after a reply; *a is to be freed in any case. */
static bool begin(struct http_req *req, struct asking *a)
{
	*a = (struct asking){.name = {0}};
	if (!ons_asked_admit(site, req, &a->claims))
		return false;
	ons_owner(a->owner, a->claims.user);
	a->history =
	    (struct ons_history){site->setup, a->owner, a->claims.user};
	return true;
}

static void forget(struct asking *a)
{
	buf_fini(&a->name);
}

static struct span name_of(const struct asking *a)
{
	return (struct span){a->name.data, a->name.len};
}

static void reply_unknown(struct http_req *req)
{
	ons_asked_error(req, 404, "Command not found", NULL);
}

static void reply_failure(struct http_req *req, const struct err *err)
{
	if (err->code == ERR_NOT_FOUND)
		reply_unknown(req);
	else
		reply_err(req, err);
}

/* Returns false after a reply. */
static bool read_page(struct http_req *req, struct ons_page *page, int64_t most)
{
	char why[64];
	if (ons_asked_number(req, "limit", 1, most, &page->limit) &&
	    ons_asked_number(req, "offset", 0, OFFSET_MAX, &page->offset))
		return true;
	(void)snprintf(why, sizeof why, "limit is 1 to %lld, offset 0 or more",
	    (long long)most);
	ons_asked_error(req, 400, "Invalid query", why);
	return false;
}

/* {"KEY":[...],"total":...} */
static void reply_page(struct http_req *req, const char *key, struct buf *array,
    const struct ons_page *page)
{
	struct buf out = {0};
	buf_char(array, ']');
	buf_char(&out, '{');
	ons_put_json(&out, key, (struct span){array->data, array->len});
	ons_put_int(&out, "total", page->total);
	ons_put_int(&out, "limit", page->limit);
	ons_put_int(&out, "offset", page->offset);
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&out);
}

/* ---- GET ---- */

static void reply_commands(struct http_req *req, struct buf *array,
    const struct ons_page *page, const struct err *err)
{
	if (err)
		reply_err(req, err);
	else
		reply_page(req, "commands", array, page);
}

static void get_commands(struct http_req *req, void *arg)
{
	struct asking a;
	struct ons_page page = {.limit = LIMIT};
	(void)arg;
	if (begin(req, &a) && read_page(req, &page, LIMIT_MAX))
		ons_history_list(req, &a.history, &page, reply_commands);
	forget(&a);
}

static void get_command(struct http_req *req, void *arg)
{
	struct asking a;
	struct buf out = {0};
	struct err err;
	(void)arg;
	if (begin(req, &a)) {
		reply_segment(req, &a.name);
		if (ons_history_put(&out, &a.history, name_of(&a), &err) == 0)
			reply_json(req, 200, &out);
		else
			reply_failure(req, &err);
	}
	buf_fini(&out);
	forget(&a);
}

/* ---- output ---- */

/* As "2025-11-02T18:20:01"; what follows is not read. */
static bool read_time(struct span text, int64_t *time_ms)
{
	char copy[20];
	struct tm tm = {0};
	if (text.len < sizeof copy - 1)
		return false;
	memcpy(copy, text.text, sizeof copy - 1);
	copy[sizeof copy - 1] = 0;
	const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	*time_ms = (int64_t)timegm(&tm) * MILLISECONDS;
	return end && !*end;
}

static struct span parameter(struct http_req *req, const char *name)
{
	struct span s = {0};
	s.text = reply_query(req, name, &s.len);
	return s;
}

/* Returns false after a reply. */
static bool read_wanted(struct http_req *req, struct ons_wanted *w)
{
	struct span since = parameter(req, "since");
	w->stream = parameter(req, "type");
	bool is_good = !w->stream.text || ons_is(w->stream, "stdout") ||
		       ons_is(w->stream, "stderr");
	if (is_good && (!since.text || read_time(since, &w->since_ms)))
		return true;
	ons_asked_error(req, 400, "Invalid query",
	    "type is stdout or stderr, since a time as 2025-11-02T18:20:01Z");
	return false;
}

static void reply_output(struct http_req *req, struct buf *array,
    const struct ons_page *page, const struct err *err)
{
	if (err)
		reply_err(req, err);
	else
		reply_page(req, "outputs", array, page);
}

static void get_output(struct http_req *req, void *arg)
{
	struct asking a;
	struct ons_page page = {.limit = OUTPUT_LIMIT};
	struct ons_wanted w = {.since_ms = 0};
	struct buf seen = {0};
	struct err err;
	(void)arg;
	if (begin(req, &a) && read_wanted(req, &w) &&
	    read_page(req, &page, OUTPUT_LIMIT_MAX)) {
		reply_segment(req, &a.name);
		w.command = name_of(&a);
		if (ons_history_put(&seen, &a.history, w.command, &err) == 0)
			ons_history_output(
			    req, &a.history, &w, &page, reply_output);
		else
			reply_failure(req, &err);
	}
	buf_fini(&seen);
	forget(&a);
}

/* ---- one agent ---- */

struct search {
	const struct asking *a;
	struct span id;
	bool is_found, is_there, is_hosted;
	char agent[ONS_MAX_ID + 1]; /* its own id */
};

static void find_agent(const struct ons_agent *agent, void *arg)
{
	struct search *s = arg;
	if (s->is_found || !ons_agent_is(agent, s->id) ||
	    !ons_agent_is_seen(agent, site->keys, &s->a->claims))
		return;
	s->is_found = true;
	s->is_there = ons_agent_is_there(agent);
	s->is_hosted = agent->is_hosted;
	strncpy(s->agent, agent->id, ONS_MAX_ID);
}

static struct search search(const struct asking *a, struct span id)
{
	struct search s = {.a = a, .id = id};
	ons_agents_each(site->setup, find_agent, &s);
	return s;
}

static void get_agent_output(struct http_req *req, void *arg)
{
	struct asking a;
	struct ons_page page = {.limit = OUTPUT_LIMIT};
	struct ons_wanted w = {.since_ms = 0};
	(void)arg;
	if (begin(req, &a) && read_wanted(req, &w) &&
	    read_page(req, &page, OUTPUT_LIMIT_MAX)) {
		reply_segment(req, &a.name);
		struct search agent = search(&a, name_of(&a));
		w.agent = (struct span){agent.agent, strlen(agent.agent)};
		w.command = parameter(req, "commandId");
		if (agent.is_found)
			ons_history_output(
			    req, &a.history, &w, &page, reply_output);
		else
			ons_asked_error(req, 404, "Agent not found", NULL);
	}
	forget(&a);
}

/* ---- DELETE /api/commands/ID/cancel ---- */

static void reply_cancelled(struct http_req *req, struct asking *a)
{
	static const char done[] = "{\"success\":true,\"message\":\"Command "
				   "cancelled successfully\"}";
	char name[ONS_OWNER_SIZE];
	enum session_status status;
	bool has_record;
	struct err err;
	ons_owner_session(name, name_of(a));
	struct session *s = NULL;
	if (session_peek(site->setup->sessions, name, strlen(name), a->owner) !=
	    SESSION_NEW)
		s = session_open(site->setup->sessions, name, strlen(name),
		    a->owner, &status, &has_record, &err);
	if (!s)
		reply_unknown(req);
	else if (session_interrupt(s, SESSION_STOP, &err) == 0)
		http_reply(req, 200, "application/json", done, sizeof done - 1);
	else
		ons_asked_error(req, 400, "Command cannot be cancelled",
		    "it has ended already");
	if (s)
		session_close(&s);
}

static void delete_command(struct http_req *req, void *arg)
{
	struct asking a;
	(void)arg;
	if (begin(req, &a)) {
		reply_segment(req, &a.name);
		reply_cancelled(req, &a);
	}
	forget(&a);
}

/* ---- POST /api/commands ---- */

/* A command until its receipt. */
struct order {
	struct http_req *req; /* NULL: the client is gone */
	struct asking asking;
	struct session *session;
	char id[48];
};

static void free_order(struct order *o)
{
	session_close(&o->session);
	forget(&o->asking);
	free(o);
}

static void on_gone(void *arg)
{
	struct order *o = arg;
	o->req = NULL;
}

static void reply_created(struct order *o)
{
	struct buf out = {0};
	struct err err;
	o->asking.history.owner = o->asking.owner;
	o->asking.history.user = o->asking.claims.user;
	if (ons_history_put(&out, &o->asking.history,
		(struct span){o->id, strlen(o->id)}, &err) == 0)
		reply_json(o->req, 201, &out);
	else
		reply_err(o->req, &err);
	buf_fini(&out);
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct order *o = arg;
	if (o->req) {
		http_on_gone(o->req, NULL, NULL);
		if (r->outcome == INPUT_REFUSED)
			reply_err(o->req, r->err);
		else
			reply_created(o);
	}
	free_order(o);
}

/* What an agent on another machine should know of the command. */
static void put_options(
    struct buf *out, const struct order *o, const struct json *body)
{
	int64_t priority = 50;
	(void)json_int(json_get(body, "priority"), &priority);
	const char *word = priority >= 90   ? "urgent"
			   : priority >= 60 ? "high"
			   : priority >= 40 ? "normal"
					    : "low";
	struct ons_reader r = {0};
	buf_char(out, '{');
	ons_put_str(out, "commandId", o->id);
	ons_put_str(out, "priority", word);
	ons_put_text(out, "type", ons_text(&r, body, "type"));
	ons_put_json(out, "executionConstraints",
	    ons_json(body, "executionConstraints"));
	ons_put_str(out, "userId", o->asking.claims.user);
	buf_char(out, '}');
	ons_reader_fini(&r);
}

static void submit(struct order *o, const struct json *body,
    struct span content, const struct search *agent)
{
	struct buf name = {0}, options = {0};
	buf_printf(&name, DIALIN_PREFIX "%s", agent->agent);
	put_options(&options, o, body);
	const struct session_input in = {
	    .prompt = content.text,
	    .prompt_len = content.len,
	    .input_id = o->id,
	    .input_id_len = strlen(o->id),
	    .caller = o->asking.owner,
	    .level = LEVEL,
	    .peer = http_peer(o->req),
	    .peer_is_loopback = http_peer_is_loopback(o->req),
	    .is_holder = true,
	    .agent = agent->is_hosted ? NULL : buf_cstr(&name),
	    .options = options.data,
	    .options_len = options.len,
	};
	console_input(o->asking.claims.user, session_id(o->session),
	    content.text, content.len);
	http_on_gone(o->req, on_gone, o);
	(void)session_input(o->session, &in, on_receipt, o);
	buf_fini(&name);
	buf_fini(&options);
}

/* Takes what is in *a. */
static void order(struct http_req *req, struct asking *a,
    const struct json *body, struct span content, const struct search *agent)
{
	char name[ONS_OWNER_SIZE];
	enum session_status status;
	bool has_record;
	struct buf id = {0};
	struct err err;
	uint64_t random;
	struct order *o = mem_zero(sizeof *o);
	enc_random(&random, sizeof random);
	ons_put_id(&id, "cmd", clock_wall_ms(), random);
	(void)snprintf(o->id, sizeof o->id, "%s", buf_cstr(&id));
	buf_fini(&id);
	ons_owner_session(name, (struct span){o->id, strlen(o->id)});
	o->req = req;
	o->asking = *a;
	a->name = (struct buf){0};
	o->session = session_open(site->setup->sessions, name, strlen(name),
	    o->asking.owner, &status, &has_record, &err);
	if (o->session) {
		submit(o, body, content, agent);
		return;
	}
	reply_err(req, &err);
	forget(&o->asking);
	free(o);
}

/* The one agent that is meant; absent: not exactly one. */
static struct span target_of(struct ons_reader *r, const struct json *body)
{
	const struct json *all = json_get(body, "targetAgents");
	const struct json *first = json_first(all);
	size_t n = 0;
	const char *id = NULL;
	if (json_is(all, JSON_ARRAY) && first && !json_next(first))
		id = json_str(first, &r->text, &n);
	return (struct span){id, n};
}

static void read_order(
    struct http_req *req, struct asking *a, const struct json *body)
{
	struct ons_reader texts = {0}, ids = {0};
	struct span content = ons_text(&texts, body, "content");
	struct span target = target_of(&ids, body);
	struct search agent = search(a, target);
	if (!content.text || !content.len)
		ons_asked_error(
		    req, 400, "Invalid command", "content must be a text");
	else if (!target.text)
		ons_asked_error(req, 400, "Invalid command",
		    "targetAgents must name one agent: send a command to each");
	else if (!agent.is_found)
		ons_asked_error(req, 404, "Agent not found", NULL);
	else if (!agent.is_there)
		ons_asked_error(req, 409, "Agent not connected",
		    "Failed to route command to agent");
	else
		order(req, a, body, content, &agent);
	ons_reader_fini(&texts);
	ons_reader_fini(&ids);
}

static void post_command(struct http_req *req, void *arg)
{
	struct asking a;
	struct json_doc doc = {0};
	struct json_error why;
	size_t len;
	(void)arg;
	if (begin(req, &a)) {
		const char *body = http_body(req, &len);
		read_order(req, &a, json_parse(&doc, body, len, 0, &why));
	}
	json_fini(&doc);
	forget(&a);
}

void ons_commands_mount(struct http *http, const struct ons_site *s)
{
	site = s;
	http_route(http, "GET", "/api/commands", get_commands, NULL);
	http_route(http, "POST", "/api/commands", post_command, NULL);
	http_route(http, "GET", "/api/commands/*/output", get_output, NULL);
	http_route(
	    http, "DELETE", "/api/commands/*/cancel", delete_command, NULL);
	http_route(http, "GET", "/api/commands/*", get_command, NULL);
	http_route(http, "GET", "/api/agents/*/terminal-output",
	    get_agent_output, NULL);
}
