/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

/*
 * A runner is one process of an agent, a tool or an MCP server, started by a
 * source, with its pipes (or its socket) on the loop. Who starts it owns it until
 * runner_retire() or runner_kill(), which null the pointer at once; the runner
 * itself lives until its whole process tree is gone and reaped.
 */
#include "base/list.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew;
struct loop;
struct runner;
struct source;

/* What a runner needs at most while it runs; while it starts, twice as many. */
#define RUNNER_DESCRIPTORS 4

/*
 * Make this process the subreaper that inherits, and ends, the tree of a
 * co-turn that is killed. Only for a process whose children all belong to its
 * runners.
 */
void runner_inherit_orphans(void);

/*
 * Shared by all runners of an agent; lives in the agent, which outlives them.
 */
struct runner_place {
	struct loop *loop;
	struct crew *crew;     /* for work that may block */
	struct source *source; /* starts the processes */
	/* Their standard input and output are the same stream socket. */
	bool has_sockets;
	/* A process may go on for as long as it likes after its output. */
	bool outlives_output;
	struct list all;
};

/* Why a process ended. */
enum runner_how {
	RUNNER_EXITED, /* status is a wait status */
	RUNNER_LIMIT,  /* killed: it had too many processes */
	RUNNER_MEMORY, /* killed: it used too much memory */
	RUNNER_LOST,   /* killed with its co-turn, or by us */
};

/* The end of a process; status belongs to RUNNER_EXITED. */
struct runner_end {
	enum runner_how how;
	int status;
};

/*
 * Returns why a turn failed whose process ended like this, and writes how it
 * ended to text.
 */
enum err_reason runner_reason(
    const struct runner_end *end, char *text, size_t size);

/* Callbacks of a runner, on the loop's thread. They may retire or kill it. */
struct runner_handlers {
	/* Bytes of its standard output, valid only inside the call. */
	void (*on_output)(void *arg, const char *data, size_t len);
	/*
	 * Its standard output has reached its end; it is about to end, or to be
	 * ended. May be NULL.
	 */
	void (*on_output_end)(void *arg);
	/*
	 * Bytes of its standard error, as on_output. NULL: they are taken as
	 * lines.
	 */
	void (*on_error_output)(void *arg, const char *data, size_t len);
	/* A line of its standard error; may be NULL. */
	void (*on_complaint)(void *arg, const char *text, size_t len);
	/* It is about to be killed because of its memory; may be NULL. */
	void (*on_over_memory)(void *arg);
	/*
	 * It has ended and all its output was delivered. Called once, as the
	 * last call. The user still owns the runner, and must call
	 * runner_kill().
	 */
	void (*on_end)(void *arg, const struct runner_end *end);
};

/* How long a process may continue after its turn before its tree is killed. */
#define RUNNER_LINGER_MS 2000

/*
 * Start a process from the place's source; its output waits for runner_claim().
 * Returns NULL with ERR_AGENT.
 */
struct runner *runner_start(struct runner_place *place,
    const struct runner_handlers *handlers, void *arg, struct err *err);

/* Use the runner with these handlers from now on: output is delivered. */
void runner_claim(
    struct runner *r, const struct runner_handlers *handlers, void *arg);

/*
 * Queue bytes for its standard input. Returns false if more than limit would
 * wait.
 */
bool runner_write(struct runner *r, const void *p, size_t n, size_t limit);

/* Close its standard input once everything written has been read. */
void runner_end_input(struct runner *r);

/* Let its tree have more processes, by one step (proc/tree.h). */
void runner_allow_more(struct runner *r);

/* Returns how many bytes wait because it does not read. */
size_t runner_waiting(const struct runner *r);

/* Pause or resume reading its output. */
void runner_pause(struct runner *r, bool is_paused);

/*
 * End of the turn: close its input, and allow RUNNER_LINGER_MS to exit. Nulls
 * *r.
 */
void runner_retire(struct runner **r);

/* Kill its whole process tree now. Nulls *r. */
void runner_kill(struct runner **r);

/* Kill and forget all runners of a place, when the agent is closed. */
void runner_clear(struct runner_place *place);

#endif
