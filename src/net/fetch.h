/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_FETCH_H
#define NET_FETCH_H

/*
 * Requests that we make: HTTP and HTTPS (RFC 9110) to another server, driven by
 * our loop; names are resolved on threads of the library. Certificates and
 * names are verified. A redirect is not followed but is the answer: who asked
 * for one place is not sent to another. A proxy is used only where the
 * environment names one (https_proxy, no_proxy).
 *
 * A struct fetch is what the requests of one user share: their number is limited
 * there. Loop's thread only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch;
struct fetch_call;
struct loop;

/* A part of a body is at most about so long, and so much waits unread. */
#define FETCH_PART_BYTES (64u << 10)

/*
 * A part of the body of an answer, valid inside the callback only. Returns
 * whether there is room for more; when false, the server waits until
 * fetch_resume(). It may ask again, forget any call, its own too, and resume,
 * but not close the fetch.
 */
typedef bool fetch_part_fn(
    void *arg, long status, const char *data, size_t len);

/* What to ask for; all of it is copied. */
struct fetch_ask {
	const char *url;
	const char *const *headers; /* "Name: value" lines, NULL at the end */
	const char *body;	    /* NULL: GET, else POST */
	size_t body_len;
	int64_t timeout_ms; /* for all of it, name and connection included */
	size_t max_bytes;   /* a longer body of the answer is a failure */
	/* Gets the body as it comes, before fn; NULL: fn gets all of it. */
	fetch_part_fn *on_part;
};

/* What came, valid inside the callback only. */
struct fetch_answer {
	const char *error; /* why there is no answer; NULL: there is one */
	long status;
	const char *body; /* never NULL; "" after on_part had it */
	size_t body_len;
};

/* It may ask again, and forget other calls, but not close the fetch. */
typedef void fetch_fn(void *arg, const struct fetch_answer *answer);

/*
 * With more than max_calls at once, one fails at once. The library starts with
 * the first call. Never NULL.
 */
struct fetch *fetch_open(struct loop *loop, size_t max_calls);

/* Forget all calls, free, null *f. */
void fetch_close(struct fetch **f);

/*
 * Ask. fn is called once, later, unless fetch_forget() came first. The call is
 * gone when fn is called.
 */
struct fetch_call *fetch_start(
    struct fetch *f, const struct fetch_ask *ask, fetch_fn *fn, void *arg);

/* There is room for more parts, which come later; harmless when there was. */
void fetch_resume(struct fetch_call *call);

/* Break it off, do not call fn, null *call; NULL is accepted. */
void fetch_forget(struct fetch_call **call);

#endif
