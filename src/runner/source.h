/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RUNNER_SOURCE_H
#define RUNNER_SOURCE_H

/*
 * A source starts processes: those of an agent, of the tools of a model, or of
 * an MCP server. One kind executes a program under co-turn, and is defined here;
 * the other, for agents, forks a fork server that has loaded everything already
 * (agent/zygote.h).
 */
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct agent_spec;

/*
 * The descriptors of a new process: its three standard ones, and the socket to
 * the supervisor of its tree. The socket reaches its end when no process of the
 * tree is left; the tree is ended when we write a byte to it or close it.
 * Before its end the supervisor writes how the process ended, as co-turn does
 * (such as "exit STATUS").
 */
enum { SOURCE_IN, SOURCE_OUT, SOURCE_ERR, SOURCE_CONTROL, SOURCE_FDS };

/* The interface of a source. */
struct source {
	/*
	 * Start a process with these descriptors, which the caller keeps.
	 * Returns a pid that the caller must reap, 0 if another process reaps
	 * it, or -1 with ERR_AGENT.
	 */
	pid_t (*start)(
	    struct source *s, const int fds[SOURCE_FDS], struct err *err);
	/*
	 * Processes that end now without a report used too much memory, all
	 * together.
	 */
	bool is_over_memory;
};

/* The source that executes a program; lives in its owner. */
struct source_exec {
	struct source base;
	char *co_turn;		/* path of the trampoline */
	char **argv;		/* the program's, NULL-terminated */
	char *directory;	/* working directory */
	char *user;		/* numbers for co-turn; "-": our own */
	char **more;		/* variables for that user, NULL-terminated */
	char *variables;	/* patterns of those that it gets of ours */
	int64_t memory_bytes;	/* for all its processes together */
	int64_t space_bytes;	/* of address space, for each; 0: no limit */
	int64_t processes;	/* 0: it has nests, which limit their turns */
	int64_t processes_most; /* to which these may be raised */
};

/*
 * Initialise *s with a copy of argv, and the folders, limits and user of the
 * spec. Ends the process if there is no such user.
 */
void source_exec_init(struct source_exec *s, const struct agent_spec *spec,
    const char *const *argv);

/*
 * Let the program have only those variables of our environment that are in this
 * list (runner/secrets.h). Without this call it has all but secrets.
 */
void source_exec_name_variables(struct source_exec *s, const char *names);

/*
 * Give the program these variables ("NAME=value", NULL-terminated; NULL: none),
 * which are copied, whatever the environment says.
 */
void source_exec_add_variables(struct source_exec *s, char *const *variables);

/*
 * The program runs up to so many turns, each of which may add this number of
 * processes. It begins with one step more (proc/tree.h) than a turn may have.
 */
void source_exec_share(
    struct source_exec *s, int64_t turn_processes, int64_t turns);

/* Free the contents. */
void source_exec_fini(struct source_exec *s);

#endif
