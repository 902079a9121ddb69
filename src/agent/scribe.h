/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_SCRIBE_H
#define AGENT_SCRIBE_H

/*
 * A scribe makes log lines of what a process writes to its standard error: long
 * lines are cut, and a process that babbles is heard SCRIBE_LINES times a
 * second. It lives in its owner; {0} is a new one.
 */
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Longest line, in bytes; the rest of it is dropped. */
#define SCRIBE_LINE_MAX 4096

/* Most lines in a second; the number of those dropped is told. */
#define SCRIBE_LINES 200

struct scribe {
	struct buf line;
	int64_t second; /* which one lines counts for */
	unsigned lines;
	unsigned dropped;
};

typedef void scribe_fn(void *arg, const char *text, size_t len);

/* Take bytes; fn(arg) is called for each line that is whole. */
void scribe_feed(struct scribe *s, const char *data, size_t len, int64_t now_ms,
    scribe_fn *fn, void *arg);

/* The process ended: give out what is left, and free the memory. */
void scribe_end(struct scribe *s, scribe_fn *fn, void *arg);

#endif
