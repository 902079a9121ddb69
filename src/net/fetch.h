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
 * A struct fetch is what the requests of one process share; loop's thread only.
 */
#include <stddef.h>
#include <stdint.h>

struct fetch;
struct fetch_call;
struct loop;

/* Most requests at once; above, one fails at once. */
#define FETCH_MAX_CALLS 64

/* What to ask for; all of it is copied. */
struct fetch_ask {
	const char *url;
	const char *const *headers; /* "Name: value" lines, NULL at the end */
	const char *body;	    /* NULL: GET, else POST */
	size_t body_len;
	int64_t timeout_ms; /* for all of it, name and connection included */
	size_t max_bytes;   /* a longer body of the answer is a failure */
};

/* What came, valid inside the callback only. */
struct fetch_answer {
	const char *error; /* why there is no answer; NULL: there is one */
	long status;
	const char *body; /* never NULL */
	size_t body_len;
};

/* It may ask again, and forget other calls, but not close the fetch. */
typedef void fetch_fn(void *arg, const struct fetch_answer *answer);

/* Once in a process, before it has threads. Never NULL. */
struct fetch *fetch_open(struct loop *loop);

/* Forget all calls, free, null *f. */
void fetch_close(struct fetch **f);

/*
 * Ask. fn is called once, later, unless fetch_forget() came first. The call is
 * gone when fn is called.
 */
struct fetch_call *fetch_start(
    struct fetch *f, const struct fetch_ask *ask, fetch_fn *fn, void *arg);

/* Break it off, do not call fn, null *call; NULL is accepted. */
void fetch_forget(struct fetch_call **call);

#endif
