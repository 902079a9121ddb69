/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/wallclock.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdatomic.h>

/*
 * A smaller difference is not a jump: clocks are slewed, and two readings take
 * time.
 */
#define SLACK_MS 5000

static bool is_jump(int64_t ms)
{
	return ms > SLACK_MS || ms < -SLACK_MS;
}

static void believe(struct wallclock *w)
{
	atomic_store(w->line_ms, clock_wall_ms() - clock_boot_ms());
	w->ahead_ms = 0;
}

static void note_ahead(struct wallclock *w, int64_t ahead_ms)
{
	if (w->ahead_ms && !is_jump(ahead_ms - w->ahead_ms))
		return;
	log_warn("keeper: the wall clock jumped %lld s ahead: what is stored "
		 "expires for %lld s as if it had not",
	    (long long)ahead_ms / 1000, (long long)w->ttl_ms / 1000);
	w->ahead_ms = ahead_ms;
	w->since_ms = clock_boot_ms();
}

void wallclock_begin(struct wallclock *w, _Atomic int64_t *line_ms,
    int64_t ttl_ms, int64_t before_ms)
{
	*w = (struct wallclock){.line_ms = line_ms, .ttl_ms = ttl_ms};
	if (!atomic_load(line_ms))
		atomic_store(line_ms, before_ms);
	if (!atomic_load(line_ms))
		believe(w);
}

bool wallclock_look(struct wallclock *w)
{
	int64_t line_ms = atomic_load(w->line_ms);
	int64_t ahead_ms = clock_wall_ms() - clock_boot_ms() - line_ms;
	if (ahead_ms > SLACK_MS)
		note_ahead(w, ahead_ms);
	if (ahead_ms > SLACK_MS && clock_boot_ms() - w->since_ms < w->ttl_ms)
		return false;
	if (ahead_ms < -SLACK_MS)
		log_warn("keeper: the wall clock was set back by %lld s",
		    (long long)-ahead_ms / 1000);
	believe(w);
	return is_jump(ahead_ms);
}
