/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_SNAPSHOT_INT_H
#define STATUS_SNAPSHOT_INT_H

/* Private to status/: what the files of a snapshot share. */
#include "status/snapshot.h"

/* Add the sessions of the registry. */
void snapshot_take_sessions(
    struct snapshot *s, const struct registry *registry);

#endif
