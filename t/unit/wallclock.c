/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/clock.h"
#include "base/log.h"
#include "t/unit/scratch.h"
#include "worker/wallclock.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define TTL_MS (24 * HOUR_MS)

static int fd;
static _Atomic int64_t line_ms;

/* Offsets of all clocks, and of the wall clock besides. */
static void set_clocks(int64_t all_ms, int64_t wall_ms)
{
	int64_t both[2] = {all_ms, wall_ms};
	if (pwrite(fd, both, sizeof(both), 0) != sizeof(both))
		abort();
}

static int64_t true_line(void)
{
	return clock_wall_ms() - clock_boot_ms();
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b < 1000 && b - a < 1000;
}

static void test_small_steps(struct wallclock *w)
{
	int64_t before_ms = line_ms;
	set_clocks(0, 2000);
	ok(!wallclock_look(w), "a small step is no jump");
	ok(is_near(line_ms, before_ms + 2000), "a small step moves the line");
	set_clocks(HOUR_MS, 2000);
	ok(!wallclock_look(w), "time that passes is no jump");
	ok(is_near(line_ms, before_ms + 2000),
	    "time that passes does not move the line");
}

static void test_ahead(struct wallclock *w)
{
	int64_t before_ms = line_ms, now_ms = clock_expiry_ms();
	set_clocks(HOUR_MS, 48 * HOUR_MS);
	ok(!wallclock_look(w), "a jump ahead is not believed");
	ok(line_ms == before_ms, "the line stays");
	ok(is_near(clock_expiry_ms(), now_ms),
	    "a jump ahead makes nothing expire");
	set_clocks(HOUR_MS + TTL_MS - 5000, 48 * HOUR_MS);
	ok(!wallclock_look(w),
	    "a jump ahead is not believed while things live");
	set_clocks(HOUR_MS + TTL_MS + 5000, 48 * HOUR_MS);
	ok(wallclock_look(w), "a jump ahead is believed in the end");
	ok(is_near(line_ms, true_line()),
	    "things expire by the clock once it is believed");
}

static void test_back(struct wallclock *w)
{
	set_clocks(0, -48 * HOUR_MS);
	ok(wallclock_look(w), "a jump back is believed at once");
	ok(is_near(line_ms, true_line()), "the line goes along");
	int64_t now_ms = clock_expiry_ms();
	set_clocks(0, 0);
	ok(!wallclock_look(w) && is_near(clock_expiry_ms(), now_ms),
	    "things made meanwhile do not expire when the clock is set right");
}

static void test_start(struct wallclock *w)
{
	line_ms = 0;
	wallclock_begin(w, &line_ms, TTL_MS, 0);
	ok(is_near(line_ms, true_line()), "the first start believes the clock");
	line_ms = 0;
	wallclock_begin(w, &line_ms, TTL_MS, true_line() - 48 * HOUR_MS);
	ok(is_near(line_ms, true_line() - 48 * HOUR_MS),
	    "a later start goes on with the line believed before");
	int64_t kept_ms = line_ms;
	wallclock_begin(w, &line_ms, TTL_MS, 0);
	ok(line_ms == kept_ms, "a keeper that is replaced changes nothing");
}

int main(void)
{
	char *path = scratch_path("clock"), *log = scratch_path("log");
	struct wallclock w;

	(void)log_open(log);
	scratch_write(path, "0123456789abcdef", 16);
	fd = open(path, O_RDWR | O_CLOEXEC);
	set_clocks(0, 0);
	if (!ok(clock_follow(path), "the clocks can be moved"))
		return done();
	clock_hold(&line_ms);
	wallclock_begin(&w, &line_ms, TTL_MS, 0);
	test_small_steps(&w);
	test_ahead(&w);
	test_back(&w);
	test_start(&w);
	(void)close(fd); /* only written for the test */
	free(path);
	free(log);
	return done();
}
