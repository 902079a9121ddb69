/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/roster.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "identity/digest.h"

#include <stdlib.h>
#include <string.h>

/*
 * The number of places in which an address may be. There are at least twice as
 * many places as agents, so that hardly ever all of them are taken.
 */
#define PROBES 64

/* How often a reader tries again while an owner writes. */
#define TRIES 100

/* A place that was left is kept as long as an ANNOUNCE may be used again. */
#define KEEP_MS 600000

struct roster {
	struct heritage *heritage;
	struct relay_shared *shared;
	uint64_t n_places; /* a power of two */
	uint64_t me;
	uint64_t claims; /* ours so far */
};

_Static_assert(sizeof(struct roster_entry) % sizeof(uint64_t) == 0,
    "an entry consists of words");

static uint64_t places_for(uint64_t max_agents)
{
	uint64_t n = PROBES;
	while (n < 2 * max_agents)
		n *= 2;
	return n;
}

uint64_t roster_bytes(uint64_t max_agents)
{
	return sizeof(struct relay_shared) +
	       places_for(max_agents) * sizeof(struct roster_place);
}

/*
 * An owner is the generation of a process (32 bits), the number of its claim
 * (16), whether it has left (1), and its slot + 1. Only this word decides
 * whether a place may be claimed.
 */
#define LEFT ((uint64_t)1 << 15)

static uint64_t owner_of(unsigned slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | (slot + 1);
}

/*
 * Each claim is another number, so that nobody can claim a place that was left,
 * claimed and left again in the meantime as if nothing had happened.
 */
static uint64_t new_claim(struct roster *r)
{
	return r->me | (++r->claims & 0xffff) << 16;
}

static unsigned slot_of(uint64_t owner)
{
	return (unsigned)(owner & (LEFT - 1)) - 1;
}

static uint32_t generation_of(uint64_t owner)
{
	return (uint32_t)(owner >> 32);
}

/* The first process decides. */
static void set_seed(struct relay_shared *shared)
{
	uint64_t none = 0, seed;
	enc_random(&seed, sizeof seed);
	(void)atomic_compare_exchange_strong(&shared->seed, &none, seed | 1);
}

struct roster *roster_new(
    struct heritage *heritage, unsigned slot, uint32_t generation)
{
	struct roster *r = mem_zero(sizeof *r);
	r->heritage = heritage;
	r->shared = (void *)((char *)heritage + heritage->registry_at);
	r->n_places = places_for(heritage->max_sessions);
	r->me = owner_of(slot, generation);
	if (roster_bytes(heritage->max_sessions) > heritage->registry_bytes)
		panic("roster: the shared memory is too small");
	set_seed(r->shared);
	return r;
}

void roster_free(struct roster **r)
{
	free(*r);
	*r = NULL;
}

struct relay_shared *roster_shared(struct roster *r)
{
	return r->shared;
}

uint64_t roster_serial(struct roster *r)
{
	return atomic_fetch_add(&r->shared->serial, 1) + 1;
}

uint64_t roster_agents(struct roster *r)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++)
		if (atomic_load(&r->heritage->slots[i].generation) & 1)
			n += __atomic_load_n(
			    &r->shared->stats[i].agents, __ATOMIC_RELAXED);
	return n;
}

/*
 * Returns where the places of a key begin. Keys can be made until they begin
 * like that of somebody else, whose places they would take; so the hash has a
 * secret.
 */
static uint64_t hash_of(const struct roster *r, const uint8_t *key)
{
	struct {
		uint64_t seed;
		uint8_t key[ROSTER_KEY];
	} in = {.seed = r->shared->seed};
	uint8_t digest[DIGEST_SIZE];
	uint64_t hash;
	memcpy(in.key, key, sizeof in.key);
	digest_of(digest, &in, sizeof in);
	memcpy(&hash, digest, sizeof hash);
	return hash;
}

static struct roster_place *probe(
    const struct roster *r, uint64_t hash, unsigned i)
{
	return &r->shared->places[(hash + i) & (r->n_places - 1)];
}

static bool is_alive(const struct roster *r, uint64_t owner)
{
	unsigned slot = slot_of(owner);
	return slot < HERITAGE_SLOTS &&
	       atomic_load(&r->heritage->slots[slot].generation) ==
		   generation_of(owner);
}

/* ---- reading ---- */

/* A copy of a place. */
struct seen {
	uint64_t owner;
	int64_t left_ms; /* 0: it is there */
	struct roster_entry entry;
};

/* Returns when the socket of a place left, which is not there any more. */
static int64_t when_left(
    const struct roster *r, uint64_t owner, int64_t left_ms)
{
	int64_t died_ms = atomic_load(&r->shared->died_ms[slot_of(owner)]);
	if (owner & LEFT)
		return left_ms;
	/* Otherwise its worker died, which may not be noted yet. */
	return died_ms ? died_ms : clock_mono_ms();
}

static bool is_claimable(const struct roster *r, uint64_t owner)
{
	return owner & LEFT || !is_alive(r, owner);
}

