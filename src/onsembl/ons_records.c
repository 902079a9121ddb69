/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_records.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/span.h"
#include "dialin/dialin_dock.h"
#include "dialin/dialin_table.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "onsembl/ons_asked.h"
#include "onsembl/ons_find.h"

#include <ctype.h>
#include <string.h>

static const struct ons_site *site;

/* ---- a body ---- */

/* The body of a request, and the record that it makes or changes. */
struct change {
	struct ons_reader reader;
	const struct json *root;
	struct dialin_info info;
};

/* Copy a text if it is there. Returns false if it does not fit. */
static bool take_text(
    struct change *c, const char *key, char *to, size_t size, bool *is_there)
{
	struct span s = ons_text(&c->reader, c->root, key);
	*is_there = s.text != NULL;
	if (!s.text)
		return !json_get(c->root, key);
	if (s.len >= size || memchr(s.text, 0, s.len))
		return false;
	memcpy(to, s.text, s.len);
	to[s.len] = 0;
	return true;
}

/* The same for the exact JSON of an array or object. */
static bool take_json(struct change *c, const char *key, char *to, size_t size,
    enum json_type one, enum json_type other)
{
	const struct json *v = json_get(c->root, key);
	struct span s = ons_json(c->root, key);
	if (!v)
		return true;
	if ((!json_is(v, one) && !json_is(v, other)) || s.len >= size)
		return false;
	memcpy(to, s.text, s.len);
	to[s.len] = 0;
	return true;
}

static bool is_type(char *type)
{
	static const char *const types[] = {
	    "claude", "gemini", "codex", "custom", "mock"};
	for (char *p = type; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* Returns NULL, or what is wrong. */
static const char *read_change(struct change *c, bool is_new)
{
	struct dialin_who *who = &c->info.who;
	struct dialin_notes *notes = &c->info.notes;
	bool has_name, has_type, is_there;
	if (!json_is(c->root, JSON_OBJECT))
		return "the body is a JSON object";
	if (!take_text(c, "name", who->name, sizeof who->name, &has_name) ||
	    (has_name && !*who->name) || (is_new && !has_name))
		return "name has 1 to 103 bytes";
	if (!take_text(c, "type", who->type, sizeof who->type, &has_type) ||
	    (has_type && !is_type(who->type)) || (is_new && !has_type))
		return "type is claude, gemini, codex, custom or mock";
	if (!take_text(
		c, "version", who->version, sizeof who->version, &is_there))
		return "version has 47 bytes at most";
	if (!take_json(c, "capabilities", who->capabilities,
		sizeof who->capabilities, JSON_ARRAY, JSON_OBJECT))
		return "capabilities are an array, with 1023 bytes at most";
	if (!take_json(c, "metadata", notes->metadata, sizeof notes->metadata,
		JSON_OBJECT, JSON_OBJECT))
		return "metadata is an object, with 1023 bytes at most";
	if (!take_text(c, "description", notes->description,
		sizeof notes->description, &is_there))
		return "description has 511 bytes at most";
	return NULL;
}

/* Returns false after a reply. */
static bool read_body(struct http_req *req, struct change *c, bool is_new)
{
	struct json_error bad;
	size_t len;
	const char *body = http_body(req, &len);
	c->root = json_parse(&c->reader.doc, body, len, 0, &bad);
	(void)buf_reserve(&c->reader.text, len + 1);
	const char *fault = read_change(c, is_new);
	if (fault)
		ons_asked_error(req, 400, "Invalid agent", fault);
	return !fault;
}

/* ---- replies ---- */

static struct dialin_table *table(void)
{
	return site->setup->dock->table;
}

static void reply_record(
    struct http_req *req, int status, struct ons_found *f, const char *id)
{
	ons_find_id(site, (struct span){id, strlen(id)}, f);
	if (f->is_there)
		reply_json(req, status, &f->object);
	else
		ons_find_refuse(req); /* it was deleted meanwhile */
}

/* Returns false after a reply: the client may not do this to the agent. */
static bool may(struct http_req *req, const struct ons_found *f,
    const char *hosted, const char *foreign)
{
	if (!f->is_there)
		ons_find_refuse(req);
	else if (f->is_hosted)
		ons_asked_error(req, 403, hosted, NULL);
	else if (!f->is_own)
		ons_asked_error(req, 403, foreign, NULL);
	return f->is_own;
}

/* ---- POST /api/agents ---- */

static void make_id(char out[DIALIN_ID_BYTES], const char *type)
{
	struct buf id = {0};
	uint64_t random;
	enc_random(&random, sizeof random);
	ons_put_id(&id, type, clock_wall_ms(), random);
	memcpy(out, buf_cstr(&id), id.len + 1); /* about 30 bytes */
	buf_fini(&id);
}

static void register_agent(
    struct http_req *req, struct change *c, struct ons_found *f)
{
	struct dialin_who *who = &c->info.who;
	make_id(who->id, who->type);
	memcpy(who->user, f->claims.user, sizeof f->claims.user);
	memcpy(who->org, f->claims.org, sizeof f->claims.org);
	c->info.created_ms = clock_wall_ms();
	c->info.seen_ms = c->info.created_ms;
	if (dialin_table_register(table(), &c->info) == DIALIN_FOUND)
		reply_record(req, 201, f, who->id);
	else
		ons_asked_error(req, 503, "Agent cannot be registered",
		    "too many agents are connected: increase "
		    "max_agents_dialed_in in host.yaml");
}

static void post_agent(struct http_req *req, void *arg)
{
	struct ons_found f = {.is_there = false};
	struct change c = {.root = NULL};
	(void)arg;
	if (ons_asked_admit(site, req, &f.claims) && read_body(req, &c, true))
		register_agent(req, &c, &f);
	ons_reader_fini(&c.reader);
	ons_found_fini(&f);
}

/* ---- PUT and DELETE /api/agents/ID ---- */

static void change_agent(
    struct http_req *req, struct change *c, struct ons_found *f)
{
	if (!dialin_table_find(table(), f->id, strlen(f->id), &c->info)) {
		ons_find_refuse(req);
		return;
	}
	if (!read_body(req, c, false))
		return;
	(void)dialin_table_change(table(), &c->info); /* or it is gone */
	reply_record(req, 200, f, f->id);
}

static void put_agent(struct http_req *req, void *arg)
{
	struct ons_found f;
	struct change c = {.root = NULL};
	(void)arg;
	if (ons_find(site, req, false, &f) &&
	    may(req, &f, "Unauthorized: Cannot update the agent of this server",
		"Unauthorized: Cannot update agent owned by another user"))
		change_agent(req, &c, &f);
	ons_reader_fini(&c.reader);
	ons_found_fini(&f);
}

static void delete_agent(struct http_req *req, void *arg)
{
	struct ons_found f;
	(void)arg;
	if (ons_find(site, req, false, &f) &&
	    may(req, &f, "Unauthorized: Cannot delete the agent of this server",
		"Unauthorized: Cannot delete agent owned by another user")) {
		if (dialin_table_forget(table(), f.id, strlen(f.id)))
			http_reply(req, 204, NULL, "", 0);
		else
			ons_asked_error(req, 409, "Agent is connected",
			    "it would be back at once: stop it first");
	}
	ons_found_fini(&f);
}

void ons_records_mount(struct http *http, const struct ons_site *s)
{
	site = s;
	http_route(http, "POST", "/api/agents", post_agent, NULL);
	http_route(http, "PUT", "/api/agents/*", put_agent, NULL);
	http_route(http, "DELETE", "/api/agents/*", delete_agent, NULL);
}
