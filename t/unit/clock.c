/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

#define HOUR_MS 3600000

/* Write the offset over the file's begin, as another process would. */
static bool set_offset(int fd, int64_t ms)
{
	return pwrite(fd, &ms, sizeof(ms), 0) == sizeof(ms);
}

static void test_own_time(void)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	int64_t wall_ms = clock_wall_ms();
	int64_t mono_us = clock_mono_us();

	ok(wall_ms >= now_ms && wall_ms < now_ms + 60000,
	    "the wall clock tells the time");
	ok(clock_wall_us() / 1000 - wall_ms < 60000,
	    "microseconds and milliseconds agree");
	ok(clock_mono_us() >= mono_us, "the monotonic clock does not go back");
	ok(!clock_is_followed(), "time is not moved at first");
}

static void test_moved_time(int fd, const char *path)
{
	int64_t wall_ms = clock_wall_ms(), mono_ms = clock_mono_ms();

	ok(set_offset(fd, 0) && clock_follow(path), "a file can be followed");
	ok(clock_is_followed(), "time is then followed");
	ok(clock_wall_ms() - wall_ms < HOUR_MS, "an offset of 0 is no offset");
	ok(set_offset(fd, HOUR_MS), "the file is written to");
	ok(clock_wall_ms() - wall_ms >= HOUR_MS, "wall time moves at once");
	ok(clock_wall_us() / 1000 - wall_ms >= HOUR_MS,
	    "wall time in microseconds moves at once");
	ok(clock_mono_ms() - mono_ms >= HOUR_MS,
	    "monotonic time moves with the offset");
	ok(clock_mono_us() / 1000 - mono_ms >= HOUR_MS,
	    "monotonic time in microseconds moves with the offset");
}

static void test_held_time(int fd)
{
	static _Atomic int64_t line_ms;

	ok(clock_expiry_ms() - clock_wall_ms() < HOUR_MS,
	    "things expire by wall time");
	clock_hold(&line_ms);
	ok(clock_expiry_ms() >= clock_wall_ms() - HOUR_MS,
	    "things expire by wall time while there is no line");
	line_ms = clock_wall_ms() - clock_boot_ms();
	int64_t wall_ms = clock_wall_ms(), mono_ms = clock_mono_ms();
	int64_t ahead_ms = 48 * HOUR_MS;
	ok(pwrite(fd, &ahead_ms, sizeof(ahead_ms), 8) == sizeof(ahead_ms),
	    "the wall clock is set two days ahead");
	ok(clock_wall_ms() - wall_ms >= ahead_ms,
	    "wall time moves with a clock set ahead");
	ok(clock_mono_ms() - mono_ms < HOUR_MS,
	    "monotonic time does not move with a clock set ahead");
	ok(clock_expiry_ms() - wall_ms < HOUR_MS,
	    "a clock set ahead makes nothing expire");
	int64_t back_ms = -ahead_ms;
	ok(pwrite(fd, &back_ms, sizeof(back_ms), 8) == sizeof(back_ms),
	    "the wall clock is set two days back");
	ok(clock_expiry_ms() <= wall_ms - back_ms + HOUR_MS &&
		clock_expiry_ms() < wall_ms,
	    "time that goes back is followed");
	clock_hold(NULL);
}

int main(void)
{
	char path[] = "/tmp/co-clock-XXXXXX";
	int fd = mkstemp(path);

	test_own_time();
	errno = 0;
	ok(!clock_follow("/nonexistent/clock") && errno == ENOENT,
	    "an absent file cannot be followed");
	if (!ok(fd >= 0, "there is a temporary file"))
		return done();
	errno = 0;
	ok(!clock_follow(path) && errno == EINVAL,
	    "a file that is too short cannot be followed");
	ok(!clock_is_followed(), "a failure changes nothing");
	if (!ok(ftruncate(fd, 16) == 0,
		"a clock file has room for both offsets"))
		return done();
	test_moved_time(fd, path);
	test_held_time(fd);
	(void)close(fd); /* a temporary file */
	(void)unlink(path);
	return done();
}
