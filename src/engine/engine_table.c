/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "engine/engine_table.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "proc/mailbox.h"
#include "proc/shm.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x656e67696e657331ull

/* How long a loop waits for the lock, which is held for microseconds. */
#define WAIT_US 200000

/* How many entries are swept before the lock is given to others. */
#define SWEEP_BATCH 256

#define NONE UINT32_MAX

/* Counts of peers for each bucket. */
#define PEERS_PER_BUCKET 4

/* The head of the shared memory; buckets, counts and entries follow. */
struct region {
	_Atomic uint64_t magic;
	struct shm_lock lock;
	_Atomic uint32_t count;
	uint32_t capacity;
	uint32_t n_buckets; /* a power of two */
	uint32_t high;	    /* entries from here on were never used */
	uint32_t free;	    /* list of free entries, by chain */
	uint32_t taken;	    /* the entry that is taken, or NONE */
	uint64_t next_number;
	uint64_t secret;    /* of the hash of peers */
	uint64_t unused[3]; /* what follows is aligned */
};

struct engine_table {
	struct heritage *heritage;
	struct region *region;
	uint32_t *buckets;
	uint32_t *peers; /* sessions of each peer */
	struct engine *entries;
	struct engine_holder self;
	bool is_stuck; /* and that was logged */
};

static uint32_t buckets_for(uint64_t max_sessions)
{
	uint32_t n = 64;
	while (n < max_sessions)
		n *= 2;
	return n;
}

uint64_t engine_table_bytes(uint64_t max_sessions)
{
	return sizeof(struct region) +
	       (uint64_t)buckets_for(max_sessions) * (1 + PEERS_PER_BUCKET) *
		   sizeof(uint32_t) +
	       max_sessions * sizeof(struct engine);
}

static struct region *region_of(struct heritage *h)
{
	return (void *)((char *)h + h->engines_at);
}

static uint32_t *buckets_of(struct region *g)
{
	return (uint32_t *)(void *)(g + 1);
}

static uint32_t n_peers(const struct region *g)
{
	return g->n_buckets * PEERS_PER_BUCKET;
}

void engine_table_make(struct heritage *h)
{
	struct region *g = region_of(h);
	if (atomic_load(&g->magic) == MAGIC)
		return;
	g->capacity = (uint32_t)h->max_engines;
	g->n_buckets = buckets_for(h->max_engines);
	g->free = NONE;
	g->taken = NONE;
	g->next_number = 1;
	enc_random(&g->secret, sizeof g->secret);
	shm_lock_init(&g->lock);
	memset(buckets_of(g), 0xff, g->n_buckets * sizeof(uint32_t));
	atomic_store(&g->magic, MAGIC);
}

struct engine_table *engine_table_new(
    struct heritage *h, unsigned slot, uint32_t generation)
{
	struct engine_table *t = mem_zero(sizeof *t);
	t->heritage = h;
	t->region = region_of(h);
	if (atomic_load(&t->region->magic) != MAGIC)
		panic("engine: the table has not been made");
	t->buckets = buckets_of(t->region);
	t->peers = t->buckets + t->region->n_buckets;
	t->entries = (void *)(t->peers + n_peers(t->region));
	t->self = (struct engine_holder){slot, generation};
	return t;
}

void engine_table_free(struct engine_table **t)
{
	free(*t);
	*t = NULL;
}

/* ---- links; the lock is held ---- */

static uint32_t *bucket_of(const struct engine_table *t, const char *sid)
{
	uint32_t hash = enc_crc32c(0, sid, EIO_SID);
	return &t->buckets[hash & (t->region->n_buckets - 1)];
}

static void link_entry(struct engine_table *t, uint32_t at)
{
	uint32_t *bucket = bucket_of(t, t->entries[at].sid);
	t->entries[at].chain = *bucket;
	*bucket = at;
}

/* Marked as free first: a death in the middle leaves no half of an entry. */
static void free_entry(struct engine_table *t, uint32_t at)
{
	struct region *g = t->region;
	struct engine *e = &t->entries[at];
	e->state = ENGINE_FREE;
	e->number = 0;
	e->chain = g->free;
	g->free = at;
}

static void leave_peer(struct engine_table *t, const struct engine *e)
{
	if (e->peer != NONE)
		t->peers[e->peer]--;
}

static void remove_entry(struct engine_table *t, uint32_t at)
{
	uint32_t *p = bucket_of(t, t->entries[at].sid);
	leave_peer(t, &t->entries[at]);
	while (*p != at)
		p = &t->entries[*p].chain;
	*p = t->entries[at].chain;
	free_entry(t, at);
	atomic_fetch_sub(&t->region->count, 1);
}

static uint32_t find(const struct engine_table *t, const char *sid)
{
	uint32_t at = *bucket_of(t, sid);
	while (at != NONE && memcmp(t->entries[at].sid, sid, EIO_SID) != 0)
		at = t->entries[at].chain;
	return at;
}

