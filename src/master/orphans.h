/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_ORPHANS_H
#define MASTER_ORPHANS_H

/*
 * Orphans are what the master inherits when one of its children dies: a co-turn,
 * which ends its tree and leaves, or, if that was killed as well, the tree
 * itself. It lives in the master.
 */
#include <stdint.h>

struct children;

struct orphans {
	int64_t look_until_ms; /* {0}: nobody has died */
};

/* Make us the one who inherits; reaping is the caller's. */
void orphans_inherit(void);

/* One of our children died: there may be some. */
void orphans_expect(struct orphans *o);

/* To be called often: end what has come and has nobody to watch it. */
void orphans_end(const struct orphans *o, struct children *c);

#endif
