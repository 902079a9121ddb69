/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_PROGRAM_H
#define TOOLS_TOOL_PROGRAM_H

/*
 * Programs that calls of tools run. Each has a process tree of its own under
 * co-turn, with the user and the limits of the agent's processes, a limit on
 * its time, and one on its output, of which the head and the tail become the
 * result. Nothing of the tree is left after the end or a cancel of the call.
 *
 * A worker runs so many at a time; further calls wait in the order in which
 * they came. Their time begins when they start.
 */
#include "base/list.h"
#include "net/loop.h"
#include "runner/runner.h"
#include "runner/source.h"
#include "tools/tool_run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_spec;

/* What all programs of a toolbox share; lives in it. */
struct tool_programs {
	struct runner_place place;
	struct source_exec source;
	int64_t max; /* that may run at a time */
	int64_t n_running;
	struct list waiting;
	struct loop_later start_waiting;
	int64_t memory_bytes; /* for errors */
	int64_t processes;
};

/* The loop and the crew outlive it. */
void tool_programs_init(struct tool_programs *p, const struct agent_spec *spec,
    struct loop *loop, struct crew *crew);

/* Free it, with all calls cancelled before. */
void tool_programs_fini(struct tool_programs *p);

/* What a call runs. Taken by tool_program_start(). */
struct tool_program_plan {
	char **argv;	 /* NULL-terminated */
	char *directory; /* absolute */
	char *input;	 /* for its standard input; NULL: none */
	size_t input_len;
	int64_t timeout_ms;
	bool fails_by_status; /* an exit status other than 0 is an error */
};

/* Free the contents of a plan that was not taken. */
void tool_program_plan_fini(struct tool_program_plan *plan);

/* Start a call, or let it wait. */
struct tool_run *tool_program_start(struct tool_programs *p,
    const struct tool_program_plan *plan, const struct tool_call_ops *ops,
    void *arg);

#endif
