/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/signed_http.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "core/err.h"

#include <sodium.h>

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The maximum length of a timestamp: what a double or 64 bits may need. */
#define MOST_TIMESTAMP 24

/* A pair of a query, as offsets into the decoded text. */
struct pair {
	size_t name;
	size_t name_len;
	size_t value;
	size_t value_len;
};

struct query {
	struct buf text; /* all names and values, decoded */
	struct pair pairs[SIGNED_HTTP_MAX_PAIRS];
	size_t n;
};

/* ---- the query ---- */

/* Quote like Python's quote_plus(). */
static void append_quoted(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (isalnum(c) || (c && strchr("_.-~", c)))
			buf_char(out, (char)c);
		else if (c == ' ')
			buf_char(out, '+');
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void decode_pair(struct query *q, const char *s, size_t n)
{
	struct pair *p = &q->pairs[q->n++];
	const char *equals = memchr(s, '=', n);
	size_t name_len = equals ? (size_t)(equals - s) : n;

	p->name = q->text.len;
	percent_text(&q->text, s, name_len, true);
	p->name_len = q->text.len - p->name;
	p->value = q->text.len;
	if (equals)
		percent_text(&q->text, equals + 1, n - name_len - 1, true);
	p->value_len = q->text.len - p->value;
}

static bool decode_query(struct query *q, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "&");
		if (n && q->n == SIGNED_HTTP_MAX_PAIRS)
			return false;
		if (n)
			decode_pair(q, s, n);
		s += n + (s[n] == '&');
	}
	return true;
}

static int compare_text(
    const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int order = n ? memcmp(a, b, n) : 0;

	return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* For qsort_r(): by name, then value. */
static int compare_pairs(const void *a, const void *b, void *text)
{
	const struct pair *p = a, *q = b;
	const char *s = text;
	int order =
	    compare_text(s + p->name, p->name_len, s + q->name, q->name_len);

	if (order)
		return order;
	return compare_text(
	    s + p->value, p->value_len, s + q->value, q->value_len);
}

static void encode_query(struct buf *out, struct query *q)
{
	/* Not NULL, even if all names and values are empty. */
	const char *s = buf_cstr(&q->text);

	qsort_r(q->pairs, q->n, sizeof *q->pairs, compare_pairs, q->text.data);
	for (size_t i = 0; i < q->n; i++) {
		const struct pair *p = &q->pairs[i];
		if (i)
			buf_char(out, '&');
		append_quoted(out, s + p->name, p->name_len);
		buf_char(out, '=');
		append_quoted(out, s + p->value, p->value_len);
	}
}

static bool is_utf8(const char *s)
{
	size_t n = strlen(s), len = 1;

	for (; n && len; s += len, n -= len)
		len = utf8_len(s, n);
	return len > 0;
}

/* Append the query in the canonical order and encoding, which is signed. */
static bool append_query(struct buf *out, const char *s)
{
	struct query *q = mem_zero(sizeof *q);
	bool ok = is_utf8(s) && decode_query(q, s);

	if (ok)
		encode_query(out, q);
	buf_fini(&q->text);
	free(q);
	return ok;
}

/* ---- timestamps ---- */

/* Whether s is spelled the way Python prints an integer. */
static bool is_integer(const char *s)
{
	const char *digits = s + (*s == '-');
	size_t n = strspn(digits, "0123456789");

	return n && n < MOST_TIMESTAMP && !digits[n] &&
	       (*digits != '0' || n == 1);
}

/* Whether s is a decimal number that Python's float() accepts. */
static bool read_float(const char *s, double *d)
{
	char *end;

	if (!*s || strlen(s) > MOST_TIMESTAMP ||
	    s[strspn(s, "+-.0123456789eE")])
		return false;
	*d = strtod(s, &end);
	return !*end && isfinite(*d);
}

static bool put_integer(struct buf *out, const char *s)
{
	bool ok = !s || is_integer(s);

	if (s && ok)
		buf_str(out, s);
	else
		buf_json_str(out, s);
	return ok;
}

static bool put_float(struct buf *out, const char *s)
{
	double d = 0;
	bool ok = !s || read_float(s, &d);

	if (s && ok)
		out->len += num_repr(buf_reserve(out, NUM_SIZE), d);
	else
		buf_json_str(out, s);
	return ok;
}

/* ---- the JSON ---- */

static void put_path(struct buf *out, const char *path)
{
	struct buf plain = {0};

	percent_text(&plain, path, strlen(path), false);
	buf_json(out, plain.data, plain.len);
	buf_fini(&plain);
}

static void put_route(struct buf *out, const struct signed_http *r)
{
	buf_str(out, "{\"payload\":{\"method\":");
	buf_json_str(out, r->method);
	buf_str(out, ",\"path\":");
	put_path(out, r->path);
	buf_str(out, ",\"timestamp\":");
}

static void put_signer(struct buf *out, const struct signed_http *r)
{
	buf_str(out, "},\"from\":");
	buf_json_str(out, r->from);
	buf_str(out, ",\"signature\":");
	buf_json_str(out, r->signature);
	buf_char(out, '}');
}

static void put_digest(struct buf *out, const char *body, size_t len)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof digest + 1];

	/* This cannot fail. */
	(void)crypto_hash_sha256(digest, (const unsigned char *)body, len);
	enc_hex(hex, digest, sizeof digest);
	buf_json_str(out, hex);
}

/*
 * Write what a publisher request signs in addition to a GET, after its
 * timestamp.
 */
static void put_request(
    struct buf *out, const struct signed_http *r, const char *query)
{
	buf_str(out, ",\"query\":");
	buf_json_str(out, query);
	buf_str(out, ",\"body_sha256\":");
	put_digest(out, r->body, r->body_len);
	buf_str(out, ",\"request_id\":");
	buf_json_str(out, r->request_id);
	buf_str(out, ",\"to\":");
	buf_json_str(out, r->to);
}

bool signed_http_get(struct buf *out, const struct signed_http *r)
{
	put_route(out, r);
	bool ok = put_integer(out, r->timestamp);
	put_signer(out, r);
	return ok;
}

bool signed_http_legacy(struct buf *out, const struct signed_http *r)
{
	buf_str(out, "{\"payload\":{\"timestamp\":");
	bool ok = put_float(out, r->timestamp);
	put_signer(out, r);
	return ok;
}

int signed_http_publisher(
    struct buf *out, const struct signed_http *r, struct err *err)
{
	struct buf query = {0};
	int rc = 0;

	if ((r->timestamp && !is_integer(r->timestamp)) ||
	    !append_query(&query, r->query))
		rc = err_set(err, ERR_UNAUTHORIZED,
		    "unauthorized: malformed signature headers");
	else if (!r->request_id || !*r->request_id)
		rc = err_set(
		    err, ERR_UNAUTHORIZED, "unauthorized: request id required");
	if (rc == 0) {
		put_route(out, r);
		(void)put_integer(out, r->timestamp); /* was checked above */
		put_request(out, r, buf_cstr(&query));
		put_signer(out, r);
	}
	buf_fini(&query);
	return rc;
}
