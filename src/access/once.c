/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/once.h"

#include "access/access_int.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/digest.h"
#include "proc/crew.h"
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

struct job {
	struct crew_job crew; /* first: the crew gives it back */
	struct store *store;
	struct use use;
	once_fn *fn;
	void *arg;
};

static void name_use(struct use *use, const struct once_ask *ask)
{
	*use = (struct use){.until_ms = ask->until_ms, .is_lasting = true};
	digest_of(use->digest, ask->text, ask->len);
	digest_of(use->digest + DIGEST_SIZE, ask->kind, strlen(ask->kind));
	if (!ask->place)
		return;
	uint8_t place[DIGEST_SIZE];
	digest_of(place, ask->place, strlen(ask->place));
	memcpy(&use->peer, place, sizeof use->peer);
	use->has_grace = true;
}

/* On a thread. */
static void run(struct crew_job *crew)
{
	struct job *job = (void *)crew;
	struct use *one = &job->use;
	struct uses *uses = uses_new(job->store);
	uses_claim(uses, &one, 1);
	uses_free(&uses);
}

static void done(struct crew_job *crew)
{
	struct job *job = (void *)crew;
	job->fn(job->arg, job->use.result);
	free(job);
}

bool once_claim(struct access *a, struct crew *crew, const struct once_ask *ask,
    once_fn *fn, void *arg)
{
	struct job *job = mem_zero(sizeof *job);
	job->crew = (struct crew_job){.run = run, .done = done};
	job->store = a->setup.store;
	job->fn = fn;
	job->arg = arg;
	name_use(&job->use, ask);
	job->use.result = USE_FAILED; /* if it never runs */
	if (crew_run(crew, &job->crew))
		return true;
	free(job);
	return false;
}

bool once_is_claimed(struct access *a, const struct once_ask *ask)
{
	struct use use;
	struct store_txn t;
	struct store_span row;
	struct err err;
	name_use(&use, ask);
	store_read(a->setup.store, &t, STORE_FACTS);
	enum store_found found =
	    store_look(&t, TABLE_USED, use.digest, sizeof use.digest, &row);
	bool is_read = store_read_end(&t, &err) == 0;
	return found != STORE_NONE || !is_read;
}
