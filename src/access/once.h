/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_ONCE_H
#define ACCESS_ONCE_H

/*
 * What a door lets through once, or no longer: a token that was exchanged for
 * another one, or withdrawn. It is a lasting claim (access/uses.h), so all
 * workers know of it, and it outlives crashes. Calls are made on the loop's
 * thread.
 */
#include "access/uses.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;
struct crew;

/* What is claimed. */
struct once_ask {
	const char *kind; /* separates what different callers claim */
	const char *text; /* borrowed for the call */
	size_t len;
	int64_t until_ms;  /* wall clock: how long it is remembered */
	const char *place; /* may repeat it for USES_GRACE_MS; NULL: nobody */
};

/* Receives the result, on the loop's thread. */
typedef void once_fn(void *arg, enum use_result result);

/*
 * Claim it, on a thread of the crew. fn is called once, later. Returns false,
 * and never calls it, if the crew has too much to do.
 */
bool once_claim(struct access *a, struct crew *crew, const struct once_ask *ask,
    once_fn *fn, void *arg);

/* Whether it is claimed. */
bool once_is_claimed(struct access *a, const struct once_ask *ask);

#endif
