/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_ERR_H
#define CORE_ERR_H

/*
 * An err says why something failed: a code from errors.tbl, which every door
 * can translate for its client, and a sentence that names the object and the
 * reason. It lives on the stack of the caller.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err_code {
#define ERROR(code, status, rpc, retryable, text) ERR_##code,
#define REASON(code, word, status, doc)
#include "core/errors.tbl"
#undef ERROR
#undef REASON
	ERR_COUNT
};

/* Why a turn failed. */
enum err_reason {
#define ERROR(code, status, rpc, retryable, text)
#define REASON(code, word, status, doc) REASON_##code,
#include "core/errors.tbl"
#undef ERROR
#undef REASON
	REASON_COUNT
};

struct err {
	enum err_code code;
	char text[512];
	int64_t retry_after_ms; /* when a retry makes sense; 0: any time */
	const char *reason; /* word for why a turn failed; NULL: not a turn */
};

/*
 * Set *err to the code and a formatted text; fmt NULL means the code's own
 * text. Returns -1, so that a caller can return the result.
 */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns the HTTP status of a code. */
int err_status(enum err_code code);

/* Returns the "code" number of a ConnectOnion ERROR, or 0. */
int err_rpc(enum err_code code);

/* Whether the client may retry the same request. */
bool err_is_retryable(enum err_code code);

/* Returns the code's own text. */
const char *err_text(enum err_code code);

/*
 * Returns what a client may be told: the err's own text or, if that is about
 * the operator's machine (paths, disks), the code's.
 */
const char *err_public_text(const struct err *err);

/* Returns the protocol word of a reason, such as "interrupted". */
const char *err_reason_word(enum err_reason reason);

/* Returns the reason that a stored word names; REASON_FAILED if unknown. */
enum err_reason err_reason_of(const char *word, size_t len);

/* Returns the record status for a reason: "failed" or "interrupted". */
const char *err_reason_status(enum err_reason reason);

#endif
