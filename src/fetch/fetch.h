/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

/*
 * HTTP and HTTPS requests (RFC 9110) that we make to other servers, driven by
 * our loop; names are resolved on threads of libcurl. Certificates and host
 * names are verified. A redirect is not followed but returned as the answer, so
 * that a caller who asked for one place is not sent to another. A proxy is used
 * only if the environment names one (https_proxy, no_proxy).
 *
 * A struct fetch is the client of one user, with a limit on the number of its
 * concurrent calls. Loop's thread only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch;
struct fetch_call;
struct loop;

/*
 * The approximate maximum size of one part of a body, and of what may be held
 * back unread.
 */
#define FETCH_PART_BYTES (64u << 10)

/*
 * Receives a part of the body of an answer, valid inside the callback only.
 * Returns whether there is room for more; if false, the server is held back
 * until fetch_resume(). It may start calls, forget any call including its own,
 * and resume, but must not close the fetch.
 */
typedef bool fetch_part_fn(
    void *arg, long status, const char *data, size_t len);

/* A request; all of it is copied. */
struct fetch_ask {
	const char *url;
	const char *const *headers; /* "Name: value" lines, NULL at the end */
	const char *body;	    /* NULL: GET, else POST */
	size_t body_len;
	int64_t timeout_ms;	    /* for the whole call */
	int64_t connect_timeout_ms; /* of it, to connect; 0: all */
	/*
	 * The longest silence of the server, in whole seconds; 0: any. Time in
	 * which it is held back does not count.
	 */
	int64_t idle_timeout_s;
	size_t max_bytes; /* a longer body fails the call */
	/* Receives the body as it comes, before fn; NULL: fn gets it whole. */
	fetch_part_fn *on_part;
};

/* The result, valid inside the callback only. */
struct fetch_answer {
	const char *error; /* why there is no answer; NULL on success */
	long status;
	int64_t retry_after_s; /* RFC 9110 section 10.2.3; 0: not given */
	const char *body;      /* never NULL; "" if on_part got it */
	size_t body_len;
};

/*
 * Receives the result. It may start calls and forget other calls, but must not
 * close the fetch. The call exists until it returns, for fetch_header() only.
 */
typedef void fetch_fn(void *arg, const struct fetch_answer *answer);

/*
 * Open a client. With max_calls in progress, further calls fail at once. The
 * library is initialised by the first call. Never returns NULL.
 */
struct fetch *fetch_open(struct loop *loop, size_t max_calls);

/* Forget all calls, free, and set *f to NULL. */
void fetch_close(struct fetch **f);

/*
 * Start a call. fn is called exactly once, later, unless fetch_forget() comes
 * first. The call ends with it and must not be forgotten then.
 */
struct fetch_call *fetch_start(
    struct fetch *f, const struct fetch_ask *ask, fetch_fn *fn, void *arg);

/*
 * Returns the value of a header of the answer, or NULL; valid until the callback
 * returns. Only inside the callbacks of the call.
 */
const char *fetch_header(const struct fetch_call *call, const char *name);

/*
 * There is room for more parts; they come later. Harmless if nothing was held
 * back.
 */
void fetch_resume(struct fetch_call *call);

/*
 * Cancel the call without calling fn, and set *call to NULL. NULL is accepted.
 */
void fetch_forget(struct fetch_call **call);

#endif
