/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

/*
 * Exponential backoff: each attempt that fails doubles the delay before the
 * next.
 */
#include <stdint.h>

/*
 * Returns the delay that follows last_ms (0: there was none): first_ms, or
 * twice the last, but not more than max_ms.
 */
static inline int64_t backoff(int64_t last_ms, int64_t first_ms, int64_t max_ms)
{
	int64_t next_ms = last_ms ? last_ms * 2 : first_ms;

	return next_ms < max_ms ? next_ms : max_ms;
}

#endif
