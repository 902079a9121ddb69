/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_history.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/err.h"
#include "core/event.h"
#include "dialin/dialin_turn.h"
#include "door/door.h"
#include "door/listing.h"
#include "net/http.h"
#include "net/loop.h"
#include "ons/ons_message.h"
#include "onsembl/ons_agents.h"
#include "onsembl/ons_owner.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MICROSECONDS 1000

/* The maximum number of events that are read for one list. */
#define EVENTS_MOST 20000

/* What is read in one tick; an event costs its bytes and so much besides. */
#define TICK_BYTES ((size_t)1024 * 1024)
#define EVENT_COST 1000

static struct session *open_session(
    const struct ons_history *h, const char *name, struct err *err)
{
	enum session_status status;
	bool has_record;
	return session_open(h->setup->sessions, name, strlen(name), h->owner,
	    &status, &has_record, err);
}

/* ---- commands ---- */

/* An interrupted turn that its agent has ended is done, with this answer. */
static bool is_cancelled(const struct session_record *r)
{
	static const char answer[] = AGENT_INTERRUPTED_RESULT;
	return strcmp(r->status, "done") == 0 &&
	       r->result_len == sizeof answer - 1 &&
	       memcmp(r->result, answer, r->result_len) == 0;
}

static const char *status_of(const struct session_record *r)
{
	static const char *const words[][2] = {
	    {"running", "EXECUTING"},
	    {"done", "COMPLETED"},
	    {"failed", "FAILED"},
	    {"interrupted", "CANCELLED"},
	};
	if (is_cancelled(r))
		return "CANCELLED";
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(r->status, words[i][0]) == 0)
			return words[i][1];
	return "PENDING";
}

const char *ons_history_agent(const struct session_record *r)
{
	size_t n = sizeof DIALIN_PREFIX - 1;
	return strncmp(r->agent, DIALIN_PREFIX, n) == 0 ? r->agent + n : "";
}

/* All members but the id. */
static void put_members(struct buf *out, const struct ons_history *h,
    const struct session_record *r)
{
	struct buf agents = {0};
	bool is_over = r->duration_ms >= 0;
	buf_char(&agents, '[');
	if (*ons_history_agent(r))
		buf_json_str(&agents, ons_history_agent(r));
	buf_char(&agents, ']');
	ons_put_str(out, "userId", h->user);
	ons_put_text(out, "content", (struct span){r->prompt, r->prompt_len});
	ons_put_json(
	    out, "targetAgents", (struct span){agents.data, agents.len});
	ons_put_str(out, "status", status_of(r));
	ons_put_iso(out, "startedAt", r->created_ms);
	if (is_over)
		ons_put_iso(out, "completedAt", r->created_ms + r->duration_ms);
	if (*r->reason)
		ons_put_str(out, "error", r->reason);
	ons_put_iso(out, "createdAt", r->began_ms);
	ons_put_iso(out, "updatedAt", r->updated_ms);
	buf_fini(&agents);
}

int ons_history_put(struct buf *out, const struct ons_history *h,
    struct span command, struct err *err)
{
	char name[ONS_OWNER_SIZE];
	struct session_record r;
	struct buf mem = {0};
	ons_owner_session(name, command);
	int rc =
	    session_look(h->setup->sessions, name, strlen(name), &mem, &r, err);
	if (rc == 0 && strcmp(r.caller, h->owner) != 0)
		rc = err_set(err, ERR_NOT_FOUND, "there is no such command");
	if (rc == 0) {
		buf_char(out, '{');
		ons_put_text(out, "id", command);
		put_members(out, h, &r);
		buf_char(out, '}');
	}
	buf_fini(&mem);
	return rc;
}

/* ---- lists ---- */

/* A list that is made over several ticks. */
struct making {
	struct http_req *req;
	struct ons_history h;
	char owner[ONS_OWNER_SIZE];
	char *user;
	char *agent;
	struct ons_wanted wanted; /* its command is not used */
	struct ons_page page;
	ons_history_fn *fn;
	void (*go_on)(void *arg); /* when the sessions are known */
	struct buf out;
	struct buf names; /* of sessions, ONS_OWNER_SIZE bytes each */
	size_t n_left;	  /* sessions whose output is not read */
	uint64_t from;	  /* position in the last of these; 0: its begin */
	struct buf id;	  /* of its command */
	int64_t n_events;
	size_t budget; /* of this tick */
	struct loop_timer tick;
};

