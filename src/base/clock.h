/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * Time. Tests may move it: clock_follow() maps a file that holds one int64_t, a
 * number of milliseconds (native byte order) added to every reading; every
 * process that maps the same file sees the same moved time at once, so an hour
 * passes in a millisecond.
 */
#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970, moved as above. */
int64_t clock_wall_ms(void);

/* Microseconds since 1970, moved as above. */
int64_t clock_wall_us(void);

/* Milliseconds of CLOCK_MONOTONIC, moved as above. */
int64_t clock_mono_ms(void);

/* Microseconds of CLOCK_MONOTONIC, moved as above. */
int64_t clock_mono_us(void);

/* Microseconds of CLOCK_MONOTONIC, which nobody moves: for signs of life. */
int64_t clock_steady_us(void);

/* Map the file (8 bytes, must exist); false with errno when it cannot be. */
bool clock_follow(const char *path);

/*
 * Whether clock_follow() is in force, so
 * long sleeps must look again (every 50 ms).
 */
bool clock_is_followed(void);

#endif
