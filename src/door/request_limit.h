/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_REQUEST_LIMIT_H
#define DOOR_REQUEST_LIMIT_H

/*
 * Limits of requests over HTTP (limits/limits.h). Accepted requests get
 * RateLimit headers; refused ones get 429, Retry-After and the number.
 */
#include <stdbool.h>

struct door_setup;
struct err;
struct http_req;

/*
 * Count a request of its peer. Returns false if it was refused, which ended it.
 */
bool request_limit_peer(struct http_req *req, const struct door_setup *setup);

/*
 * Count a request of its peer, for a door that replies in a form of its own and
 * without RateLimit headers. Returns 0, or -1 with ERR_LIMIT.
 */
int request_limit_count(
    struct http_req *req, const struct door_setup *setup, struct err *err);

/*
 * As request_limit_peer(), for a verified address; "" means anonymous, which has
 * no limit.
 */
bool request_limit_caller(
    struct http_req *req, const struct door_setup *setup, const char *address);

#endif
