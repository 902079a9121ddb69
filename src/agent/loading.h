/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_LOADING_H
#define AGENT_LOADING_H

/*
 * A loading is one attempt of a process to load the agent, with what the
 * process writes to standard error meanwhile. A program that cannot be loaded
 * is tried again and again, and would fill the log: after a failure, the lines
 * of the next attempts are kept until it is known how these end, and lines of
 * the same failure are dropped. Failures are the same if they differ in numbers
 * only, such as times and addresses.
 *
 * Life: loading_begin() -> loading_hear() for each line -> loading_succeeded()
 * or loading_failed(), and loading_fini() in any case.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Lines of an attempt are kept up to this size; longer ones are logged. */
#define LOADING_KEPT_MAX 65536

/* What all attempts of an agent share; {.role = ...} at first. */
struct loading_past {
	const char *role;  /* who says the lines, in the log: "agent" */
	struct buf last;   /* what the last failure said, without numbers */
	unsigned n_failed; /* in a row */
};

struct loading {
	struct loading_past *past;
	struct buf kept;
	bool is_quiet; /* nothing of it is in the log yet */
};

/* Begin an attempt. The past must outlive it. */
void loading_begin(struct loading *l, struct loading_past *past);

/* The process wrote a line. */
void loading_hear(struct loading *l, const char *text, size_t len);

/* Log what was kept, and further lines at once: it takes too long. */
void loading_show(struct loading *l);

/*
 * The process ended before it had loaded the agent, or could not be started
 * (why). Returns whether the log has to tell more of it: it is not the failure
 * of the attempt before.
 */
bool loading_failed(struct loading *l, const char *why);

/* The agent is loaded: returns how many attempts had failed, and forgets them.
 */
unsigned loading_succeeded(struct loading *l);

/* Free the contents; lines that were kept are dropped. */
void loading_fini(struct loading *l);

/* Forget earlier failures, so that the next one is told. Also frees. */
void loading_forget(struct loading_past *past);

#endif
