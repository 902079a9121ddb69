/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>

#include "base/clock.h"
#include "core/heritage.h"
#include "proc/shm.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "limits/quota.h"

#define N_CHILDREN 4
#define DAY_MS (24 * 3600 * 1000)

static struct heritage *heritage;
static size_t heritage_size;
static void begin(void)
{
	int fd = shm_create("quota-test", sizeof(struct heritage));

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
}

static void end(void)
{
	(void)munmap(heritage, heritage_size);
}

/* Nothing comes again unless a test lets time pass. */
static const struct quota ten = {10, (int64_t)1000 * DAY_MS};

/* How many of n can be taken, one at a time. */
static int take(enum quota_kind kind, const char *who, int n)
{
	int taken = 0;

	for (int i = 0; i < n; i++)
		taken += quota_take(heritage, kind, who, &ten, 1, NULL);
	return taken;
}

static void test_burst(void)
{
	struct quota_left left;

	begin();
	ok(quota_has(heritage, QUOTA_REQUESTS, "anna", &ten, 10),
	    "a quota that was never used is full");
	is_int(take(QUOTA_REQUESTS, "anna", 15), 10, "the burst can be taken");
	ok(!quota_take(heritage, QUOTA_REQUESTS, "anna", &ten, 1, &left),
	    "a quota gives nothing above its burst");
	is_int(left.left, 0, "a used quota has nothing left");
	ok(left.wait_ms > 99 * (int64_t)DAY_MS &&
		left.wait_ms <= 100 * (int64_t)DAY_MS,
	    "the next comes after a tenth of the period");
	ok(!quota_has(heritage, QUOTA_REQUESTS, "anna", &ten, 1),
	    "quota_has() agrees with quota_take()");
	is_int(take(QUOTA_REQUESTS, "bert", 1), 1,
	    "the quota of another name is full");
	is_int(take(QUOTA_BYTES, "anna", 1), 1,
	    "the quota of another kind is full");
	end();
}

static void test_left(void)
{
	struct quota_left left;

	begin();
	(void)quota_take(heritage, QUOTA_BYTES, "anna", &ten, 3, &left);
	is_int(left.left, 7, "a quota tells what is left");
	is_int(left.wait_ms, 0, "a quota with something left has no wait");
	ok(left.full_ms > 299 * (int64_t)DAY_MS &&
		left.full_ms <= 300 * (int64_t)DAY_MS,
	    "a quota tells when it is full again");
	ok(!quota_take(heritage, QUOTA_BYTES, "anna", &ten, 8, &left),
	    "an amount above what is left is refused");
	is_int(left.left, 7, "a refused amount is not taken");
	end();
}

static void test_more_than_burst(void)
{
	begin();
	ok(quota_take(heritage, QUOTA_BYTES, "anna", &ten, 1000, NULL),
	    "more than the burst is taken from a full bucket");
	ok(!quota_take(heritage, QUOTA_BYTES, "anna", &ten, 1, NULL),
	    "an amount above the burst empties the quota");
	ok(quota_take(heritage, QUOTA_REQUESTS, "anna", &ten, 1, NULL) &&
		!quota_take(heritage, QUOTA_REQUESTS, "anna", &ten, 1000, NULL),
	    "an amount above the burst is refused by a quota that is not full");
	end();
}

static void test_refill(void)
{
	static const struct quota six = {6, 60000};
	struct quota_left left;

	begin();
	for (int i = 0; i < 6; i++)
		(void)quota_take(
		    heritage, QUOTA_REQUESTS, "anna", &six, 1, &left);
	ok(!quota_take(heritage, QUOTA_REQUESTS, "anna", &six, 1, &left),
	    "a minute's six are taken");
	*moved_ms += left.wait_ms;
	ok(quota_take(heritage, QUOTA_REQUESTS, "anna", &six, 1, &left),
	    "one more is given at the promised time");
	ok(!quota_take(heritage, QUOTA_REQUESTS, "anna", &six, 1, &left),
	    "no more than one is given at the promised time");
	*moved_ms += 600000;
	ok(quota_take(heritage, QUOTA_REQUESTS, "anna", &six, 1, &left),
	    "all come in a minute");
	is_int(
	    left.left, 5, "a quota of a minute does not fill above its burst");
	end();
}

/* A microsecond each; and bytes times microseconds go beyond 64 bits. */
static void test_large(void)
{
	static const struct quota fast = {60000000, 60000};
	static const struct quota huge = {(int64_t)100000000 << 20, 3600000};
	struct quota_left left;

	begin();
	(void)quota_take(heritage, QUOTA_REQUESTS, "anna", &fast, 1, &left);
	ok(left.left >= fast.burst - 2, "a million a second are counted");
	ok(quota_take(
	       heritage, QUOTA_BYTES, "anna", &huge, (int64_t)4 << 40, &left),
	    "terabytes can be taken");
	ok(left.left > 0 && left.left <= huge.burst - ((int64_t)4 << 40),
	    "terabytes that were taken are counted");
	end();
}

/* Far more names than the table has places. */
static void test_full_table(void)
{
	char who[32];
	int missed = 0;

	begin();
	(void)quota_take(heritage, QUOTA_REQUESTS, "anna", &ten, 10, NULL);
	for (int i = 0; i < 4 * HERITAGE_QUOTAS; i++) {
		(void)snprintf(who, sizeof(who), "n%d", i);
		missed +=
		    !quota_take(heritage, QUOTA_REQUESTS, who, &ten, 1, NULL);
	}
	is_int(missed, 0, "a new name is never refused");
	ok(!quota_has(heritage, QUOTA_REQUESTS, "anna", &ten, 1),
	    "the name with the least left is not forgotten");
	end();
}

/* Children that begin together, each trying for all; how many got one. */
static int race(int each)
{
	static const struct quota half = {
	    2000, (int64_t)1000 * DAY_MS}; /* of 4 x 1000 */
	int ready[2], go[2], taken = 0;
	char byte;

	if (pipe(ready) != 0 || pipe(go) != 0)
		abort();
	for (int i = 0; i < N_CHILDREN; i++) {
		if (fork() != 0)
			continue;
		int mine = 0;
		if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		for (int n = 0; n < each; n++)
			mine += quota_take(
			    heritage, QUOTA_REQUESTS, "anna", &half, 1, NULL);
		if (write(ready[1], &mine, sizeof(mine)) != sizeof(mine))
			_exit(1);
		_exit(0);
	}
	for (int i = 0; i < N_CHILDREN; i++)
		if (read(ready[0], &byte, 1) != 1)
			abort();
	if (write(go[1], "gggg", N_CHILDREN) != N_CHILDREN)
		abort();
	for (int i = 0; i < N_CHILDREN; i++) {
		int mine;
		if (read(ready[0], &mine, sizeof(mine)) != sizeof(mine))
			abort();
		taken += mine;
	}
	while (wait(NULL) > 0)
		;
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(go[0]);
	(void)close(go[1]);
	return taken;
}

static void test_processes(void)
{
	bool exact = true;

	for (int round = 0; round < 20; round++) {
		begin();
		exact &= race(1000) == 2000;
		end();
	}
	ok(exact, "processes together get the burst, not one more or less");
}

int main(void)
{
	follow_clock();
	test_burst();
	test_left();
	test_more_than_burst();
	test_refill();
	test_large();
	test_full_table();
	test_processes();
	return done();
}
