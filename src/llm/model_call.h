/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LLM_MODEL_CALL_H
#define LLM_MODEL_CALL_H

/*
 * One question to a language model: the request, its answer as it streams in,
 * and further attempts. Loop's thread only.
 *
 * An attempt that fails transiently (no connection, 408, 409, 425, 429, 5xx, a
 * stream that is cut or empty) is repeated, at most MODEL_CALL_ATTEMPTS times in
 * all, after a backoff with jitter, or as long as Retry-After says. Once some of
 * the answer was told, nothing is repeated: the reader has it on the screen.
 * Then the completion fails as cut, and its owner decides.
 */
#include <stddef.h>
#include <stdint.h>

struct completion;
struct fetch;
struct loop;
struct model_call;
struct model_codec;
struct model_request;

/* Attempts in all. */
#define MODEL_CALL_ATTEMPTS 4

/* The longest Retry-After that is waited for; a longer one is a failure. */
#define MODEL_CALL_MAX_WAIT_MS 60000

/* A model, and how to reach it. Borrowed while calls exist. */
struct model_provider {
	const struct model_codec *codec;
	const char *base_url; /* without a slash at its end */
	const char *key;      /* NULL: none is needed */
	int64_t connect_timeout_ms;
	int64_t idle_timeout_s; /* between two pieces of an answer */
	int64_t timeout_ms;	/* of an attempt */
};

/* Callbacks; they may forget the call. */
struct model_call_ops {
	/* There is more of the answer; c grows only. */
	void (*on_more)(void *arg, const struct completion *c);
	/*
	 * The answer is complete or has failed (c->status). The call no longer
	 * exists afterwards; c is valid inside the callback only.
	 */
	void (*on_end)(void *arg, const struct completion *c);
	/* An attempt failed and another follows; why is one line. */
	void (*on_retry)(void *arg, const char *why, int64_t delay_ms);
};

/*
 * Ask. The request is written at once; nothing of it is kept. on_end comes
 * exactly once, later, unless the call is forgotten first.
 */
struct model_call *model_call_start(struct loop *loop, struct fetch *fetch,
    const struct model_provider *provider, const struct model_request *request,
    const struct model_call_ops *ops, void *arg);

/* Give up the call, closing its connection, and set *call to NULL. */
void model_call_forget(struct model_call **call);

#endif