static bool try_read(
    const struct roster *r, struct roster_place *p, struct seen *out)
{
	uint64_t words[ROSTER_WORDS];
	uint64_t version = atomic_load(&p->version);
	out->owner = atomic_load(&p->owner);
	uint64_t writer = atomic_load(&p->writer);
	int64_t left_ms = atomic_load(&p->left_ms);
	for (size_t i = 0; i < ROSTER_WORDS; i++)
		words[i] =
		    atomic_load_explicit(&p->words[i], memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	memcpy(&out->entry, words, sizeof words);
	out->left_ms =
	    is_claimable(r, out->owner) ? when_left(r, out->owner, left_ms) : 0;
	/* Between a claim and its writing, the content is another's. */
	return !(version & 1) && writer == (out->owner & ~LEFT) &&
	       atomic_load(&p->version) == version;
}

/*
 * Copy a place. Returns false if it is free, or if its owner does not get
 * ready.
 */
static bool read_place(
    const struct roster *r, struct roster_place *p, struct seen *out)
{
	for (int i = 0; i < TRIES; i++) {
		if (!atomic_load(&p->owner))
			return false;
		if (try_read(r, p, out))
			return true;
	}
	return false;
}

static void note_live(struct roster_found *out, const struct seen *seen)
{
	if (!out->n_live++ || seen->entry.serial > out->entry.serial) {
		out->entry = seen->entry;
		out->slot = slot_of(seen->owner);
	}
}

bool roster_find(struct roster *r, const uint8_t key[ROSTER_KEY],
    const uint8_t *digest, struct roster_found *out)
{
	uint64_t hash = hash_of(r, key);
	struct seen seen;
	bool is_known = false;
	*out = (struct roster_found){0};
	for (unsigned i = 0; i < PROBES; i++) {
		if (!read_place(r, probe(r, hash, i), &seen) ||
		    memcmp(seen.entry.key, key, ROSTER_KEY) != 0)
			continue;
		is_known = true;
		if (!seen.left_ms)
			note_live(out, &seen);
		if (seen.left_ms > out->left_ms)
			out->left_ms = seen.left_ms;
		if (seen.entry.timestamp > out->timestamp)
			out->timestamp = seen.entry.timestamp;
		if (digest &&
		    memcmp(seen.entry.digest, digest, ROSTER_DIGEST) == 0)
			out->is_used = true;
	}
	return is_known;
}

/* ---- writing ---- */

static void write_place(struct roster_place *p, const struct roster_entry *e)
{
	uint64_t words[ROSTER_WORDS];
	/* A former owner may have died while it wrote. */
	uint64_t version = atomic_load(&p->version) | 1;
	memcpy(words, e, sizeof words);
	atomic_store(&p->version, version);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < ROSTER_WORDS; i++)
		atomic_store_explicit(
		    &p->words[i], words[i], memory_order_relaxed);
	atomic_store(&p->writer, atomic_load(&p->owner));
	atomic_store(&p->version, version + 1);
}

/*
 * Returns how well a place suits a new socket: 0 if it is taken, 1 if it was
 * left, 2 if what is in it tells nothing any more, 3 if it is free. One that was
 * left by the same address is the best, or the old places of a host that comes
 * and goes would pile up.
 */
static int suits(const struct roster *r, struct roster_place *p, uint64_t owner,
    const uint8_t *key)
{
	struct seen seen;
	if (!owner)
		return 3;
	if (!is_claimable(r, owner))
		return 0;
	if (!read_place(r, p, &seen))
		return 1;
	if (memcmp(seen.entry.key, key, ROSTER_KEY) == 0)
		return 4;
	return clock_mono_ms() - seen.left_ms > KEEP_MS ? 2 : 1;
}

static bool find_best(const struct roster *r, const uint8_t *key,
    struct roster_place **out, uint64_t *owner)
{
	uint64_t hash = hash_of(r, key);
	int best = 0;
	for (unsigned i = 0; i < PROBES; i++) {
		struct roster_place *p = probe(r, hash, i);
		uint64_t was = atomic_load(&p->owner);
		int how = suits(r, p, was, key);
		if (how <= best)
			continue;
		best = how;
		*out = p;
		*owner = was;
	}
	return best > 0;
}

int64_t roster_put(struct roster *r, const struct roster_entry *e)
{
	struct roster_place *p;
	uint64_t was;
	do {
		if (!find_best(r, e->key, &p, &was))
			return -1;
	} while (
	    !atomic_compare_exchange_strong(&p->owner, &was, new_claim(r)));
	write_place(p, e);
	return p - r->shared->places;
}

void roster_change(
    struct roster *r, int64_t place, const struct roster_entry *e)
{
	write_place(&r->shared->places[place], e);
}

void roster_leave(struct roster *r, int64_t place)
{
	struct roster_place *p = &r->shared->places[place];
	atomic_store(&p->left_ms, clock_mono_ms());
	atomic_fetch_or(&p->owner, LEFT);
}

void roster_died(struct roster *r, unsigned slot)
{
	if (slot < HERITAGE_SLOTS)
		atomic_store(&r->shared->died_ms[slot], clock_mono_ms());
}
