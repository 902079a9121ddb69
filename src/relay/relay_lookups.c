/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/relay_lookups.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "net/http.h"
#include "net/wire.h"
#include "proc/crew.h"
#include "relay/answer.h"
#include "relay/directory.h"
#include "relay/path.h"
#include "relay/relay_int.h"
#include "relay/relay_stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most agents that a search tells of. */
#define FIND_MOST 10

/* The longest query, in bytes. */
#define QUERY_BYTES 500

enum question { ASK_HTTP, ASK_AGENT, ASK_FIND };

struct asker;

/* A question on its way to a thread and back. */
struct lookup {
	struct crew_job job;
	enum question question;
	struct directory *directory;
	struct path path; /* of HTTP; otherwise the address alone */
	char query[QUERY_BYTES + 1];
	double now;
	struct http_req *req; /* NULL: its client is gone */
	struct asker *asker;  /* NULL: it is gone */
	char *peer;
	char *relay; /* our URL */
	struct err err;
	int n; /* how many were found; -1: it failed */
	struct directory_record record;
	struct directory_hit *hits;
};

/* A look-up socket; it asks one question at a time. */
struct asker {
	struct wire *wire;
	struct list link;
	struct lookup *lookup;
};

static struct {
	struct relay *relay;
	struct list askers;
} lookups;

/* ---- on a thread ---- */

static void lookup_run(struct crew_job *job)
{
	struct lookup *l = list_entry(job, struct lookup, job);
	int64_t began_us = clock_steady_us();
	if (l->question != ASK_FIND) {
		l->n = directory_get(
		    l->directory, l->path.address, l->now, &l->record, &l->err);
		return;
	}
	l->hits = mem_zero(DIRECTORY_HITS * sizeof *l->hits);
	l->n = directory_find(l->directory, l->query, l->hits, &l->err);
	relay_stat_add(find_us, clock_steady_us() - began_us);
}

static void lookup_free(struct lookup *l)
{
	if (l->question != ASK_FIND && l->n > 0)
		directory_free(&l->record);
	for (int i = 0; l->hits && i < l->n; i++)
		directory_free(&l->hits[i].record);
	free(l->hits);
	free(l->peer);
	free(l->relay);
	free(l);
}

static bool is_online(const char *address)
{
	struct roster_found found;
	uint8_t key[ROSTER_KEY];
	address_key(address, key);
	(void)roster_find(lookups.relay->roster, key, NULL, &found);
	return found.n_live > 0;
}

static struct answer_about about(
    const struct lookup *l, const struct directory_record *record)
{
	return (struct answer_about){
	    .record = record,
	    .is_online = is_online(record->address),
	    .now_ms = clock_wall_ms(),
	    .peer = l->peer,
	    .relay = l->relay,
	};
}

static struct lookup *lookup_new(enum question question, const char *peer)
{
	struct lookup *l = mem_zero(sizeof *l);
	l->question = question;
	l->directory = question == ASK_FIND ? lookups.relay->finder
					    : lookups.relay->directory;
	l->now = (double)clock_wall_ms() / 1000;
	l->peer = mem_strdup(peer);
	return l;
}

/* ---- HTTP ---- */

static void reply_text(
    struct http_req *req, int status, const char *text, size_t len)
{
	http_add_header(req, "access-control-allow-origin", "*");
	http_add_header(req, "cache-control", "no-store");
	http_reply(req, status, "application/json", text, len);
}

static void reply_error(struct http_req *req, int status, const char *text)
{
	struct buf out = {0};
	buf_str(&out, "{\"error\":");
	buf_json_str(&out, text);
	buf_char(&out, '}');
	reply_text(req, status, out.data, out.len);
	buf_fini(&out);
}

static void answer_http(struct lookup *l)
{
	struct buf out = {0};
	struct answer_about a;
	if (l->n < 0) {
		reply_error(l->req, 503, "The directory cannot be read now");
	} else if (l->n == 0) {
		reply_error(l->req, 404, "Agent not found");
	} else {
		a = about(l, &l->record);
		answer_put(&out, l->path.target, &a, l->path.name);
		reply_text(l->req, 200, out.data, out.len);
	}
	buf_fini(&out);
}

