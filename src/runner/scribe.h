/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RUNNER_SCRIBE_H
#define RUNNER_SCRIBE_H

/*
 * A scribe turns what a process writes to its standard error into log lines:
 * long lines are cut, and at most SCRIBE_LINES per second are passed on. It
 * lives in its owner; {0} is a new one.
 */
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* The longest line, in bytes; the rest is dropped. */
#define SCRIBE_LINE_MAX 4096

/*
 * The maximum number of lines per second; the number of dropped ones is
 * reported.
 */
#define SCRIBE_LINES 200

/* The unfinished line, and the rate of lines. */
struct scribe {
	struct buf line;
	int64_t second; /* the second in which lines counts */
	unsigned lines;
	unsigned dropped;
};

/* Receives one line, without its newline, valid only inside the call. */
typedef void scribe_fn(void *arg, const char *text, size_t len);

/* Process bytes; fn(arg) is called for each complete line. */
void scribe_feed(struct scribe *s, const char *data, size_t len, int64_t now_ms,
    scribe_fn *fn, void *arg);

/* The process has ended: pass on what is left, and free the memory. */
void scribe_end(struct scribe *s, scribe_fn *fn, void *arg);

#endif
