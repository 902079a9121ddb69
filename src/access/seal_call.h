/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_SEAL_CALL_H
#define ACCESS_SEAL_CALL_H

/*
 * The handshake of a seal on the gate's thread, since it is too expensive for
 * the event loop. All calls are made on the loop's thread; fn is called later,
 * never from inside the call.
 */
#include <stddef.h>
#include <stdint.h>

struct err;
struct gate;
struct json;
struct seal;
struct seal_call;
struct seal_host;

/*
 * Receives the result: the seal and the answer to send, to be copied, as both
 * are erased after the call; or NULL with err, whose text is for the client.
 */
typedef void seal_call_fn(void *arg, const struct seal *seal, const char *reply,
    size_t reply_len, const struct err *err);

/* The input; frame is borrowed for the duration of the call. */
struct seal_ask {
	const struct seal_host *host; /* must outlive the gate */
	const struct json *frame;
	uint64_t queue; /* the queue of its jobs (access/gate.h) */
};

/*
 * Check a client's SEAL. fn is called once, unless seal_call_forget() is called
 * before. Returns NULL with ERR_UNAUTHORIZED and the text for the client if it
 * is refused at once.
 */
struct seal_call *seal_call_new(struct gate *gate, const struct seal_ask *ask,
    seal_call_fn *fn, void *arg, struct err *err);

/* Cancel the callback, and null *call. */
void seal_call_forget(struct seal_call **call);

#endif
