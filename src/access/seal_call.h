/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_SEAL_CALL_H
#define ACCESS_SEAL_CALL_H

/*
 * The handshake of a seal on the gate's thread: what it costs is not for the
 * event loop. All calls are made on the loop's thread; fn comes later, never
 * from inside the call.
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
 * What became of it: the seal and the answer to send, both the caller's to copy
 * and erased afterwards; or NULL, with err, whose text is for the client.
 */
typedef void seal_call_fn(void *arg, const struct seal *seal, const char *reply,
    size_t reply_len, const struct err *err);

/* What to look at; frame is borrowed during the call only. */
struct seal_ask {
	const struct seal_host *host; /* must outlive the gate */
	const struct json *frame;
	uint64_t queue; /* with whose jobs it takes turns (access/gate.h) */
};

/*
 * Look at a client's SEAL; fn is called once, unless seal_call_forget() came
 * first. NULL with ERR_UNAUTHORIZED and the text
 * for the client when it is refused at once.
 */
struct seal_call *seal_call_new(struct gate *gate, const struct seal_ask *ask,
    seal_call_fn *fn, void *arg, struct err *err);

/* The caller does not want to hear; nulls *call. */
void seal_call_forget(struct seal_call **call);

#endif
