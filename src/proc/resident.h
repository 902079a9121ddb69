/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_RESIDENT_H
#define PROC_RESIDENT_H

/*
 * Memory that processes really have, as opposed to addresses that they have
 * reserved. Needs the C library alone.
 */
#include <stdint.h>

struct pids;

/*
 * What they have in bytes, at most: pages that several of them share count for
 * each. Costs some microseconds for each process.
 */
int64_t resident_bytes(const struct pids *p);

/*
 * What they have in bytes: a page that n processes share counts 1/n for each of
 * these. Slow for large processes. Who may not be looked into counts as above.
 */
int64_t resident_exact(const struct pids *p);

#endif
