/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_ORPHANS_H
#define MASTER_ORPHANS_H

/*
 * Orphans are the processes that the master inherits when one of its children
 * dies: a co-turn, which ends its tree and exits, or, if that was killed as
 * well, the tree itself. A co-turn is recognised by the file that it executes,
 * since a process may call itself anything. An agent may execute the same file,
 * so an orphan gets only as much time as a co-turn needs. Used only by the
 * master.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct children;

/* An orphan that is a co-turn, and until when it is spared. */
struct orphan {
	pid_t pid;
	int64_t until_ms;
};

struct orphans {
	char *co_turn;	       /* path of the program */
	struct stat first;     /* that file at startup; it may be replaced */
	int64_t look_until_ms; /* 0: no child has died */
	pid_t heir;	       /* the master of an upgrade; 0: none */
	struct orphan *spared;
	size_t n_spared;
};

/*
 * Make us the process that inherits orphans; the caller reaps them. *o must be
 * {0}.
 */
void orphans_inherit(struct orphans *o, const char *libexec_dir);

/* Free what o holds. */
void orphans_fini(struct orphans *o);

/* One of our children has died: look for orphans from now on. */
void orphans_expect(struct orphans *o);

/*
 * Kill the orphans that have arrived and that no co-turn watches. Call it
 * often.
 */
void orphans_end(struct orphans *o, struct children *c);

#endif
