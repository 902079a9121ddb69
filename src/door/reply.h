/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_REPLY_H
#define DOOR_REPLY_H

/* What the routes of the HTTP door share: reading identifiers, and refusing. */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct http_req;

/* Reply with a JSON body. Ends the request. */
void reply_json(struct http_req *req, int status, const struct buf *body);

/*
 * Reply what an err means to a client: "error", and where it has them "code"
 * and "data". What is the operator's business is not told. Ends the request.
 */
void reply_err(struct http_req *req, const struct err *err);

/* Append the segment matched by the route's star, %-escapes decoded, to id. */
void reply_segment(struct http_req *req, struct buf *id);

/* The value of a query parameter, *len bytes, not decoded; NULL when absent. */
const char *reply_query(struct http_req *req, const char *name, size_t *len);

/* Append wall-clock milliseconds as Unix seconds with a fraction. */
void reply_seconds(struct buf *out, long long ms);

#endif
