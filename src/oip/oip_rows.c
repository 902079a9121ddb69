/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_rows.h"

#include "base/buf.h"
#include "base/json.h"
#include "door/door.h"
#include "door/rows.h"
#include "oip/oip_conn.h"
#include "oip/oip_request.h"
#include "oip/oip_sender.h"

#include <stdlib.h>
#include <string.h>

/* Room for two numbers of 64 bits and a dash. */
#define CURSOR_SIZE 48

/* ---- the cursor ---- */

static bool read_number(const char **at, uint64_t *n)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*n = strtoull(*at, &end, 10);
	*at = end;
	return *n <= INT64_MAX;
}

static bool read_cursor(struct oip_rows *rows, const char *text, size_t len)
{
	char copy[CURSOR_SIZE];
	const char *at = copy;

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	return read_number(&at, &rows->epoch) && *at++ == '-' &&
	       read_number(&at, &rows->pos) && at == copy + len;
}

const char *oip_rows_read(struct oip_rows *rows, const struct json *frame)
{
	const struct json *asked = json_get(json_get(frame, "payload"), "rows");
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(asked, &scratch, &len);
	const char *why = NULL;

	*rows = (struct oip_rows){.is_asked = json_type(asked) != JSON_NULL};
	rows->has_cursor = text && len;
	if (rows->is_asked && !oip_sender_is_v2(frame))
		why = "rows need signed commands: \"signed_commands\":1 in the "
		      "payload";
	else if (rows->is_asked && !text)
		why = "rows must be \"EPOCH-POSITION\" or \"\"";
	else if (rows->has_cursor && !read_cursor(rows, text, len))
		why = "rows must be \"EPOCH-POSITION\" or \"\"";
	buf_fini(&scratch);
	return why;
}

bool oip_rows_are_void(
    const struct oip_rows *rows, const struct oip_conn *c, uint64_t head)
{
	return rows->has_cursor &&
	       (rows->epoch != session_epoch(c->setup->sessions) ||
		   rows->pos > head);
}

void oip_rows_attach(
    struct oip_conn *c, const struct oip_rows *rows, uint64_t head)
{
	uint64_t first;

	if (!rows->has_cursor) {
		oip_conn_attach(c, head, 0);
	} else if (!oip_rows_are_void(rows, c, head)) {
		oip_conn_attach(c, rows->pos, 0);
	} else {
		oip_conn_tell_gap(c, 0);
		first = rows_first(c->session);
		oip_conn_attach(c, first ? first - 1 : head, 0);
	}
}

/* ---- the state ---- */

static void put_number(struct buf *out, const char *name, uint64_t n)
{
	buf_str(out, name);
	buf_int(out, (int64_t)n);
}

/* The same, with null in the place of 0. */
static void put_some(struct buf *out, const char *name, uint64_t n)
{
	if (n) {
		put_number(out, name, n);
	} else {
		buf_str(out, name);
		buf_str(out, "null");
	}
}

/* Returns the position of the question that waits; 0: none. */
static uint64_t open_question(const struct session *s)
{
	static const enum event_type kinds[] = {
	    EV_ASK_USER, EV_APPROVAL_NEEDED, EV_PLAN_REVIEW};
	uint64_t question = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (session_is_waiting(s, kinds[i], &question))
			return question;
	}
	return 0;
}

static void put_title(struct buf *out, const struct oip_conn *c)
{
	const char *id = session_id(c->session);
	struct session_record record;
	struct buf memory = {0};
	struct err err;

	buf_str(out, ",\"title\":");
	if (session_look(c->setup->sessions, id, strlen(id), &memory, &record,
		&err) == 0)
		buf_json(out, record.title, record.title_len);
	else
		buf_str(out, "\"\"");
	buf_fini(&memory);
}

void oip_rows_put_state(struct buf *out, struct oip_conn *c, uint64_t head)
{
	const struct session *s = c->session;
	bool is_running = session_status(s) == SESSION_RUNNING;
	struct session_mode mode;

	session_mode(c->session, &mode);
	put_number(out, ",\"epoch\":", session_epoch(c->setup->sessions));
	put_number(out, ",\"head\":", head);
	put_number(out, ",\"first\":", rows_first(s));
	put_number(out, ",\"turn\":", session_turn(s));
	buf_str(out, is_running ? ",\"running\":true" : ",\"running\":false");
	put_some(out, ",\"question\":", open_question(s));
	buf_str(out, ",\"mode\":");
	buf_json_str(out, mode.id);
	put_some(out, ",\"turns_left\":", (uint64_t)mode.turns_left);
	put_title(out, c);
}

/* ---- ROWS ---- */

/* Read a number that may be left out. */
static bool read_member(const struct json *frame, const char *name, int64_t *n)
{
	const struct json *v = json_get(frame, name);

	*n = -1;
	return json_type(v) == JSON_NULL || (json_int(v, n) && *n >= 0);
}

static const char *read_page(const struct json *frame, struct rows_query *q)
{
	int64_t before, after, limit;

	if (!read_member(frame, "before", &before) ||
	    !read_member(frame, "after", &after) ||
	    !read_member(frame, "limit", &limit))
		return "before, after and limit must be integers";
	return rows_query(q, before, after, limit);
}

void oip_rows_page(struct oip_conn *c, const struct json *frame)
{
	struct rows_query q;
	struct buf *out;
	const char *why = c->session ? read_page(frame, &q)
				     : "authenticate first (send CONNECT)";

	if (why) {
		oip_request_refuse(c, frame, why);
		return;
	}
	out = oip_conn_frame();
	buf_str(out, "{\"type\":\"ROWS\",");
	rows_put_page(out, c->setup->sessions, c->session, &q);
	oip_request_put(out, frame);
	buf_char(out, '}');
	oip_conn_send(c);
}
