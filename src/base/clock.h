/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * Time. Tests may move it: clock_follow() maps a file that holds one int64_t, a
 * number of milliseconds (native byte order) added to every reading, and maybe a
 * second one that is added to wall time alone, as if somebody set it; every
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

/* Milliseconds since the machine started, its sleep included; moved as above. */
int64_t clock_boot_ms(void);

/*
 * The time by which what is stored expires: wall time, but what the wall clock
 * jumped ahead is left out as long as the line says so.
 */
int64_t clock_expiry_ms(void);

/*
 * From now on clock_expiry_ms() is at most *line_ms + clock_boot_ms(), unless
 * *line_ms is 0. It is in shared memory and may change at any time.
 */
void clock_hold(const _Atomic int64_t *line_ms);

/* Map the file (8 or 16 bytes, must exist); false with errno when it cannot be. */
bool clock_follow(const char *path);

/*
 * Whether clock_follow() is in force, so
 * long sleeps must look again (every 50 ms).
 */
bool clock_is_followed(void);

#endif
