/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_briefs.h"

#include "base/buf.h"
#include "base/percent.h"
#include "core/err.h"
#include "door/brief_page.h"
#include "door/listing.h"
#include "door/reply.h"
#include "net/http.h"

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

/* Read a parameter, decoded, with a NUL behind it; "" if it is absent. */
static void read_text(struct http_req *req, const char *name, struct buf *text)
{
	size_t len;
	const char *coded = reply_query(req, name, &len);
	if (coded)
		percent_text(text, coded, len, true);
	(void)buf_cstr(text);
}

/* An empty "before" is none. */
static void read_numbers(struct http_req *req, struct brief_ask *ask)
{
	size_t len = 0;
	ask->limit = BRIEF_PAGE_PRESET;
	if (!reply_query_int(req, "limit", &ask->limit))
		ask->limit = 0;
	if (reply_query(req, "before", &len) && len &&
	    (!reply_query_int(req, "before", &ask->before) || !ask->before))
		ask->before = -1;
}

static void finish(struct listing *l)
{
	brief_page_put_end(&l->out, l->next);
	buf_char(&l->out, '}');
	if (l->err)
		reply_err(l->req, l->err);
	else
		reply_json(l->req, 200, &l->out);
	brief_page_free(l->arg);
}

static const struct listing_form form = {
    .head = "{\"sessions\":[",
    .put = brief_put,
    .finish = finish,
    .most_ticks = BRIEF_PAGE_TICKS,
    .forget = brief_page_free,
};

void api_briefs_list(struct http_req *req, const struct door_setup *setup,
    const struct caller *who)
{
	struct brief_ask ask = {.is_here = http_peer_is_loopback(req)};
	struct err err;
	read_text(req, "q", &ask.text);
	read_text(req, "status", &ask.status);
	read_text(req, "owner", &ask.owner);
	read_numbers(req, &ask);
	struct brief_page *p = brief_page_new(&ask, who, &err);
	brief_ask_fini(&ask);
	if (p)
		listing_begin(req, setup, &form, &p->query, p);
	else
		http_reply_error(req, err_status(err.code), err.text);
}
