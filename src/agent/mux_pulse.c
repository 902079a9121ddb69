/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/mux_int.h"

#include "base/clock.h"
#include "runner/runner.h"

#include <stdio.h>

/* How often we look within the time that a process may be silent. */
#define LOOKS 6

static int64_t period_ms(const struct mux *m)
{
	int64_t ms = m->setup->hang_ms / LOOKS;

	return ms > 0 ? ms : 1;
}

/*
 * Only silence that we have watched ourselves counts: we may have been stopped
 * as well, or too busy to read, or not reading because of a turn.
 */
static bool is_silent(const struct mux *m, int64_t now_ms)
{
	bool is_late = now_ms - m->pulse.looked_ms > 2 * period_ms(m);

	return !m->pulse.is_heard && !m->n_blocking && !is_late;
}

static void look_later(struct mux *m, int64_t now_ms)
{
	m->pulse.looked_ms = now_ms;
	m->pulse.is_heard = false;
	loop_timer_set(m->setup->place->loop, &m->pulse.timer, period_ms(m));
}

static void on_look(void *arg)
{
	struct mux *m = arg;
	int64_t now_ms = clock_mono_ms();
	char why[96];

	if (!is_silent(m, now_ms)) {
		m->pulse.n_silent = 0;
		m->pulse.is_asked = false;
	} else if (!m->pulse.is_asked) {
		m->pulse.is_asked = true;
		mux_life_say(m, 0, "{\"type\":\"PING\"}\n");
	} else if (++m->pulse.n_silent >= LOOKS) {
		(void)snprintf(why, sizeof why,
		    "the process has not answered for %lld s (hang_timeout)",
		    (long long)(m->setup->hang_ms / 1000));
		mux_life_over(m, REASON_INTERRUPTED, why);
		return;
	}
	look_later(m, now_ms);
}

void mux_pulse_start(struct mux *m)
{
	if (m->pulse.looked_ms || !m->setup->hang_ms)
		return;
	loop_timer_init(&m->pulse.timer, on_look, m);
	look_later(m, clock_mono_ms());
}
