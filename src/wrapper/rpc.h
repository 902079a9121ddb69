/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_RPC_H
#define WRAPPER_RPC_H

/*
 * JSON-RPC 2.0, a message a line, for dialects: codex leaves the version out.
 * Pure functions.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct json;

/* A message; absent parts are NULL or absent. */
struct rpc {
	const struct json *method; /* of a request or notification */
	const struct json *params;
	struct span id;		   /* exact JSON; absent: a notification */
	int64_t number;		   /* the id if it is a number, else -1 */
	const struct json *result; /* of an answer */
	const struct json *error;
};

/* Read a message. */
void rpc_read(struct rpc *r, const struct json *line);

/* Append the message of an error, or a general one. */
void rpc_put_error(struct buf *out, const struct json *error);

/* Append a request of ours up to its params, which follow, then rpc_end(). */
void rpc_request(
    struct buf *out, bool has_version, int64_t number, const char *method);
void rpc_notify(struct buf *out, bool has_version, const char *method);

/* Append an answer up to its result, which follows, then rpc_end(). */
void rpc_answer(struct buf *out, bool has_version, struct span id);
void rpc_end(struct buf *out);

/* Append the refusal of a request that we do not know (-32601). */
void rpc_refuse(struct buf *out, bool has_version, struct span id);

#endif
