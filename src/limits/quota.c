/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "limits/quota.h"

#include "base/clock.h"
#include "core/heritage.h"
#include "identity/digest.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The number of places in which a key may be. */
#define PROBES 8

/* Longer names are identified by their beginning only. */
#define NAME_BYTES 300

#define MICROSECONDS 1000

/* For the product of two of our numbers. */
typedef __int128 wide;

static uint64_t quota_key_of(unsigned kind, const char *who)
{
	char name[NAME_BYTES];
	uint8_t digest[16];
	uint64_t key;
	int n = snprintf(name, sizeof name, "%u %s", kind, who);
	size_t len = (size_t)n < sizeof name ? (size_t)n : sizeof name - 1;
	digest_of(digest, name, len);
	memcpy(&key, digest, sizeof key);
	return key | 1;
}

static struct heritage_quota *place(struct heritage *h, uint64_t key, int i)
{
	return &h->quotas[(key / 2 + (uint64_t)i) % HERITAGE_QUOTAS];
}

static struct heritage_quota *quota_find(struct heritage *h, uint64_t key)
{
	for (int i = 0; i < PROBES; i++)
		if (atomic_load(&place(h, key, i)->key) == key)
			return place(h, key, i);
	return NULL;
}

/*
 * Find or create the bucket of a key. Returns NULL if another process was
 * faster: try again. A full bucket carries no information, so its place may be
 * reused. The first such place is taken, so that all processes that create this
 * key compete for the same one.
 */
static struct heritage_quota *try_get(
    struct heritage *h, uint64_t key, int64_t now)
{
	struct heritage_quota *best = NULL;
	uint64_t best_key = 0;
	int64_t best_at = 0;
	for (int i = 0; i < PROBES; i++) {
		struct heritage_quota *b = place(h, key, i);
		uint64_t old = atomic_load(&b->key);
		int64_t at = atomic_load(&b->full_at_us);
		if (old == key)
			return b;
		if (at <= now)
			at = 0;
		if (best && at >= best_at)
			continue;
		best = b;
		best_key = old;
		best_at = at;
	}
	if (!atomic_compare_exchange_strong(&best->key, &best_key, key))
		return NULL;
	if (best_at)
		atomic_store(&best->full_at_us, 0);
	return best;
}

static struct heritage_quota *get(struct heritage *h, uint64_t key, int64_t now)
{
	struct heritage_quota *b;
	do
		b = try_get(h, key, now);
	while (!b);
	return b;
}

static int64_t period_us(const struct quota *q)
{
	return q->period_ms * MICROSECONDS;
}

/* The time in which the amount refills. */
static int64_t cost_us(const struct quota *q, int64_t amount)
{
	if (amount > q->burst)
		amount = q->burst;
	wide product = (wide)amount * period_us(q);
	return (int64_t)((product + q->burst - 1) / q->burst);
}

static int64_t ms_of(int64_t us)
{
	return us > 0 ? (us + MICROSECONDS - 1) / MICROSECONDS : 0;
}

static void quota_tell(struct quota_left *left, const struct quota *q,
    int64_t now, int64_t full_at_us, int64_t wait_us)
{
	int64_t room_us = now + period_us(q) - full_at_us;
	if (!left)
		return;
	if (room_us > period_us(q))
		room_us = period_us(q);
	wide amount = (wide)room_us * q->burst / period_us(q);
	left->left = room_us > 0 ? (int64_t)amount : 0;
	left->wait_ms = ms_of(wait_us);
	left->full_ms = ms_of(full_at_us - now);
}

bool quota_take(struct heritage *h, unsigned kind, const char *who,
    const struct quota *q, int64_t amount, struct quota_left *left)
{
	int64_t now = clock_mono_us(), cost = cost_us(q, amount);
	struct heritage_quota *b = get(h, quota_key_of(kind, who), now);
	int64_t old = atomic_load(&b->full_at_us), next;
	do {
		next = (old > now ? old : now) + cost;
		int64_t wait_us = next - now - period_us(q);
		if (wait_us > 0) {
			quota_tell(left, q, now, old, wait_us);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&b->full_at_us, &old, next));
	quota_tell(left, q, now, next, 0);
	return true;
}

bool quota_has(struct heritage *h, unsigned kind, const char *who,
    const struct quota *q, int64_t amount)
{
	struct heritage_quota *b = quota_find(h, quota_key_of(kind, who));
	int64_t now = clock_mono_us();
	if (!b)
		return true;
	int64_t full_at_us = atomic_load(&b->full_at_us);
	return (full_at_us > now ? full_at_us : now) + cost_us(q, amount) <=
	       now + period_us(q);
}
