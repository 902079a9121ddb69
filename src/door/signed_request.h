/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_SIGNED_REQUEST_H
#define DOOR_SIGNED_REQUEST_H

/*
 * Verification of signed HTTP requests. A request names its sender in its body
 * or in headers (spec 1.4, 1.6, 1.8); access/access.h gives the verdict, and
 * the handler continues when it is known. fn is called once, and only if the
 * client is still connected.
 *
 * Requests with unusable headers are answered here, and so are those of a
 * caller that exceeds its limit (door/request_limit.h). fn's arg must outlive the
 * server, since there is no call when a client disconnects.
 */
#include "access/access.h"

#include <stdbool.h>

struct door_setup;
struct err;
struct http_req;

/* Receives the verdict. It must end the request, now or later. */
typedef void signed_request_fn(
    void *arg, struct http_req *req, const struct access_verdict *verdict);

/* Whether any x-co- header names a sender, valid or not. */
bool signed_request_is(const struct http_req *req);

/*
 * Whether the request has all the headers of a signature over the time alone.
 */
bool signed_request_is_legacy(const struct http_req *req);

/*
 * Ask for a verdict on a request whose body was read. The caller sets payload,
 * from and signature, which may be NULL; peer is set here.
 */
void signed_request_ask(struct http_req *req, const struct door_setup *setup,
    struct access_ask *ask, signed_request_fn *fn, void *arg);

/*
 * Ask for a verdict on the x-co- headers, which sign method, path and time or,
 * with a request id, the whole request.
 */
void signed_request_by_headers(struct http_req *req,
    const struct door_setup *setup, enum access_use use, signed_request_fn *fn,
    void *arg);

/* As above, for a request that must be signed as a whole, with a request id. */
void signed_request_whole(struct http_req *req, const struct door_setup *setup,
    enum access_use use, signed_request_fn *fn, void *arg);

/* As above, for the headers x-from, x-signature and x-timestamp. */
void signed_request_legacy(struct http_req *req, const struct door_setup *setup,
    enum access_use use, signed_request_fn *fn, void *arg);

/* Reply to a request that a verdict refuses. This ends the request. */
void signed_request_refuse(struct http_req *req, const struct err *err);

#endif
