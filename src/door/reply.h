/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_REPLY_H
#define DOOR_REPLY_H

/* Replies and request parsing shared by the HTTP routes of the doors. */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http_req;

/* Reply with a JSON body. This ends the request. */
void reply_json(struct http_req *req, int status, const struct buf *body);

/*
 * Reply with what err means to a client: "error", and "code" and "data" if err
 * has them. Details meant for the operator are left out. This ends the request.
 */
void reply_err(struct http_req *req, const struct err *err);

/* Reply {"success": true}. This ends the request. */
void reply_success(struct http_req *req);

/*
 * Reply {"detail": text}, the form of errors for OpenHands. This ends the
 * request.
 */
void reply_detail(struct http_req *req, int status, const char *text);

/* Add Retry-After to the reply to come, if err says when. */
void reply_retry_after(struct http_req *req, const struct err *err);

/*
 * Append the segment that matched the route's star to id, with %-escapes
 * decoded.
 */
void reply_segment(struct http_req *req, struct buf *id);

/*
 * Returns the value of a query parameter, *len bytes, not decoded; NULL if
 * absent. It lives as long as the request.
 */
const char *reply_query(struct http_req *req, const char *name, size_t *len);

/*
 * Get an integer of up to 18 digits from the query; *value keeps its value if
 * the parameter is absent. Returns false if it is no such integer.
 */
bool reply_query_int(struct http_req *req, const char *name, int64_t *value);

/* Append wall-clock milliseconds as Unix seconds with a fraction. */
void reply_seconds(struct buf *out, long long ms);

#endif
