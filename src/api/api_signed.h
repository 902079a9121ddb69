/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_SIGNED_H
#define API_API_SIGNED_H

/*
 * Who signed an HTTP request. A request says so in its body, or by headers
 * (spec 1.4, 1.6, 1.8); the question goes to access/access.h, and the handler
 * goes on when the answer is there. A client that leaves meanwhile is
 * forgotten, so fn is called only for a request that lives, and then once.
 *
 * Whoever asks by headers has its request answered here if they are of no use.
 * So has a caller who asks more often than it may (api/api_limit.h).
 * fn's arg must outlive the server, since nobody is told of who left.
 */
#include "access/access.h"

#include <stdbool.h>

struct door_setup;
struct err;
struct http_req;

/* It must end the request, now or later. */
typedef void api_signed_fn(
    void *arg, struct http_req *req, const struct access_verdict *verdict);

/* Whether any x-co- header speaks of the sender, well or badly. */
bool api_signed_is(const struct http_req *req);

/* Whether it has all headers of those who sign the time alone. */
bool api_signed_is_legacy(const struct http_req *req);

/*
 * Ask for a request whose body was read: payload, from and signature are the
 * caller's to set and may be NULL, peer is set here.
 */
void api_signed_ask(struct http_req *req, const struct door_setup *setup,
    struct access_ask *ask, api_signed_fn *fn, void *arg);

/*
 * Ask who signed by x-co- headers: method, path and time, or with a request id
 * all of the request.
 */
void api_signed_by_headers(struct http_req *req, const struct door_setup *setup,
    enum access_use use, api_signed_fn *fn, void *arg);

/* As above, for a request that must be signed whole, with a request id. */
void api_signed_whole(struct http_req *req, const struct door_setup *setup,
    enum access_use use, api_signed_fn *fn, void *arg);

/* As above, for x-from, x-signature and x-timestamp. */
void api_signed_legacy(struct http_req *req, const struct door_setup *setup,
    enum access_use use, api_signed_fn *fn, void *arg);

/* Reply what a verdict refuses. Ends the request. */
void api_signed_refuse(struct http_req *req, const struct err *err);

#endif
