/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any text as a frame to forward. The first byte says in what pieces it comes.
 * The scan agrees with the JSON parser on what is an object, apart from what it
 * accepts on purpose; what is left after a cut is an object with the same
 * members, without those that were cut.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "relay/scan.h"

#define ALL (SCAN_CUT_SESSION | SCAN_CUT_CONN | SCAN_CUT_PRIVATE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static bool scan_text_in(
    struct scan *s, const char *text, size_t len, size_t piece)
{
	scan_begin(s);
	for (size_t at = 0; at < len;) {
		size_t n = piece < len - at ? piece : len - at;
		if (!scan_feed(s, text + at, n))
			return false;
		at += n;
	}
	return scan_end(s);
}

static bool is_cut(const struct json *member)
{
	struct buf scratch = {0};
	size_t len;
	const char *key = json_str(json_key(member), &scratch, &len);
	bool is_it = (len == 7 && memcmp(key, "conn_id", 7) == 0) ||
		     (len == 10 && memcmp(key, "session_id", 10) == 0) ||
		     (len >= 7 && memcmp(key, "_relay_", 7) == 0);

	buf_fini(&scratch);
	return is_it;
}

static bool is_same_text(const struct json *a, const struct json *b)
{
	size_t n, m;
	const char *x = json_text(a, &n), *y = json_text(b, &m);

	return n == m && memcmp(x, y, n) == 0;
}

/* The members that are left are those of the whole, in their order. */
static void check_rest(const struct json *whole, const char *rest, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};

	buf_char(&text, '{');
	buf_append(&text, rest, len);
	const struct json *left =
	    json_parse(&doc, text.data, text.len, 0, &why);
	expect(json_is(left, JSON_OBJECT));
	const struct json *b = json_first(left);
	for (const struct json *a = json_first(whole); a; a = json_next(a)) {
		if (is_cut(a))
			continue;
		expect(b && is_same_text(json_key(a), json_key(b)) &&
		       is_same_text(a, b));
		b = json_next(b);
	}
	expect(!b);
	json_fini(&doc);
	buf_fini(&text);
}

static void check_cut(const struct scan *s, const struct json *whole,
    const char *text, size_t len)
{
	struct buf copy = {0};

	buf_append(&copy, text, len);
	struct scan_rest rest = scan_cut(s, ALL, copy.data, len);
	expect(rest.from <= rest.end && rest.end <= len);
	check_rest(whole, copy.data + rest.from, rest.end - rest.from);
	buf_fini(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scan s, pieces;
	struct json_doc doc = {0};
	struct json_error why;

	if (!size)
		return 0;
	const char *text = (const char *)data + 1;
	size_t len = size - 1, piece = data[0] % 7 + 1;
	bool is_good = scan_text_in(&s, text, len, len ? len : 1);
	expect(scan_text_in(&pieces, text, len, piece) == is_good);
	const struct json *whole = json_parse(&doc, text, len, 0, &why);
	if (is_good && whole) {
		expect(json_is(whole, JSON_OBJECT));
		expect(json_count(whole) == s.n_members);
		check_cut(&s, whole, text, len);
	}
	/* What the parser reads, the scan reads; only it counts repetitions. */
	if (json_is(whole, JSON_OBJECT) && !is_good)
		expect(s.n_cuts == SCAN_CUTS);
	json_fini(&doc);
	return 0;
}
