/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_list.h"

#include "agentserver/as_id.h"
#include "agentserver/as_page.h"
#include "agentserver/as_reply.h"
#include "agentserver/as_talk.h"
#include "base/buf.h"
#include "core/err.h"
#include "door/listing.h"
#include "door/reply.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* How many records are looked at for one page. */
#define MOST_SEEN 1000

/* The session API cannot be called meanwhile: the list is one of ids. */
static void put_id(struct buf *out, const struct session_record *r)
{
	char uuid[ENC_UUID_SIZE];
	if (as_id_read(uuid, r->id, strlen(r->id)))
		buf_str(out, uuid);
}

/* Append a conversation. Returns whether it is there. */
static bool put_one(
    struct buf *out, const struct door_setup *setup, const char *uuid)
{
	struct as_talk t;
	struct err err;
	bool is_there = as_talk_open(&t, setup, uuid, &err) == 0;
	if (is_there)
		as_talk_put_info(out, &t);
	as_talk_close(&t);
	return is_there;
}

/*
 * Append those of a list of ids. A session may be gone by now, or its id may not
 * be one that as_talk_open() finds: clients take no null here.
 */
static void put_page(
    struct buf *out, const struct door_setup *setup, const struct buf *ids)
{
	const size_t begin = out->len;
	for (size_t at = 0; at < ids->len; at += ENC_UUID_SIZE) {
		char uuid[ENC_UUID_SIZE] = "";
		const size_t before = out->len;
		memcpy(uuid, ids->data + at, sizeof uuid - 1);
		if (before > begin)
			buf_char(out, ',');
		if (!put_one(out, setup, uuid))
			out->len = before;
	}
}

static void finish_list(struct listing *l)
{
	struct buf out = {0};
	if (l->err) {
		as_reply_err(l->req, l->err);
		return;
	}
	buf_str(&out, "{\"items\":[");
	put_page(&out, l->setup, &l->out);
	buf_str(&out, "],\"next_page_id\":");
	if (l->next)
		buf_printf(&out, "\"%" PRIu64 "\"}", l->next);
	else
		buf_str(&out, "null}");
	reply_json(l->req, 200, &out);
	buf_fini(&out);
}

void as_list_answer(struct http_req *req, const struct door_setup *setup,
    uint64_t before, unsigned most)
{
	static const struct listing_form form = {
	    .head = "", .put = put_id, .finish = finish_list};
	const struct session_query query = {
	    .caller = "",
	    .with_nobodys = true,
	    .limit = most,
	    .before = before,
	    .most_seen = MOST_SEEN,
	    .is_brief = true,
	};
	listing_begin(req, setup, &form, &query, NULL);
}

/* Append those of one parameter, "ID,ID". */
static int put_some(struct buf *out, const struct door_setup *setup,
    const char *s, const char *end, unsigned *n, struct err *err)
{
	char uuid[ENC_UUID_SIZE];
	for (; s < end; s += *s == ',') {
		size_t len = strcspn(s, "&,");
		if (!as_id_read(uuid, s, len))
			return err_set(err, ERR_BAD_REQUEST,
			    "ids must be UUIDs, separated by commas");
		if (*n == AS_PAGE_MOST)
			return err_set(err, ERR_BAD_REQUEST,
			    "at most %d ids may be asked for", AS_PAGE_MOST);
		buf_str(out, (*n)++ ? "," : "");
		if (!put_one(out, setup, uuid))
			buf_str(out, "null");
		s += len;
	}
	return 0;
}

int as_list_put_some(struct buf *out, const struct door_setup *setup,
    const char *query, struct err *err)
{
	static const char name[] = "ids=";
	const size_t len = sizeof name - 1;
	unsigned n = 0;
	buf_char(out, '[');
	for (const char *s = query; *s; s += *s == '&') {
		const char *end = s + strcspn(s, "&");
		if (strncmp(s, name, len) == 0 &&
		    put_some(out, setup, s + len, end, &n, err) < 0)
			return -1;
		s = end;
	}
	buf_char(out, ']');
	return 0;
}