/* The holder of the lock died: what it had taken may be half written. */
static void rebuild(struct engine_table *t)
{
	struct region *g = t->region;
	uint32_t count = 0;
	memset(t->buckets, 0xff, g->n_buckets * sizeof *t->buckets);
	memset(t->peers, 0, n_peers(g) * sizeof *t->peers);
	g->free = NONE;
	for (uint32_t at = 0; at < g->high; at++) {
		if (at == g->taken || t->entries[at].state == ENGINE_FREE) {
			free_entry(t, at);
			continue;
		}
		link_entry(t, at);
		if (t->entries[at].peer != NONE)
			t->peers[t->entries[at].peer]++;
		count++;
	}
	if (g->taken != NONE)
		stat_add(polling_lost, 1);
	g->taken = NONE;
	atomic_store(&g->count, count);
	log_warn("engine: lock holder died; rebuilt the links of %u sessions",
	    count);
}

static bool lock(struct engine_table *t)
{
	int rc = shm_lock_try(&t->region->lock, t->is_stuck ? 0 : WAIT_US);
	if (rc < 0 && !t->is_stuck)
		log_warn("engine: another process holds the lock and is stuck; "
			 "polls are refused until it releases the lock");
	t->is_stuck = rc < 0;
	if (rc > 0)
		rebuild(t);
	return rc >= 0;
}

/* ---- processes ---- */

struct engine_holder engine_self(const struct engine_table *t)
{
	return t->self;
}

bool engine_is_alive(
    const struct engine_table *t, const struct engine_holder *holder)
{
	const struct heritage_slot *slot = &t->heritage->slots[holder->slot];
	return holder->generation &&
	       atomic_load(&slot->generation) == holder->generation;
}

bool engine_is_same(
    const struct engine_holder *a, const struct engine_holder *b)
{
	return a->generation == b->generation && a->slot == b->slot;
}

/* What a process held that has died is held by nobody. */
static void forget_dead(struct engine_table *t, struct engine *e)
{
	if (!engine_is_alive(t, &e->poller))
		e->poller.generation = 0;
	if (e->state == ENGINE_PROBING && !engine_is_alive(t, &e->socket))
		e->state = ENGINE_POLLING;
}

/* ---- taking ---- */

struct engine *engine_take(struct engine_table *t, const char *sid, size_t len,
    enum engine_found *found)
{
	*found = ENGINE_UNKNOWN;
	if (!eio_sid_is_valid(sid, len))
		return NULL;
	if (!lock(t)) {
		*found = ENGINE_STUCK;
		return NULL;
	}
	uint32_t at = find(t, sid);
	if (at == NONE) {
		shm_lock_give(&t->region->lock);
		return NULL;
	}
	*found = ENGINE_FOUND;
	t->region->taken = at;
	forget_dead(t, &t->entries[at]);
	return &t->entries[at];
}

static uint32_t new_entry(struct region *g, const struct engine *entries)
{
	uint32_t at = g->free;
	if (at != NONE) {
		g->free = entries[at].chain;
		return at;
	}
	return g->high < g->capacity ? g->high++ : NONE;
}

/* The count of a peer, or NONE. */
static uint32_t peer_of(const struct region *g, const struct engine_peer *peer)
{
	uint32_t hash = enc_crc32c(0, &g->secret, sizeof g->secret);
	if (!*peer->network)
		return NONE;
	hash = enc_crc32c(hash, peer->network, strlen(peer->network));
	return hash & (n_peers(g) - 1);
}

/* Returns a place for the entry, or NONE. */
static uint32_t find_place(struct engine_table *t, uint32_t peer, int64_t most,
    enum engine_found *found)
{
	if (peer != NONE && most && t->peers[peer] >= most) {
		*found = ENGINE_CROWDED;
		return NONE;
	}
	*found = ENGINE_FULL;
	return new_entry(t->region, t->entries);
}

struct engine *engine_add(struct engine_table *t,
    const struct engine_peer *peer, enum engine_found *found)
{
	struct region *g = t->region;
	uint32_t count = peer_of(g, peer);
	*found = ENGINE_STUCK;
	if (!lock(t))
		return NULL;
	uint32_t at = find_place(t, count, peer->most, found);
	if (at == NONE) {
		shm_lock_give(&g->lock);
		return NULL;
	}
	struct engine *e = &t->entries[at];
	g->taken = at;
	memset(e, 0, offsetof(struct engine, out));
	eio_sid_new(e->sid);
	e->number = g->next_number++;
	e->began_ms = e->pong_ms = clock_mono_ms();
	e->peer = count;
	e->state = ENGINE_POLLING;
	link_entry(t, at);
	if (count != NONE)
		t->peers[count]++;
	atomic_fetch_add(&t->region->count, 1);
	stat_add(polling_opened, 1);
	*found = ENGINE_FOUND;
	return e;
}

void engine_give(struct engine_table *t)
{
	assert(t->region->taken != NONE);
	t->region->taken = NONE;
	shm_lock_give(&t->region->lock);
}

