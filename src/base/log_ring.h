/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LOG_RING_H
#define BASE_LOG_RING_H

/*
 * The latest lines of the log in shared memory, for those who watch it. Any
 * thread of any process adds lines and reads them, and none waits: a line that
 * is not complete, because its writer has just begun or has died, is skipped. A
 * line whose writer was delayed for LOG_RING_LINES others may be a mixture of
 * two. A zeroed ring is empty.
 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How many lines there are; a power of two. */
#define LOG_RING_LINES 512

/* The longest text, in bytes; the rest is cut. */
#define LOG_RING_TEXT 464

struct log_ring_line {
	_Atomic uint64_t number; /* from 1; 0: it is being written */
	int64_t time_ms;	 /* wall clock */
	int32_t pid;
	uint16_t level; /* enum log_level */
	uint16_t len;
	char speaker[24]; /* with NUL, such as "worker[2]" */
	char text[LOG_RING_TEXT];
};

struct log_ring {
	_Atomic uint64_t newest; /* the number of the newest line */
	struct log_ring_line lines[LOG_RING_LINES];
};

/*
 * Add a line. Its writer's name and text end with NUL; both are cut to fit.
 */
void log_ring_add(struct log_ring *r, enum log_level level, int64_t time_ms,
    const char *speaker, const char *text);

/*
 * Call fn with a copy of each line after the number 'after', until it returns
 * false. Returns the number of the last line that was passed to fn, or is no
 * longer there.
 */
uint64_t log_ring_read(const struct log_ring *r, uint64_t after,
    bool (*fn)(const struct log_ring_line *line, void *arg), void *arg);

#endif