static void http_done(struct crew_job *job)
{
	struct lookup *l = list_entry(job, struct lookup, job);
	if (l->req && !crew_is_closing(lookups.relay->crew)) {
		http_on_gone(l->req, NULL, NULL);
		relay_stat_add(lookups, 1);
		answer_http(l);
	}
	lookup_free(l);
}

static void on_req_gone(void *arg)
{
	struct lookup *l = arg;
	l->req = NULL;
}

/* Returns our URL as the client knows us, which need not be the only one. */
static char *url_of(const struct http_req *req)
{
	const char *host = http_header(req, "host");
	const char *proto = http_header(req, "x-forwarded-proto");
	struct buf url = {0};
	buf_printf(&url, "%s://%s",
	    proto && strcmp(proto, "https") == 0 ? "wss" : "ws",
	    host ? host : "");
	return buf_steal(&url, NULL);
}

void relay_lookups_get(struct http_req *req, const struct path *path)
{
	struct relay *r = lookups.relay;
	int64_t limit = r->conf->limit_lookups;
	if (path->is_bad) {
		reply_error(req, 400, "An address is 0x and 64 hex digits");
		return;
	}
	if (!relay_may(r, QUOTA_LOOKUPS, http_place(req), limit, limit)) {
		relay_stat_add(limited_lookups, 1);
		reply_error(req, 429, "Rate limit exceeded");
		return;
	}
	struct lookup *l = lookup_new(ASK_HTTP, http_peer(req));
	l->job = (struct crew_job){.run = lookup_run, .done = http_done};
	l->req = req;
	l->path = *path;
	l->relay = url_of(req);
	if (crew_run(r->crew, &l->job)) {
		http_on_gone(req, on_req_gone, l);
		return;
	}
	lookup_free(l);
	reply_error(req, 503, "The relay is busy; try again");
}

/* ---- the look-up socket ---- */

static void put_found(struct buf *out, struct lookup *l)
{
	struct answer_about a;
	buf_str(out, "{\"type\":\"AGENT_INFO\",\"agent\":");
	if (l->n > 0) {
		a = about(l, &l->record);
		answer_put_agent(out, &a, true);
	} else {
		buf_str(out, "null,\"error\":\"Agent not found or offline\"");
	}
	buf_char(out, '}');
}

/* Agents that are there come before others, and otherwise the best first. */
static void put_hits(struct buf *out, struct lookup *l)
{
	int n = 0;
	buf_str(out, "{\"type\":\"AGENTS\",\"query\":");
	buf_json_str(out, l->query);
	buf_str(out, ",\"agents\":[");
	for (int pass = 1; pass >= 0; pass--)
		for (int i = 0; i < l->n && n < FIND_MOST; i++) {
			struct answer_about a = about(l, &l->hits[i].record);
			if (a.is_online != (pass == 1))
				continue;
			if (n++)
				buf_char(out, ',');
			answer_put_agent(out, &a, false);
		}
	buf_printf(
	    out, "],\"timestamp\":%lld}", (long long)(clock_wall_ms() / 1000));
}

static void asker_done(struct crew_job *job)
{
	struct lookup *l = list_entry(job, struct lookup, job);
	struct asker *asker = l->asker;
	struct buf out = {0};
	if (asker) {
		asker->lookup = NULL;
		if (l->n < 0)
			relay_say_error(asker->wire,
			    "The directory cannot be read now", NULL);
		else if (l->question == ASK_FIND)
			put_hits(&out, l);
		else
			put_found(&out, l);
		if (out.len)
			wire_send(asker->wire, out.data, out.len);
		if (l->question == ASK_FIND)
			relay_stat_add(finds, 1);
		else
			relay_stat_add(lookups, 1);
		wire_pause(asker->wire, false);
	}
	buf_fini(&out);
	lookup_free(l);
}

static void start_lookup(struct asker *asker, struct lookup *l)
{
	l->job = (struct crew_job){.run = lookup_run, .done = asker_done};
	l->asker = asker;
	if (!crew_run(lookups.relay->crew, &l->job)) {
		lookup_free(l);
		relay_say_error(
		    asker->wire, "The relay is busy; try again", NULL);
		return;
	}
	asker->lookup = l;
	wire_pause(asker->wire, true);
}