static void count_end(enum engine_end why)
{
	switch (why) {
	case ENGINE_LEFT:
		stat_add(polling_left, 1);
		break;
	case ENGINE_BROKEN:
		stat_add(polling_broken, 1);
		break;
	case ENGINE_OVERSIZED:
		stat_add(polling_oversized, 1);
		break;
	case ENGINE_STUFFED:
		stat_add(polling_full, 1);
		break;
	case ENGINE_SILENT:
		stat_add(polling_silent, 1);
		break;
	case ENGINE_LOST:
		stat_add(polling_lost, 1);
		break;
	case ENGINE_IDLE:
		stat_add(polling_idle, 1);
		break;
	}
}

void engine_end(struct engine_table *t, enum engine_end why)
{
	count_end(why);
	remove_entry(t, t->region->taken);
	engine_give(t);
}

/* ---- nudges ---- */

bool engine_nudge(const struct engine_table *t,
    const struct engine_holder *holder, uint64_t number)
{
	struct msg m = {.version = MSG_VERSION,
	    .type = MSG_ENGINE,
	    .from_slot = (uint16_t)t->self.slot,
	    .from_generation = t->self.generation,
	    .a = number};
	if (engine_is_same(holder, &t->self))
		return true;
	if (engine_is_alive(t, holder))
		(void)mailbox_send(HERITAGE_FD_MAILBOXES + (int)holder->slot,
		    &m, sizeof m); /* best effort */
	return false;
}

/* ---- packets ---- */

bool engine_queue(struct engine *e, const char *packets, size_t len)
{
	size_t separator = e->out_len ? 1 : 0;
	if (len + separator > sizeof e->out - e->out_len)
		return false;
	if (separator)
		e->out[e->out_len++] = EIO_SEPARATOR;
	memcpy(e->out + e->out_len, packets, len);
	e->out_len += (uint32_t)len;
	return true;
}

size_t engine_unqueue(struct engine *e, struct buf *out, size_t most)
{
	size_t len = 0, n = 0;
	while (len < e->out_len && n < most) {
		const char *from = e->out + len + (n ? 1 : 0);
		const char *end = memchr(
		    from, EIO_SEPARATOR, (size_t)(e->out + e->out_len - from));
		len = end ? (size_t)(end - e->out) : e->out_len;
		n++;
	}
	if (out->len && n)
		buf_char(out, EIO_SEPARATOR);
	buf_append(out, e->out, len);
	len += len < e->out_len; /* the separator */
	memmove(e->out, e->out + len, e->out_len - len);
	e->out_len -= (uint32_t)len;
	return n;
}

/* ---- the sweep ---- */

struct sweep {
	struct engine_table *table;
	uint32_t at; /* the next entry */
	int64_t now_ms;
	int64_t idle_ms; /* the time of sessions that do not connect */
	unsigned n_removed;
};

/* Clients that only begin sessions must not keep others out for long. */
static int64_t idle_ms(const struct engine_table *t)
{
	uint64_t in_use = atomic_load(&t->region->count);
	return in_use * 8 > (uint64_t)t->region->capacity * ENGINE_ROOMY
		   ? ENGINE_IDLE_CROWDED_MS
		   : ENGINE_IDLE_MS;
}

/*
 * Whether a session is over, and why. A WebSocket has the times of its
 * connection; here it lives with its process.
 */
static bool is_over(
    const struct sweep *s, const struct engine *e, enum engine_end *why)
{
	if (e->end_ms && s->now_ms >= e->end_ms) {
		*why = ENGINE_LEFT;
		return true;
	}
	if (e->state == ENGINE_UPGRADED) {
		*why = ENGINE_LOST;
		return !engine_is_alive(s->table, &e->socket);
	}
	if (!e->is_connected && s->now_ms - e->began_ms > s->idle_ms) {
		*why = ENGINE_IDLE;
		return true;
	}
	*why = ENGINE_SILENT;
	return s->now_ms - e->pong_ms > ENGINE_SILENCE_MS;
}

static void sweep_entry(struct sweep *s, uint32_t at)
{
	struct engine_table *t = s->table;
	struct engine *e = &t->entries[at];
	enum engine_end why;
	if (e->state == ENGINE_FREE)
		return;
	t->region->taken = at;
	forget_dead(t, e);
	if (!is_over(s, e, &why))
		return;
	count_end(why);
	remove_entry(t, at);
	s->n_removed++;
}

/* Sweep the next entries. Returns whether there are more. */
static bool sweep_batch(struct sweep *s)
{
	struct region *g = s->table->region;
	s->now_ms = clock_mono_ms();
	if (!lock(s->table))
		return false;
	for (uint32_t i = 0; i < SWEEP_BATCH && s->at < g->high; i++)
		sweep_entry(s, s->at++);
	bool has_more = s->at < g->high;
	g->taken = NONE;
	shm_lock_give(&g->lock);
	return has_more;
}

unsigned engine_sweep(struct engine_table *t)
{
	struct sweep s = {.table = t, .idle_ms = idle_ms(t)};
	while (engine_count(t) && sweep_batch(&s))
		; /* loops that wait for the lock may get it in between */
	return s.n_removed;
}

unsigned engine_count(const struct engine_table *t)
{
	return atomic_load(&t->region->count);
}
