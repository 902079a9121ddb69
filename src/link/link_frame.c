/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/link_frame.h"

#include "base/json_peek.h"
#include "core/session_id.h"

#include <string.h>

/* Get an id; false if there is something else in its place. */
static bool read_id(struct buf *out, const struct json *v, size_t most)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);
	bool is_good =
	    s && len <= most && len > 0 && session_id_is_valid(s, len);

	if (is_good)
		buf_append(out, s, len);
	buf_fini(&scratch);
	return is_good;
}

/* What the relay says about an error, in either of two places. */
static void read_error(struct link_frame *f, const struct json *frame)
{
	const struct json *said = json_get(frame, "error");
	size_t len = 0;

	if (!json_is(said, JSON_STRING))
		said = json_get(frame, "message");
	struct buf scratch = {0};
	const char *s = json_str(said, &scratch, &len);
	if (s)
		buf_append(&f->text, s, len);
	buf_fini(&scratch);
}

/* A frame that is from no client. */
static enum link_frame_kind read_own(
    struct link_frame *f, const struct json *frame, const struct json *type)
{
	if (json_str_is(type, "ANNOUNCE_OK"))
		return LINK_FRAME_OK;
	if (json_str_is(type, "PING") || json_str_is(type, "PONG"))
		return LINK_FRAME_ASIDE;
	if (!json_str_is(type, "ERROR"))
		return LINK_FRAME_BAD;
	read_error(f, frame);
	return LINK_FRAME_ERROR;
}

static enum link_frame_kind read_frame(
    struct link_frame *f, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");
	const struct json *session = json_get(frame, "session_id");
	const struct json *conn = json_get(frame, "conn_id");
	bool has_conn = json_type(conn) != JSON_NULL;

	if (!json_is(frame, JSON_OBJECT))
		return LINK_FRAME_BAD;
	if (!has_conn && json_type(session) == JSON_NULL)
		return read_own(f, frame, type);
	if (!read_id(&f->session, session, SESSION_ID_MAX) ||
	    (has_conn && !read_id(&f->conn, conn, LINK_FRAME_CONN_MAX)))
		return LINK_FRAME_BAD;
	return json_str_is(type, "close") ? LINK_FRAME_CLOSE
					  : LINK_FRAME_CLIENT;
}

static void forget(struct link_frame *f)
{
	buf_reset(&f->session);
	buf_reset(&f->conn);
	buf_reset(&f->text);
	f->kind = LINK_FRAME_BAD;
}

void link_frame_read(
    struct link_frame *f, struct json_doc *doc, const char *text, size_t len)
{
	struct json_error why;

	forget(f);
	f->kind = read_frame(f, json_parse(doc, text, len, 0, &why));
}

/* Relays have no reason to escape anything in ids. */
static bool is_plain_id(const struct json_peeked *m, size_t most)
{
	return m->is_string && !m->is_cut && m->value.len <= most &&
	       !memchr(m->value.text, '\\', m->value.len) &&
	       session_id_is_valid(m->value.text, m->value.len);
}

static void peek_id(
    struct buf *id, const struct json_peeked *m, const char *name, size_t most)
{
	if (m->key.len != strlen(name) ||
	    memcmp(m->key.text, name, m->key.len) != 0)
		return;
	buf_reset(id);
	if (is_plain_id(m, most))
		buf_append(id, m->value.text, m->value.len);
}

void link_frame_peek(struct link_frame *f, const char *text, size_t len)
{
	struct json_peek peek;
	struct json_peeked m;

	forget(f);
	json_peek_begin(&peek, text, len);
	while (json_peek_next(&peek, &m)) {
		peek_id(&f->session, &m, "session_id", SESSION_ID_MAX);
		peek_id(&f->conn, &m, "conn_id", LINK_FRAME_CONN_MAX);
	}
	if (f->session.len || f->conn.len)
		f->kind = LINK_FRAME_CLIENT;
}

void link_frame_fini(struct link_frame *f)
{
	buf_fini(&f->session);
	buf_fini(&f->conn);
	buf_fini(&f->text);
	f->kind = LINK_FRAME_BAD;
}

static void put_members(
    struct buf *out, const struct link_frame_place *place, bool has_session)
{
	buf_char(out, '{');
	if (!has_session) {
		buf_str(out, "\"session_id\":");
		buf_json_str(out, place->session);
	}
	if (*place->conn) {
		buf_str(out, has_session ? "\"conn_id\":" : ",\"conn_id\":");
		buf_json_str(out, place->conn);
	}
}

/* Append the members of a frame, but not what the route replaces. */
static void put_rest(struct buf *out, const struct json *frame, bool keeps)
{
	for (const struct json *v = json_first(frame); v; v = json_next(v)) {
		size_t len;
		const char *text;
		if (json_str_is(json_key(v), "conn_id") ||
		    (!keeps && json_str_is(json_key(v), "session_id")))
			continue;
		text = json_text(json_key(v), &len);
		buf_char(out, ',');
		buf_append(out, text, len);
		buf_char(out, ':');
		text = json_text(v, &len);
		buf_append(out, text, len);
	}
}

void link_frame_stamp(struct buf *out, const struct link_frame_place *place,
    const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *frame =
	    json_parse(&doc, text, len, JSON_SHALLOW, &why);

	if (json_is(frame, JSON_OBJECT)) {
		bool keeps =
		    *place->conn &&
		    json_is(json_get(frame, "session_id"), JSON_STRING);
		put_members(out, place, keeps);
		put_rest(out, frame, keeps);
		buf_char(out, '}');
	}
	json_fini(&doc);
}

void link_frame_end(struct buf *out, const struct link_frame_place *place,
    int code, const char *reason)
{
	put_members(out, place, false);
	buf_printf(out, ",\"type\":\"close\",\"code\":%d,\"reason\":", code);
	buf_json_str(out, reason);
	buf_char(out, '}');
}
