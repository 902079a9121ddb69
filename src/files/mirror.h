/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_MIRROR_H
#define FILES_MIRROR_H

/*
 * The mirror writes what changes in the store into files for people: lines of
 * .co/session_results.jsonl (results.h) and .co/evals (evals.h). It reads the
 * feed (feed.h), in the keeper, so no request waits for it. A line may be
 * written twice by a keeper that was killed; none is lost. When it begins, and
 * whenever it had to give changes up, it compares the whole file with the store
 * and adds what is missing.
 *
 * A second keeper, which lives while settings change, waits until the first is
 * gone.
 */
#include <stdint.h>

struct conf;
struct mirror;
struct store;

struct mirror_setup {
	const struct conf *conf;
	struct store *store;
	/* What eval files say of the agent; evals are not written when NULL. */
	const char *model;
};

/* A mirror with nothing done yet. Never NULL. */
struct mirror *mirror_new(const struct mirror_setup *setup);

/* Do a bounded part of what is to be done; in how many milliseconds to call
 * again. Errors are logged, once each until things go well again. */
int64_t mirror_step(struct mirror *m);

/* Free and null *m; what is not done is done by the next keeper. */
void mirror_free(struct mirror **m);

#endif