static bool may_ask(
    struct asker *asker, enum relay_quota kind, int64_t limit, const char *type)
{
	if (relay_may(lookups.relay, kind, asker->wire->place, limit, limit))
		return true;
	relay_stat_add(limited_lookups, 1);
	relay_say_error(asker->wire, "Rate limit exceeded", type);
	return false;
}

static void ask_agent(struct asker *asker, const struct json *root)
{
	struct relay *r = lookups.relay;
	char *text = json_strdup(json_get(root, "address"));
	char address[ADDRESS_SIZE];
	bool is_good = text && address_parse(text, strlen(text), address);
	free(text);
	if (!is_good) {
		relay_say_error(asker->wire,
		    "Invalid field: address must be 0x and 64 hex digits",
		    "GET_AGENT");
		return;
	}
	if (!may_ask(asker, QUOTA_LOOKUPS, r->conf->limit_lookups, "GET_AGENT"))
		return;
	struct lookup *l = lookup_new(ASK_AGENT, asker->wire->peer);
	memcpy(l->path.address, address, sizeof address);
	start_lookup(asker, l);
}

static void ask_find(struct asker *asker, const struct json *root)
{
	struct relay *r = lookups.relay;
	char *text = json_strdup(json_get(root, "query"));
	if (!text || strlen(text) > QUERY_BYTES) {
		relay_say_error(asker->wire,
		    text ? "Query too long (max 500 bytes)"
			 : "Missing field: query",
		    "FIND");
	} else if (may_ask(asker, QUOTA_FINDS, r->conf->limit_finds, "FIND")) {
		struct lookup *l = lookup_new(ASK_FIND, asker->wire->peer);
		(void)snprintf(l->query, sizeof l->query, "%s", text);
		start_lookup(asker, l);
	}
	free(text);
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct asker *asker = arg;
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *root = json_parse(&doc, text, len, 0, &why);
	const struct json *type = json_get(root, "type");
	if (json_is(type, JSON_STRING) && json_str_is(type, "GET_AGENT")) {
		ask_agent(asker, root);
	} else if (json_is(type, JSON_STRING) && json_str_is(type, "FIND")) {
		ask_find(asker, root);
	} else {
		relay_say_error(asker->wire,
		    json_is(root, JSON_OBJECT)
			? "Unknown type: use FIND or GET_AGENT"
			: "Invalid JSON: it must be an object",
		    NULL);
		if (!json_is(root, JSON_OBJECT))
			wire_close(asker->wire, WIRE_CLOSE_BAD_TEXT, "no JSON");
	}
	json_fini(&doc);
}

static void asker_on_binary(void *arg)
{
	struct asker *asker = arg;
	wire_close(asker->wire, WIRE_CLOSE_POLICY, "questions must be text");
}

static void asker_on_drain(void *arg)
{
	(void)arg; /* answers are small, and one at a time */
}

static void asker_on_gone(void *arg)
{
	struct asker *asker = arg;
	if (asker->lookup)
		asker->lookup->asker = NULL;
	list_remove(&asker->link);
	free(asker);
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = asker_on_binary,
    .on_drain = asker_on_drain,
    .on_gone = asker_on_gone,
};

void relay_lookups_init(struct relay *r)
{
	lookups.relay = r;
	list_init(&lookups.askers);
}

void relay_lookups_accept(struct http_req *req)
{
	struct relay *r = lookups.relay;
	struct wire *w = relay_accept(r, req, &r->lookup_limits);
	if (!w)
		return;
	struct asker *asker = mem_zero(sizeof *asker);
	asker->wire = w;
	list_append(&lookups.askers, &asker->link);
	wire_take(w, &handlers, asker);
}

void relay_lookups_close_all(void)
{
	list_each(it, &lookups.askers)
	{
		struct asker *asker = list_entry(it, struct asker, link);
		wire_close(
		    asker->wire, WIRE_CLOSE_RESTART, "the relay restarts");
	}
}
