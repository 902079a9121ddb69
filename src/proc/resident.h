/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_RESIDENT_H
#define PROC_RESIDENT_H

/*
 * Memory that processes really use, as opposed to address space that they have
 * reserved. Needs only the C library.
 */
#include <stdint.h>

struct pids;

/*
 * An upper bound of their memory in bytes: pages that several of them share
 * count once for each. Takes some microseconds per process.
 */
int64_t resident_bytes(const struct pids *p);

/*
 * Their memory in bytes: a page that n processes share counts 1/n for each of
 * them. Slow for large processes. A process whose details we may not read
 * counts as in resident_bytes().
 */
int64_t resident_exact(const struct pids *p);

#endif
