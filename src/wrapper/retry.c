/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/retry.h"

#include "base/backoff.h"

#include <stdbool.h>

void retry_accepted(struct retry *r, int64_t now_ms)
{
	r->accepted_ms = now_ms;
}

static int64_t with_jitter(int64_t delay_ms, uint32_t random)
{
	return delay_ms + (int64_t)random % (delay_ms / RETRY_JITTER_PARTS + 1);
}

int64_t retry_lost(struct retry *r, int64_t now_ms, uint32_t random)
{
	bool was_good =
	    r->accepted_ms && now_ms - r->accepted_ms >= RETRY_GOOD_MS;
	int64_t most_ms =
	    r->first_ms > RETRY_MOST_MS ? r->first_ms : RETRY_MOST_MS;

	r->accepted_ms = 0;
	if (was_good)
		r->n_attempts = r->last_ms = 0;
	if (r->n_attempts >= r->max_attempts)
		return -1;
	r->n_attempts++;
	r->last_ms = backoff(r->last_ms, r->first_ms, most_ms);
	return with_jitter(r->last_ms, random);
}
