/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_HTTP_GET_H
#define CONNECT_HTTP_GET_H

/*
 * GET requests for small JSON texts, several at once, without waiting. This is
 * the library's only use of libcurl. Proxies of the environment are used, and
 * redirects are not followed.
 *
 * Life cycle: http_get_new(), calls, http_get_step() when http_get_fd() is
 * readable or the time of http_get_due_ms() has come, http_get_free().
 */
#include <stddef.h>
#include <stdint.h>

struct http_get;
struct http_get_call;

/* What came of a call; valid inside the callback. */
struct http_get_answer {
	long status;	  /* 0: there is no answer */
	const char *body; /* NUL-terminated */
	size_t len;
	const char *why; /* why there is none */
};

/*
 * Receives the answer, once, inside http_get_step(). It may start and cancel
 * calls.
 */
typedef void http_get_fn(void *arg, const struct http_get_answer *answer);

/* Begin. Never returns NULL. */
struct http_get *http_get_new(const char *user_agent);

/* Cancel all calls, free, and null *h. */
void http_get_free(struct http_get **h);

/* Returns a descriptor that is readable when there is something to do. */
int http_get_fd(const struct http_get *h);

/* Returns the time (clock_mono_ms()) at which there is something to do. */
int64_t http_get_due_ms(const struct http_get *h);

/* Do what can be done without waiting. */
void http_get_step(struct http_get *h);

/* Ask for a URL (http or https). An answer over max_bytes is none. */
struct http_get_call *http_get_start(struct http_get *h, const char *url,
    int64_t timeout_ms, size_t max_bytes, http_get_fn *fn, void *arg);

/* Make fn not be called, and null *call. */
void http_get_cancel(struct http_get_call **call);

#endif
