/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_SOURCE_H
#define AGENT_SOURCE_H

/*
 * A source is where the processes of a subprocess agent come from. One kind
 * executes a program under co-turn, and is here; another forks a process that
 * has loaded everything already (agent/zygote.h).
 */
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct agent_spec;

/*
 * What a process is started with: its three standard descriptors, and the
 * socket to whoever watches its tree. That one ends when no process of the tree
 * is left, ends the tree when we write a byte or close it, and says before its
 * end what co-turn says ("exit STATUS", say).
 */
enum { SOURCE_IN, SOURCE_OUT, SOURCE_ERR, SOURCE_CONTROL, SOURCE_FDS };

struct source {
	/*
	 * Start a process with these descriptors, which stay the caller's.
	 * Returns a pid for the caller to reap, 0 if somebody else reaps it, or
	 * -1 with ERR_AGENT.
	 */
	pid_t (*start)(
	    struct source *s, const int fds[SOURCE_FDS], struct err *err);
	/* What ends now with nothing said had too much memory, all together. */
	bool is_over_memory;
};

/* The source that executes a program; it lives in its owner. */
struct source_exec {
	struct source base;
	char *co_turn;	      /* path of the trampoline */
	char **argv;	      /* of the program, NULL-terminated */
	char *directory;      /* where it runs */
	char *user;	      /* numbers for co-turn; "-": ours */
	char **more;	      /* variables for this user, NULL-terminated */
	int64_t memory_bytes; /* of all its processes */
	int64_t space_bytes;  /* of addresses, of each; 0: no limit */
	int64_t processes;    /* 0: it has nests, which limit their turns */
};

/*
 * Prepare it, or end the process if there is no such user: a copy of argv, with
 * the folders, limits and user of the spec.
 */
void source_exec_init(struct source_exec *s, const struct agent_spec *spec,
    const char *const *argv);

/* Free what it holds. */
void source_exec_fini(struct source_exec *s);

#endif
