/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_history.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/event.h"
#include "dialin/dialin_turn.h"
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

static struct session *open_session(
    const struct ons_history *h, const char *name, struct err *err)
{
	enum session_status status;
	bool has_record;
	return session_open(h->sessions, name, strlen(name), h->owner, &status,
	    &has_record, err);
}

/* ---- commands ---- */

static const char *status_of(const struct session_record *r)
{
	static const char *const words[][2] = {
	    {"running", "EXECUTING"},
	    {"done", "COMPLETED"},
	    {"failed", "FAILED"},
	    {"interrupted", "CANCELLED"},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(r->status, words[i][0]) == 0)
			return words[i][1];
	return "PENDING";
}

static const char *agent_of(const struct session_record *r)
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
	if (*agent_of(r))
		buf_json_str(&agents, agent_of(r));
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
	int rc = session_look(h->sessions, name, strlen(name), &mem, &r, err);
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

/* ---- lists of commands ---- */

/* A session of a list; its members are in a buf. */
struct row {
	char name[ONS_OWNER_SIZE];
	size_t begin, end;
};

struct listing {
	const struct ons_history *h;
	struct ons_page *page;
	const struct ons_wanted *wanted; /* NULL: any */
	struct buf members;
	struct row rows[ONS_HISTORY_MOST];
	size_t n;
};

static void list_one(const struct session_record *r, void *arg)
{
	struct listing *l = arg;
	if (l->wanted && l->wanted->agent.text &&
	    !ons_is(l->wanted->agent, agent_of(r)))
		return;
	int64_t at = l->page->total++;
	if (at < l->page->offset || at - l->page->offset >= l->page->limit ||
	    l->n == ONS_HISTORY_MOST || strlen(r->id) >= ONS_OWNER_SIZE)
		return;
	struct row *row = &l->rows[l->n++];
	memcpy(row->name, r->id, strlen(r->id) + 1);
	row->begin = l->members.len;
	if (!l->wanted) {
		buf_char(&l->members, '{');
		put_members(&l->members, l->h, r);
	}
	row->end = l->members.len;
}

static int list_all(struct listing *l, struct err *err)
{
	const struct session_query query = {
	    .caller = l->h->owner,
	    .limit = ONS_HISTORY_MOST,
	    .is_brief = true,
	};
	return session_list(l->h->sessions, &query, list_one, l, NULL, err);
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
static void put_row(struct buf *out, struct listing *l, const struct row *row)
{
	struct buf id = {0};
	struct err err;
	struct session *s = open_session(l->h, row->name, &err);
	if (s)
		find_id(&id, s);
	if (s)
		session_close(&s);
	if (!id.len)
		buf_str(&id, row->name);
	buf_append(out, l->members.data + row->begin, row->end - row->begin);
	ons_put_text(out, "id", (struct span){id.data, id.len});
	buf_char(out, '}');
	buf_fini(&id);
}

int ons_history_list(struct buf *out, const struct ons_history *h,
    struct ons_page *page, struct err *err)
{
	struct listing *l = mem_zero(sizeof *l);
	l->h = h;
	l->page = page;
	int rc = list_all(l, err);
	for (size_t i = 0; rc == 0 && i < l->n; i++) {
		if (i)
			buf_char(out, ',');
		put_row(out, l, &l->rows[i]);
	}
	buf_fini(&l->members);
	free(l);
	return rc;
}

/* ---- output ---- */

struct reading {
	struct buf *out;
	const struct ons_wanted *wanted;
	struct ons_page *page;
	const char *agent;
	struct buf id; /* of the command */
	bool has_one;
	int64_t n_events;
};

static void put_output(struct reading *r, const struct event *ev,
    const char *stream, struct span content)
{
	struct buf *out = r->out;
	char id[32];
	int64_t time_ms = ev->time_us / MICROSECONDS;
	(void)snprintf(id, sizeof id, "-%" PRIu64, ev->seq);
	struct buf name = {0};
	buf_append(&name, r->id.data, r->id.len);
	buf_str(&name, id);
	if (r->has_one)
		buf_char(out, ',');
	r->has_one = true;
	buf_char(out, '{');
	ons_put_text(out, "id", (struct span){name.data, name.len});
	ons_put_text(out, "command_id", (struct span){r->id.data, r->id.len});
	ons_put_text(out, "agent_id", r->wanted->agent);
	ons_put_str(out, "type", stream);
	ons_put_text(out, "output", content);
	ons_put_iso(out, "timestamp", time_ms);
	ons_put_iso(out, "created_at", time_ms);
	buf_char(out, '}');
	buf_fini(&name);
}

static void take_output(struct reading *r, const struct event *ev)
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
	    (!r->wanted->stream.text || ons_is(r->wanted->stream, stream))) {
		int64_t at = r->page->total++;
		if (at >= r->page->offset &&
		    at - r->page->offset < r->page->limit)
			put_output(r, ev, stream, (struct span){content, n});
	}
	buf_fini(&scratch);
	buf_fini(&text);
	json_fini(&doc);
}

static bool take_event(const struct event *ev, void *arg)
{
	struct reading *r = arg;
	if (ev->type == EV_TERMINAL_OUTPUT &&
	    ev->time_us / MICROSECONDS >= r->wanted->since_ms)
		take_output(r, ev);
	return ++r->n_events < EVENTS_MOST;
}

static void read_session(struct reading *r, const struct session *s)
{
	struct session_range range = {.most = SESSION_RANGE_MOST};
	find_id(&r->id, s);
	do
		range.from = session_events(s, &range, take_event, r);
	while (range.from && r->n_events < EVENTS_MOST);
}

static void read_named(
    struct reading *r, const struct ons_history *h, const char *name)
{
	struct err err;
	struct session *s = open_session(h, name, &err);
	if (s)
		read_session(r, s);
	if (s)
		session_close(&s);
}

static int read_all(
    struct reading *r, const struct ons_history *h, struct err *err)
{
	struct ons_page all = {.limit = ONS_HISTORY_MOST};
	struct listing *l = mem_zero(sizeof *l);
	l->h = h;
	l->page = &all;
	l->wanted = r->wanted;
	int rc = list_all(l, err);
	for (size_t i = l->n; rc == 0 && i > 0; i--)
		read_named(r, h, l->rows[i - 1].name);
	free(l);
	return rc;
}

int ons_history_output(struct buf *out, const struct ons_history *h,
    const struct ons_wanted *wanted, struct ons_page *page, struct err *err)
{
	struct reading r = {.out = out, .wanted = wanted, .page = page};
	struct buf mem = {0};
	char name[ONS_OWNER_SIZE];
	int rc = 0;
	if (wanted->command.text) {
		ons_owner_session(name, wanted->command);
		struct session_record record;
		rc = session_look(
		    h->sessions, name, strlen(name), &mem, &record, err);
		/* That of another user, or of another agent, has none. */
		bool is_it = rc == 0 && strcmp(record.caller, h->owner) == 0 &&
			     (!wanted->agent.text ||
				 ons_is(wanted->agent, agent_of(&record)));
		if (is_it)
			read_named(&r, h, name);
		rc = 0;
	} else {
		rc = read_all(&r, h, err);
	}
	buf_fini(&mem);
	buf_fini(&r.id);
	return rc;
}
