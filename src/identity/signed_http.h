/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_SIGNED_HTTP_H
#define IDENTITY_SIGNED_HTTP_H

/*
 * HTTP requests that are signed by headers. What was signed is not sent but
 * reconstructed from the request as it came. These calls write it as the JSON
 * of a request that carries its payload,
 *	{"payload": {...}, "from": ..., "signature": ...}
 * which is then parsed and checked like any other (identity/signed.h). An
 * absent header is null there. Pure functions; safe from any thread.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* The request as it came. Absent headers are NULL. */
struct signed_http {
	const char *method;
	const char *path;  /* without the query, still percent-encoded */
	const char *query; /* the text after "?", or "" */
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
 * Returns whether the timestamp is absent or an integer. If not, it is in the
 * payload as a string, so that signed_read() rejects it in its turn.
 */
bool signed_http_get(struct buf *out, const struct signed_http *r);

/*
 * Append the JSON of a GET signed the old way: only the timestamp, a float
 * however it is spelled. Returns whether it is absent or a finite number.
 */
bool signed_http_legacy(struct buf *out, const struct signed_http *r);

/* The maximum number of pairs in the query of a publisher request. */
#define SIGNED_HTTP_MAX_PAIRS 1000

/*
 * Append the JSON of a publisher request, whose query and body are signed as
 * well. Hashes the body: about two milliseconds for each MiB. Returns 0, or -1
 * with ERR_UNAUTHORIZED if timestamp or query cannot be used, or request_id is
 * absent.
 */
int signed_http_publisher(
    struct buf *out, const struct signed_http *r, struct err *err);

#endif
