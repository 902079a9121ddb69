/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_REST_H
#define WRAPPER_REST_H

/* Requests to the HTTP side of the server: JSON there and back. */
#include <stdint.h>

struct json;
struct loop;
struct rest;

/*
 * Receives an answer: its status and JSON (NULL if it has none); or 0 and what
 * went wrong.
 */
typedef void rest_fn(
    void *arg, long status, const struct json *answer, const char *error);

/* Open a client of the server with this URL, of a scheme that --server takes. */
struct rest *rest_open(struct loop *loop, const char *server);

/* Free and null *r; no answer comes any more. */
void rest_close(struct rest **r);

/* Post a body of JSON; one request at a time. fn is called later. */
void rest_post(
    struct rest *r, const char *path, const char *body, rest_fn *fn, void *arg);

/*
 * Returns a number of seconds in an answer, or default_s, in milliseconds: from
 * a second to a year.
 */
int64_t rest_duration_ms(
    const struct json *answer, const char *name, int64_t default_s);

#endif
