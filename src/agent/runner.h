/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_RUNNER_H
#define AGENT_RUNNER_H

/*
 * A runner is one process of a subprocess agent, from its source, with its
 * pipes on the loop. Whoever starts it uses it until runner_retire() or
 * runner_kill(), which take it away at once; the runner itself stays until its
 * whole tree is gone and reaped.
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

/*
 * Make us the one who gets, and ends, the tree of a co-turn that was killed.
 * For a process whose only children are those of its runners.
 */
void runner_inherit_orphans(void);

/*
 * What all runners of an agent share; it
 * lives in the agent, which outlives them.
 */
struct runner_place {
	struct loop *loop;
	struct crew *crew;     /* does what may block */
	struct source *source; /* of the processes */
	struct list all;
};

enum runner_how {
	RUNNER_EXITED, /* status is a wait status */
	RUNNER_LIMIT,  /* it had too many processes, and was killed */
	RUNNER_MEMORY, /* it had too much memory, and was killed */
	RUNNER_LOST,   /* it was killed with its co-turn, or by us */
};

struct runner_end {
	enum runner_how how;
	int status;
};

struct runner_handlers {
	/* Bytes of its standard output; they are gone after the call. */
	void (*on_output)(void *arg, const char *data, size_t len);
	/* A line of its standard error. */
	void (*on_complaint)(void *arg, const char *text, size_t len);
	/* It is about to be killed for its memory; may be NULL. */
	void (*on_over_memory)(void *arg);
	/* It ended and all its output was given; called once, last. The runner
	 * is the user's still, who takes leave by runner_kill(). */
	void (*on_end)(void *arg, const struct runner_end *end);
};

/* How long a process may go on after its turn before its tree is killed. */
#define RUNNER_LINGER_MS 2000

/*
 * Start a process of the place's source; its output waits for runner_claim().
 * NULL with ERR_AGENT.
 */
struct runner *runner_start(struct runner_place *place,
    const struct runner_handlers *handlers, void *arg, struct err *err);

/* Use the runner from now on with these handlers: output flows. */
void runner_claim(
    struct runner *r, const struct runner_handlers *handlers, void *arg);

/* Queue bytes for its standard input; false when more than limit would wait. */
bool runner_write(struct runner *r, const void *p, size_t n, size_t limit);

/* Stop or go on reading its output. */
void runner_pause(struct runner *r, bool is_paused);

/*
 * The turn is over: EOF on its input, and RUNNER_LINGER_MS to leave. Nulls *r.
 */
void runner_retire(struct runner **r);

/* Kill its whole tree now. Nulls *r. */
void runner_kill(struct runner **r);

/* Kill and forget all runners of a place; used when the agent closes. */
void runner_clear(struct runner_place *place);

#endif
