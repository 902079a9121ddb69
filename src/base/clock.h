/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The clocks. All code takes the time from here, so that tests can move it:
 * clock_follow() maps a file with one or two int64_t in native byte order. The
 * first is a number of milliseconds added to every reading; the optional second
 * is added to wall time only, as if somebody had set the clock. All processes
 * that map the same file see a change at once, so a test can let an hour pass
 * in a millisecond. Safe from any thread after the calls that set it up.
 */
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970 (UTC), including the test offsets. */
int64_t clock_wall_ms(void);

/* Microseconds since 1970 (UTC), including the test offsets. */
int64_t clock_wall_us(void);

/* Milliseconds of CLOCK_MONOTONIC, including the test offset. */
int64_t clock_mono_ms(void);

/* Microseconds of CLOCK_MONOTONIC, including the test offset. */
int64_t clock_mono_us(void);

/* Microseconds of CLOCK_MONOTONIC without any offset, for liveness checks. */
int64_t clock_steady_us(void);

/*
 * Milliseconds since the machine booted, including time spent suspended and the
 * test offset.
 */
int64_t clock_boot_ms(void);

/*
 * The time, in milliseconds, that decides whether stored data has expired. It
 * is wall time, except that jumps ahead of the wall clock are excluded while
 * clock_hold() is in force.
 */
int64_t clock_expiry_ms(void);

/*
 * Limit clock_expiry_ms() to *line_ms + clock_boot_ms() from now on, unless
 * *line_ms is 0. line_ms points into shared memory, must stay mapped, and may
 * change at any time.
 */
void clock_hold(const _Atomic int64_t *line_ms);

/*
 * Map the file, which must exist and hold 8 or 16 bytes. Returns false with
 * errno on failure.
 */
bool clock_follow(const char *path);

/*
 * Whether clock_follow() is in force. Callers that sleep for long must then
 * wake up and look at the clock again every 50 ms.
 */
bool clock_is_followed(void);

#endif
