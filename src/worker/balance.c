/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/balance.h"

#include "base/clock.h"
#include "core/heritage.h"

#include <stdint.h>

/*
 * A worker with so many more connections than another one is fuller; a share of
 * their number, as in 1/8, makes no difference.
 */
#define MARGIN 2
#define SHARE 8

/* The loop of a worker beats four times a second; without, it hangs. */
#define BEAT_WITHIN_US 600000

static uint64_t connections_of(const struct heritage *h, unsigned slot)
{
	return __atomic_load_n(&h->stats[slot].connections, __ATOMIC_RELAXED);
}

static bool may_accept(const struct heritage_slot *s, int64_t now_us)
{
	return s->kind == KIND_WORKER &&
	       atomic_load(&s->state) == SLOT_SERVING &&
	       now_us - atomic_load(&s->pulses[PULSE_LOOP].at_us) <
		   BEAT_WITHIN_US;
}

bool balance_is_fuller(const struct heritage *h, unsigned slot)
{
	uint64_t ours = connections_of(h, slot);
	int64_t now_us = clock_steady_us();
	for (unsigned i = 0; i < h->n_slots; i++) {
		if (i == slot || !may_accept(&h->slots[i], now_us))
			continue;
		uint64_t its = connections_of(h, i);
		if (ours >= its + MARGIN + its / SHARE)
			return true;
	}
	return false;
}
