/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as a frame from a relay: it is read as some kind, and ids are within
 * their limits. If it is an object, it also stands for an answer: with its route
 * it is an object again, which has the route once and all its other members.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "core/session_id.h"
#include "link/link_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static size_t count_key(const struct json *object, const char *key)
{
	size_t n = 0;

	for (const struct json *v = json_first(object); v; v = json_next(v))
		n += json_str_is(json_key(v), key);
	return n;
}

static void check_read(const struct link_frame *f)
{
	bool is_client =
	    f->kind == LINK_FRAME_CLIENT || f->kind == LINK_FRAME_CLOSE;

	if (is_client)
		expect(f->session.len > 0 && f->session.len <= SESSION_ID_MAX &&
		       f->conn.len <= LINK_FRAME_CONN_MAX);
	if (f->kind != LINK_FRAME_ERROR)
		expect(!f->text.len);
}

/* The beginning of a frame names the same client as all of it, or none. */
static void check_peek(
    const struct link_frame *whole, const char *text, size_t len)
{
	struct link_frame f = {.kind = LINK_FRAME_BAD};
	bool is_client =
	    whole->kind == LINK_FRAME_CLIENT || whole->kind == LINK_FRAME_CLOSE;

	for (size_t n = len; n; n /= 2) {
		link_frame_peek(&f, text, n);
		expect(f.session.len <= SESSION_ID_MAX &&
		       f.conn.len <= LINK_FRAME_CONN_MAX);
		expect(
		    f.kind == (f.session.len || f.conn.len ? LINK_FRAME_CLIENT
							   : LINK_FRAME_BAD));
		if (n == len && is_client && !memchr(text, '\\', len))
			expect(f.session.len == whole->session.len &&
			       f.conn.len == whole->conn.len &&
			       memcmp(f.session.data, whole->session.data,
				   f.session.len) == 0);
	}
	link_frame_fini(&f);
}

static void check_stamp(
    const struct json *frame, const char *text, size_t len, const char *conn)
{
	struct link_frame_place place = {"r\"oute", conn};
	struct json_doc doc = {0};
	struct json_error why;
	struct buf out = {0};
	size_t n_own = count_key(frame, "session_id");

	link_frame_stamp(&out, &place, text, len);
	const struct json *v = json_parse(&doc, out.data, out.len, 0, &why);
	expect(json_is(v, JSON_OBJECT));
	expect(count_key(v, "conn_id") == (*conn ? 1 : 0));
	if (*conn)
		expect(json_str_is(json_get(v, "conn_id"), conn));
	if (!*conn || !json_is(json_get(frame, "session_id"), JSON_STRING))
		expect(count_key(v, "session_id") == 1 &&
		       json_str_is(json_get(v, "session_id"), place.session));
	else
		expect(count_key(v, "session_id") == n_own);
	expect(json_count(v) - count_key(v, "conn_id") -
		   count_key(v, "session_id") ==
	       json_count(frame) - count_key(frame, "conn_id") - n_own);
	json_fini(&doc);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct link_frame f = {.kind = LINK_FRAME_BAD};
	struct json_doc doc = {0}, own = {0};
	struct json_error why;
	/* A copy of the exact size lets the sanitizer see a read too far. */
	char *text = malloc(size ? size : 1);

	expect(text);
	memcpy(text, data, size);
	link_frame_read(&f, &doc, text, size);
	check_read(&f);
	check_peek(&f, text, size);
	const struct json *frame = json_parse(&own, text, size, 0, &why);
	if (json_is(frame, JSON_OBJECT)) {
		check_stamp(frame, text, size, "");
		check_stamp(frame, text, size, "c");
	}
	link_frame_fini(&f);
	json_fini(&doc);
	json_fini(&own);
	free(text);
	return 0;
}
