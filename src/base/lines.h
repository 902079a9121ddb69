/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LINES_H
#define BASE_LINES_H

/*
 * Lines on their way to a file or a terminal. Each is written at once, except
 * by one thread of the process, that of the event loop: it may keep its lines
 * and write them together (lines_keep()). They must be flushed before the loop
 * sleeps and before a client is answered, so that whoever has got an answer
 * finds in the log what led to it.
 *
 * What is kept when the process is killed is lost.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * The maximum size of what is written together: a pipe takes so much at once,
 * and does not mix it with the lines of other processes.
 */
#define LINES_BYTES 4096

/* Where lines go. Static: lines_flush() refers to it. */
struct lines {
	void (*write)(const char *bytes, size_t len);
	/* Private: what is kept. */
	struct lines *next;
	bool is_kept; /* linked */
	size_t len;
	char bytes[LINES_BYTES];
};

/*
 * Set whether the calling thread keeps its lines; initially false. Only one
 * thread may.
 */
void lines_keep(bool is_keeping);

/* Write a line, which ends with a newline, or keep it. */
void lines_add(struct lines *l, const char *line, size_t len);

/* Write what the calling thread keeps, if it is the one that keeps lines. */
void lines_flush(void);

#endif
