/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_LIMIT_H
#define API_API_LIMIT_H

/*
 * Limits of the HTTP door (limits/limits.h). What is let through gets RateLimit
 * headers; what is not is replied to with 429, Retry-After and the number.
 */
#include <stdbool.h>

struct door_setup;
struct http_req;

/* Count a request of its peer. False: it was refused, which ended it. */
bool api_limit_peer(struct http_req *req, const struct door_setup *setup);

/* The same for a verified address; "" is nobody, who has no limit. */
bool api_limit_caller(
    struct http_req *req, const struct door_setup *setup, const char *address);

#endif