static struct making *making_new(struct http_req *req,
    const struct ons_history *h, const struct ons_page *page,
    ons_history_fn *fn)
{
	struct making *m = mem_zero(sizeof *m);
	m->req = req;
	m->h = *h;
	(void)snprintf(m->owner, sizeof m->owner, "%s", h->owner);
	m->h.owner = m->owner;
	m->h.user = m->user = mem_strdup(h->user);
	m->page = *page;
	m->fn = fn;
	buf_char(&m->out, '[');
	return m;
}

static void making_free(void *arg)
{
	struct making *m = arg;
	loop_timer_stop(m->h.setup->loop, &m->tick);
	buf_fini(&m->out);
	buf_fini(&m->names);
	buf_fini(&m->id);
	free(m->user);
	free(m->agent);
	free(m);
}

static void give(struct making *m, const struct err *err)
{
	http_on_gone(m->req, NULL, NULL);
	m->fn(m->req, &m->out, &m->page, err);
	making_free(m);
}

static void add_name(struct making *m, const char *name)
{
	char row[ONS_OWNER_SIZE] = "";
	memcpy(row, name, strlen(name));
	buf_append(&m->names, row, sizeof row);
}

static const char *name_at(const struct making *m, size_t i)
{
	return m->names.data + i * ONS_OWNER_SIZE;
}

/* The session and its agent, each with its NUL. */
static void put_names(struct buf *out, const struct session_record *r)
{
	if (strlen(r->id) >= ONS_OWNER_SIZE)
		return;
	buf_append(out, r->id, strlen(r->id) + 1);
	buf_append(out, ons_history_agent(r), strlen(ons_history_agent(r)) + 1);
}

static void take_names(struct making *m, const struct buf *list)
{
	const char *at = list->data;
	while (list->len && at < list->data + list->len) {
		at += at > list->data; /* the comma */
		const char *agent = at + strlen(at) + 1;
		if (!m->agent || strcmp(m->agent, agent) == 0)
			add_name(m, at);
		at = agent + strlen(agent) + 1;
	}
	m->n_left = m->names.len / ONS_OWNER_SIZE;
}

static void finish_names(struct listing *l)
{
	struct making *m = l->arg;
	if (l->err) {
		give(m, l->err);
		return;
	}
	take_names(m, &l->out);
	m->go_on(m);
}

static void find_sessions(struct making *m, void (*go_on)(void *arg))
{
	static const struct listing_form form = {.head = "",
	    .put = put_names,
	    .finish = finish_names,
	    .forget = making_free};
	const struct session_query query = {
	    .caller = m->owner,
	    .limit = ONS_HISTORY_MOST,
	    .is_brief = true,
	};
	m->go_on = go_on;
	listing_begin(m->req, m->h.setup, &form, &query, m);
}

/* The id of a command is that of the input that began it. */
static bool take_id(const struct event *ev, void *arg)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	size_t n = 0;
	const char *id = json_str(json_get(fields, "input_id"), &scratch, &n);
	if (ev->type == EV_INPUT && id)
		buf_append(arg, id, n);
	buf_fini(&scratch);
	buf_fini(&text);
	json_fini(&doc);
	return false;
}

static void find_id(struct buf *id, const struct session *s)
{
	const struct session_range range = {
	    .from = session_turn_began(s), .most = 1};
	buf_reset(id);
	if (range.from)
		(void)session_events(s, &range, take_id, id);
}

/* If its journal is gone, its id is, too: that of the session is left. */
static void put_command(
    struct making *m, const char *name, const struct session_record *r)
{
	struct buf id = {0};
	struct err err;
	struct session *s = open_session(&m->h, name, &err);
	if (s)
		find_id(&id, s);
	if (s)
		session_close(&s);
	if (!id.len)
		buf_str(&id, name);
	buf_str(&m->out, m->out.len > 1 ? ",{" : "{");
	put_members(&m->out, &m->h, r);
	ons_put_text(&m->out, "id", (struct span){id.data, id.len});
	buf_char(&m->out, '}');
	buf_fini(&id);
}

static void put_commands(void *arg)
{
	struct making *m = arg;
	struct buf mem = {0};
	m->page.total = (int64_t)m->n_left;
	for (int64_t i = m->page.offset;
	     i < m->page.total && i - m->page.offset < m->page.limit; i++) {
		const char *name = name_at(m, (size_t)i);
		struct session_record r;
		struct err err;
		buf_reset(&mem);
		if (session_look(m->h.setup->sessions, name, strlen(name), &mem,
			&r, &err) == 0)
			put_command(m, name, &r);
	}
	buf_fini(&mem);
	give(m, NULL);
}

void ons_history_list(struct http_req *req, const struct ons_history *h,
    const struct ons_page *page, ons_history_fn *fn)
{
	find_sessions(making_new(req, h, page, fn), put_commands);
}

/* ---- output ---- */

