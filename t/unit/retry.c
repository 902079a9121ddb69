/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* When the wrapper connects again, and when it gives up. */
#include "wrapper/retry.h"

#include "t/unit/tap.h"

static int64_t now_ms = 1000;

/* A connection that the server accepts and that breaks after so long. */
static int64_t break_after(struct retry *r, int64_t ms)
{
	retry_accepted(r, now_ms);
	now_ms += ms;
	return retry_lost(r, now_ms, 0);
}

static void test_refused(void)
{
	static const int64_t waits[] = {
	    1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000, 30000};
	struct retry r = {.first_ms = 1000, .max_attempts = 10};

	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		is_int(retry_lost(&r, now_ms, 0), waits[i],
		    "wait %zu of a server that cannot be reached", i + 1);
	is_int(retry_lost(&r, now_ms, 0), -1,
	    "after ten attempts in a row no further one is made");
}

static void test_breaking(void)
{
	struct retry r = {.first_ms = 1000, .max_attempts = 3};

	is_int(break_after(&r, 60000), 1000,
	    "the first wait follows a connection that was good");
	is_int(break_after(&r, 0), 2000,
	    "a connection that breaks at once lets the wait grow");
	is_int(break_after(&r, RETRY_GOOD_MS - 1), 4000,
	    "a connection that breaks soon lets the wait grow");
	is_int(break_after(&r, 10), -1,
	    "connections that break soon count as attempts");
}

static void test_good(void)
{
	struct retry r = {.first_ms = 1000, .max_attempts = 3};

	(void)break_after(&r, 10);
	(void)break_after(&r, 10);
	(void)break_after(&r, 10);
	is_int(break_after(&r, RETRY_GOOD_MS), 1000,
	    "a good connection lets wait and count start anew");
	(void)retry_lost(&r, now_ms, 0);
	now_ms += RETRY_GOOD_MS;
	is_int(retry_lost(&r, now_ms, 0), 4000,
	    "time without a connection does not count as good");
	is_int(retry_lost(&r, now_ms, 0), -1,
	    "the count goes on after a failed attempt");
}

static void test_bounds(void)
{
	struct retry r = {.first_ms = 1000, .max_attempts = 2};
	struct retry slow = {.first_ms = 60000, .max_attempts = 2};
	struct retry once = {.first_ms = 1000};

	is_int(retry_lost(&r, now_ms, 200), 1200,
	    "a wait is up to a fifth longer");
	is_int(retry_lost(&r, now_ms, 401), 2000,
	    "the next wait is twice the one without jitter");
	is_int(retry_lost(&slow, now_ms, 0), 60000,
	    "a first wait over 30 s is kept");
	is_int(retry_lost(&slow, now_ms, 0), 60000,
	    "a first wait over 30 s does not grow");
	is_int(retry_lost(&once, now_ms, 0), -1,
	    "a server is not tried again with 0 attempts");
}

int main(void)
{
	test_refused();
	test_breaking();
	test_good();
	test_bounds();
	return done();
}
