/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_SNAPSHOT_INT_H
#define STATUS_SNAPSHOT_INT_H

/* Private to status/: what the files of a snapshot share. */
#include "status/snapshot.h"

/* Note something that cannot be true. */
void snapshot_fault(struct snapshot *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Add the sessions of the registry. */
void snapshot_take_sessions(
    struct snapshot *s, const struct registry *registry);

#endif