static void put_output(struct making *r, const struct event *ev,
    const char *stream, struct span content)
{
	struct buf *out = &r->out;
	char id[32];
	int64_t time_ms = ev->time_us / MICROSECONDS;
	(void)snprintf(id, sizeof id, "-%" PRIu64, ev->seq);
	struct buf name = {0};
	buf_append(&name, r->id.data, r->id.len);
	buf_str(&name, id);
	buf_str(out, out->len > 1 ? ",{" : "{");
	ons_put_text(out, "id", (struct span){name.data, name.len});
	ons_put_text(out, "command_id", (struct span){r->id.data, r->id.len});
	ons_put_text(out, "agent_id", r->wanted.agent);
	ons_put_str(out, "type", stream);
	ons_put_text(out, "output", content);
	ons_put_iso(out, "timestamp", time_ms);
	ons_put_iso(out, "created_at", time_ms);
	buf_char(out, '}');
	buf_fini(&name);
}

static void take_output(struct making *r, const struct event *ev)
{
	struct json_doc doc = {0};
	struct buf text = {0}, scratch = {0};
	const struct json *fields = event_fields(ev, &doc, &text);
	size_t n = 0;
	const char *content =
	    json_str(json_get(fields, "content"), &scratch, &n);
	bool is_stderr = json_str_is(json_get(fields, "stream"), "stderr");
	const char *stream = is_stderr ? "stderr" : "stdout";
	if (content &&
	    (!r->wanted.stream.text || ons_is(r->wanted.stream, stream))) {
		int64_t at = r->page.total++;
		if (at >= r->page.offset && at - r->page.offset < r->page.limit)
			put_output(r, ev, stream, (struct span){content, n});
	}
	buf_fini(&scratch);
	buf_fini(&text);
	json_fini(&doc);
}

static void spend(struct making *m, size_t bytes)
{
	bytes += EVENT_COST;
	m->budget -= bytes < m->budget ? bytes : m->budget;
}

static bool take_event(const struct event *ev, void *arg)
{
	struct making *m = arg;
	spend(m, ev->body_len);
	if (ev->type == EV_TERMINAL_OUTPUT &&
	    ev->time_us / MICROSECONDS >= m->wanted.since_ms)
		take_output(m, ev);
	return ++m->n_events < EVENTS_MOST && m->budget;
}

/* Read some events of the oldest session that is left. */
static void read_some(struct making *m)
{
	struct session_range range = {
	    .from = m->from, .most = SESSION_RANGE_MOST};
	struct err err;
	struct session *s =
	    open_session(&m->h, name_at(m, m->n_left - 1), &err);
	spend(m, 0);
	if (s && !m->from)
		find_id(&m->id, s);
	m->from = s ? session_events(s, &range, take_event, m) : 0;
	if (s)
		session_close(&s);
	if (!m->from)
		m->n_left--;
}

static void read_on(void *arg)
{
	struct making *m = arg;
	m->budget = TICK_BYTES;
	while (m->n_left && m->budget && m->n_events < EVENTS_MOST)
		read_some(m);
	if (m->n_left && m->n_events < EVENTS_MOST)
		loop_timer_set(m->h.setup->loop, &m->tick, 0);
	else
		give(m, NULL);
}

static void read_first(void *arg)
{
	struct making *m = arg;
	loop_timer_init(&m->tick, read_on, m);
	http_on_gone(m->req, making_free, m);
	read_on(m);
}

/* That of another user, or of another agent, has no output. */
static void find_session(struct making *m, struct span command)
{
	char name[ONS_OWNER_SIZE];
	struct session_record r;
	struct buf mem = {0};
	struct err err;
	ons_owner_session(name, command);
	if (session_look(m->h.setup->sessions, name, strlen(name), &mem, &r,
		&err) == 0 &&
	    strcmp(r.caller, m->owner) == 0 &&
	    (!m->agent || strcmp(m->agent, ons_history_agent(&r)) == 0))
		add_name(m, name);
	m->n_left = m->names.len / ONS_OWNER_SIZE;
	buf_fini(&mem);
}

void ons_history_output(struct http_req *req, const struct ons_history *h,
    const struct ons_wanted *wanted, const struct ons_page *page,
    ons_history_fn *fn)
{
	struct making *m = making_new(req, h, page, fn);
	m->wanted = *wanted;
	if (wanted->agent.text) {
		m->agent = mem_strndup(wanted->agent.text, wanted->agent.len);
		m->wanted.agent.text = m->agent;
	}
	if (wanted->command.text) {
		find_session(m, wanted->command);
		read_first(m);
	} else {
		find_sessions(m, read_first);
	}
}
