/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_ORPHANS_H
#define MASTER_ORPHANS_H

/*
 * Orphans are what the master inherits when one of its children dies: a co-turn,
 * which ends its tree and leaves, or, if that was killed as well, the tree
 * itself. A co-turn is known by the file that it executes, since a process may
 * call itself what it likes. An agent may execute the same file, so none has
 * more time than a co-turn needs. It lives in the master.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct children;

/* An orphan that is a co-turn, and how long it may be one. */
struct orphan {
	pid_t pid;
	int64_t until_ms;
};

struct orphans {
	char *co_turn;	   /* path of the program */
	struct stat first; /* that file when we started; it may be replaced */
	int64_t look_until_ms; /* 0: nobody has died */
	struct orphan *spared;
	size_t n_spared;
};

/* Make us the one who inherits; reaping is the caller's. o is {0}. */
void orphans_inherit(struct orphans *o, const char *libexec_dir);

/* Free what o holds. */
void orphans_fini(struct orphans *o);

/* One of our children died: there may be some. */
void orphans_expect(struct orphans *o);

/* To be called often: end what has come and has nobody to watch it. */
void orphans_end(struct orphans *o, struct children *c);

#endif
