/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SIGNED_HTTP_H
#define IDENTITY_SIGNED_HTTP_H

/*
 * HTTP requests that are signed by headers: what was signed is not sent but
 * made again from the request as it came. These calls write it as the JSON of a
 * request that carries its payload,
 *	{"payload": {...}, "from": ..., "signature": ...}
 * which is then parsed and checked as any other (identity/signed.h). A header that
 * is absent is null there. Pure functions; safe from any thread.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* The request as it came. Headers are NULL where they are absent. */
struct signed_http {
	const char *method;
	const char *path;  /* without the query, still percent-encoded */
	const char *query; /* what follows "?", or "" */
	const char *body;
	size_t body_len;
	const char *from;
	const char *signature;
	const char *timestamp;
	const char *to;		/* publisher only */
	const char *request_id; /* publisher only */
};

/*
 * Append the JSON of a signed GET: method, path and timestamp are signed.
 * Returns whether the timestamp is absent or an integer. If not, it stands in
 * the payload as text, so that signed_read() refuses it in its turn.
 */
bool signed_http_get(struct buf *out, const struct signed_http *r);

/*
 * Append the JSON of a GET signed the old way: the timestamp alone, a float
 * whatever its spelling. Returns whether it is absent or a finite number.
 */
bool signed_http_legacy(struct buf *out, const struct signed_http *r);

/* Most pairs in the query of a publisher request. */
#define SIGNED_HTTP_MAX_PAIRS 1000

/*
 * Append the JSON of a publisher request, whose query and body are signed too.
 * Hashes the body: about two milliseconds for each MiB. Returns 0, or -1 with
 * ERR_UNAUTHORIZED: timestamp or query cannot be used, or request_id is absent.
 */
int signed_http_publisher(
    struct buf *out, const struct signed_http *r, struct err *err);

#endif
