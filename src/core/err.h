/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_ERR_H
#define CORE_ERR_H

/*
 * An err says why something was refused: a code from errors.tbl, which every
 * door knows how to tell its client, and a sentence that names the thing and
 * the reason. It lives on the stack of whoever asks.
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
	int64_t retry_after_ms; /* when it makes sense to ask again; 0: any */
	const char *reason; /* the word of why a turn failed; NULL: none did */
};

/* Fill *err with the code and what printf would write; fmt NULL: the code's own
 * text. Returns -1, so that a caller may return it. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The HTTP status of a code. */
int err_status(enum err_code code);

/* The "code" number of a ConnectOnion ERROR, or 0. */
int err_rpc(enum err_code code);

/* Whether the client may simply try again. */
bool err_is_retryable(enum err_code code);

/* The code's own text. */
const char *err_text(enum err_code code);

/*
 * What a client may be told of it: its own text, or where that is about the
 * machine of the operator (paths, disks) the code's.
 */
const char *err_public_text(const struct err *err);

/* The fixed word of a reason, such as "interrupted". */
const char *err_reason_word(enum err_reason reason);

/* The reason that a stored word names; REASON_FAILED for an unknown one. */
enum err_reason err_reason_of(const char *word, size_t len);

/* The record status a reason leads to: "failed" or "interrupted". */
const char *err_reason_status(enum err_reason reason);

#endif
