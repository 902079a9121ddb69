/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_list.h"

#include "agentserver/as_id.h"
#include "agentserver/as_page.h"
#include "agentserver/as_talk.h"
#include "base/buf.h"
#include "core/err.h"
#include "door/door.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* How many records are looked at for one page. */
#define MOST_SEEN 1000

/* The ids of a page, each with its NUL. */
struct listing {
	char uuids[AS_PAGE_MOST][ENC_UUID_SIZE];
	unsigned n;
};

static void list_one(const struct session_record *r, void *arg)
{
	struct listing *l = arg;
	if (as_id_read(l->uuids[l->n], r->id, strlen(r->id)))
		l->n++;
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
 * Append those of a page. A session may be gone by now, or its id may not be one
 * that as_talk_open() finds: clients take no null here.
 */
static void put_page(
    struct buf *out, const struct door_setup *setup, const struct listing *l)
{
	const size_t begin = out->len;
	for (unsigned i = 0; i < l->n; i++) {
		const size_t before = out->len;
		if (before > begin)
			buf_char(out, ',');
		if (!put_one(out, setup, l->uuids[i]))
			out->len = before;
	}
}

int as_list_put(struct buf *out, const struct door_setup *setup,
    uint64_t before, unsigned most, struct err *err)
{
	struct listing l = {.n = 0};
	uint64_t next;
	const struct session_query query = {
	    .caller = "",
	    .with_nobodys = true,
	    .limit = most,
	    .before = before,
	    .most_seen = MOST_SEEN,
	    .is_brief = true,
	};
	if (session_list(setup->sessions, &query, list_one, &l, &next, err) < 0)
		return -1;
	buf_str(out, "{\"items\":[");
	put_page(out, setup, &l);
	buf_str(out, "],\"next_page_id\":");
	if (next)
		buf_printf(out, "\"%" PRIu64 "\"}", next);
	else
		buf_str(out, "null}");
	return 0;
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
