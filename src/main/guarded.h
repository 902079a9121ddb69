/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_GUARDED_H
#define MAIN_GUARDED_H

/*
 * Work that may hang or crash, such as reading a damaged store, in a process of
 * its own. For commands, which have one thread.
 */
#include <stdint.h>

struct buf;

/* Appends its result to out. Returns an exit status. */
typedef int guarded_fn(void *arg, struct buf *out);

/*
 * Call fn in a child process and append what it wrote. Returns the status, or -1
 * if it took longer than limit_ms, and was killed, or crashed.
 */
int guarded_run(guarded_fn *fn, void *arg, int64_t limit_ms, struct buf *out);

#endif
