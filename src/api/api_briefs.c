/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_briefs.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/percent.h"
#include "door/brief.h"
#include "door/door.h"
#include "door/listing.h"
#include "door/reply.h"
#include "identity/address.h"
#include "net/http.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A search examines so much at most, and then tells where to go on. */
#define MOST_TICKS 32

static const char *const parameters[] = {
    "q", "before", "limit", "status", "owner"};

bool api_briefs_are_asked(struct http_req *req)
{
	size_t len;
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
		if (reply_query(req, parameters[i], &len))
			return true;
	return false;
}

/* ---- the query ---- */

/* What is asked for; the texts are in memory of its own. */
struct asked {
	struct brief_filter filter;
	char owner[ADDRESS_SIZE]; /* "": the caller */
	bool is_of_all;
	int64_t before;
	int64_t limit;
};

static void asked_free(void *arg)
{
	struct asked *a = arg;
	brief_filter_fini(&a->filter);
	free(a);
}

/* Append a parameter, decoded. Returns whether it is there. */
static bool read_text(struct http_req *req, const char *name, struct buf *text)
{
	size_t len;
	const char *coded = reply_query(req, name, &len);
	buf_reset(text);
	if (coded)
		percent_text(text, coded, len, true);
	return coded && text->len;
}

static const char *read_status(struct asked *a, const char *word)
{
	static const char *const words[] = {
	    "idle", "running", "waiting", "failed"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i]) == 0)
			a->filter.status = words[i];
	return a->filter.status
		   ? NULL
		   : "status must be idle, running, waiting or failed";
}

static const char *read_owner(struct asked *a, const struct buf *text)
{
	a->is_of_all = text->len == 1 && *text->data == '*';
	if (!a->is_of_all && !address_parse(text->data, text->len, a->owner))
		return "owner must be an address, or * for all";
	return NULL;
}

static bool may_list(const struct asked *a, const struct caller *who)
{
	return who->is_admin ||
	       (!a->is_of_all &&
		   (!a->owner[0] || strcmp(a->owner, who->address) == 0));
}

static const char *read_numbers(struct http_req *req, struct asked *a)
{
	size_t len = 0;
	const char *before = reply_query(req, "before", &len);
	a->limit = BRIEF_PRESET;
	if (!reply_query_int(req, "limit", &a->limit) || a->limit < 1 ||
	    a->limit > BRIEF_MAX)
		return "limit must be 1 to 200";
	if (before && len &&
	    (!reply_query_int(req, "before", &a->before) || a->before < 1))
		return "before must be what another page gave";
	return NULL;
}

/* Returns NULL, or the complaint. */
static const char *read_asked(struct http_req *req, struct asked *a)
{
	struct buf text = {0};
	const char *why = read_numbers(req, a);
	if (!why && read_text(req, "status", &text))
		why = read_status(a, buf_cstr(&text));
	if (!why && read_text(req, "owner", &text))
		why = read_owner(a, &text);
	const char *status = a->filter.status;
	(void)read_text(req, "q", &text);
	if (!why && text.len > BRIEF_WORDS_MAX)
		why = "q must have 200 bytes at most";
	brief_filter_init(&a->filter, buf_cstr(&text), text.len);
	a->filter.status = status;
	buf_fini(&text);
	return why;
}

/* ---- the page ---- */

static void finish(struct listing *l)
{
	buf_str(&l->out, "],\"before\":");
	if (l->next)
		buf_printf(&l->out, "\"%" PRIu64 "\"}", l->next);
	else
		buf_str(&l->out, "null}");
	if (l->err)
		reply_err(l->req, l->err);
	else
		reply_json(l->req, 200, &l->out);
	asked_free(l->arg);
}

static const struct listing_form form = {
    .head = "{\"sessions\":[",
    .put = brief_put,
    .finish = finish,
    .most_ticks = MOST_TICKS,
    .forget = asked_free,
};

/*
 * The id is the only protection of a session without an owner: as without
 * parameters, they are listed for those who could read the files.
 */
static bool sees_nobodys(
    struct http_req *req, const struct asked *a, const struct caller *who)
{
	return !a->owner[0] && (who->is_admin || http_peer_is_loopback(req));
}

void api_briefs_list(struct http_req *req, const struct door_setup *setup,
    const struct caller *who)
{
	struct asked *a = mem_zero(sizeof *a);
	const char *why = read_asked(req, a);
	int status = 400;
	if (!why && !may_list(a, who)) {
		why = "only admins may list the sessions of others";
		status = 403;
	}
	if (why) {
		asked_free(a);
		http_reply_error(req, status, why);
		return;
	}
	const struct session_query query = {
	    .caller = a->owner[0] ? a->owner : who->address,
	    .with_nobodys = sees_nobodys(req, a, who),
	    .with_all = a->is_of_all,
	    .limit = (size_t)a->limit,
	    .before = (uint64_t)a->before,
	    .is_brief = !a->filter.text.len,
	    .is_wanted = brief_is_wanted,
	    .wanted_arg = &a->filter,
	};
	listing_begin(req, setup, &form, &query, a);
}
