/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_MIRROR_H
#define FILES_MIRROR_H

/*
 * The mirror writes changes of the store into files for people: lines of
 * .co/session_results.jsonl (results.h) and .co/evals (evals.h). It reads the
 * feed (feed.h) in the keeper, so no request waits for it. If the keeper is
 * killed, a line may be written twice, but none is lost. At the start, and
 * whenever it had to drop changes, it compares the whole file with the store
 * and adds what is missing.
 *
 * A second keeper, which exists while settings change, waits until the first is
 * gone.
 */
#include <stdint.h>

struct conf;
struct mirror;
struct store;

/* What a mirror needs. All of it is borrowed and must outlive it. */
struct mirror_setup {
	const struct conf *conf;
	struct store *store;
	/* what eval files say about the agent; NULL: no evals */
	const char *model;
};

/* Create a mirror; no work is done yet. Never NULL. */
struct mirror *mirror_new(const struct mirror_setup *setup);

/*
 * Do a bounded part of the pending work. Returns after how many milliseconds to
 * call it again. Errors are logged, each once until the operation succeeds
 * again.
 */
int64_t mirror_step(struct mirror *m);

/* Free and null *m. The next keeper does the remaining work. */
void mirror_free(struct mirror **m);

#endif
