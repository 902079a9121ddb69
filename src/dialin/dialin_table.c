/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_table.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/heritage.h"
#include "core/msg.h"
#include "core/stat.h"
#include "proc/mailbox.h"
#include "proc/shm.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0x6469616c696e7331ull

/* How long a loop waits for the lock, which is held for microseconds. */
#define WAIT_US 200000

#define NONE UINT32_MAX

/* A sign of life is written at most this often. */
#define SEEN_EVERY_MS 1000

struct entry {
	_Atomic uint64_t home;	/* of the id; 0: the entry is free */
	_Atomic uint64_t alias; /* of the name; 0: it has none */
	/* slot + 1 and the generation of its process; 0: it is gone. */
	_Atomic uint64_t holder;
	_Atomic uint64_t connection;
	_Atomic int64_t seen_ms;
	_Atomic uint32_t n_orders;
	/* Whether there may be an older connection of the same agent. */
	_Atomic bool has_older;
	int64_t gone_ms;			       /* 0: online */
	struct dialin_order orders[DIALIN_MAX_ORDERS]; /* the oldest first */
	struct dialin_info info;
};

struct region {
	_Atomic uint64_t magic;
	struct shm_lock lock;
	_Atomic uint32_t high; /* entries from here on were never used */
	uint32_t capacity;
	uint32_t taken; /* the entry that is being written, or NONE */
	uint64_t next_connection;
	_Atomic uint64_t version;
	uint64_t unused[4]; /* what follows is aligned */
};

struct dialin_table {
	struct heritage *heritage;
	struct region *region;
	struct entry *entries;
	uint64_t self;
	unsigned slot;
	uint32_t generation;
	bool is_stuck; /* and that was logged */
};

static uint64_t holder_of(unsigned slot, uint32_t generation)
{
	return (uint64_t)generation << 8 | (slot + 1);
}

uint64_t dialin_table_bytes(uint64_t max_agents)
{
	return sizeof(struct region) + max_agents * sizeof(struct entry);
}

static struct region *region_of(struct heritage *h)
{
	return (void *)((char *)h + h->dialins_at);
}

void dialin_table_make(struct heritage *h)
{
	struct region *g = region_of(h);
	if (atomic_load(&g->magic) == MAGIC)
		return;
	g->capacity = (uint32_t)h->max_dialins;
	g->taken = NONE;
	g->next_connection = 1;
	shm_lock_init(&g->lock);
	atomic_store(&g->magic, MAGIC);
}

struct dialin_table *dialin_table_new(
    struct heritage *h, unsigned slot, uint32_t generation)
{
	struct dialin_table *t = mem_zero(sizeof *t);
	t->heritage = h;
	t->region = region_of(h);
	if (atomic_load(&t->region->magic) != MAGIC)
		panic("dialin: the table has not been made");
	t->entries = (void *)(t->region + 1);
	t->self = holder_of(slot, generation);
	t->slot = slot;
	t->generation = generation;
	return t;
}

void dialin_table_free(struct dialin_table **t)
{
	free(*t);
	*t = NULL;
}

/* FNV-1a: it need not resist anybody, since the owner of an id is checked. */
uint64_t dialin_home(const char *id, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)id[i]) * 0x100000001b3ull;
	return hash ? hash : 1;
}

/* ---- the lock ---- */

static void free_entry(struct entry *e)
{
	atomic_store(&e->home, 0);
	atomic_store(&e->alias, 0);
	atomic_store(&e->holder, 0);
	atomic_store(&e->connection, 0);
	atomic_store(&e->n_orders, 0);
	atomic_store(&e->has_older, false);
}

static bool lock(struct dialin_table *t)
{
	struct region *g = t->region;
	int rc = shm_lock_try(&g->lock, t->is_stuck ? 0 : WAIT_US);
	if (rc < 0 && !t->is_stuck)
		log_warn("dialin: another process holds the lock and is stuck; "
			 "agents cannot connect until it releases the lock");
	t->is_stuck = rc < 0;
	if (rc > 0 && g->taken != NONE) {
		log_warn("dialin: lock holder died; dropped its entry");
		free_entry(&t->entries[g->taken]);
		g->taken = NONE;
	}
	return rc >= 0;
}

static void unlock(struct dialin_table *t)
{
	t->region->taken = NONE;
	shm_lock_give(&t->region->lock);
}

static void changed(struct dialin_table *t)
{
	atomic_fetch_add(&t->region->version, 1);
}

static bool is_alive(const struct dialin_table *t, uint64_t holder)
{
	unsigned slot = (unsigned)(holder & 0xff) - 1;
	return holder && atomic_load(&t->heritage->slots[slot].generation) ==
			     (uint32_t)(holder >> 8);
}

static bool is_online(const struct dialin_table *t, const struct entry *e)
{
	return is_alive(t, atomic_load(&e->holder));
}

/* ---- finding ---- */

static uint32_t high(const struct dialin_table *t)
{
	return atomic_load(&t->region->high);
}

static uint32_t find_id(
    const struct dialin_table *t, const char *id, size_t len)
{
	uint64_t home = dialin_home(id, len);
	for (uint32_t at = 0; at < high(t); at++) {
		const struct entry *e = &t->entries[at];
		if (atomic_load(&e->home) == home &&
		    strlen(e->info.who.id) == len &&
		    memcmp(e->info.who.id, id, len) == 0)
			return at;
	}
	return NONE;
}

/* Of several agents of one name, the one that connected last. */
static uint32_t find_name(
    const struct dialin_table *t, const char *name, size_t len)
{
	uint64_t alias = dialin_home(name, len);
	uint32_t best = NONE;
	for (uint32_t at = 0; at < high(t); at++) {
		const struct entry *e = &t->entries[at];
		if (atomic_load(&e->alias) == alias &&
		    (best == NONE ||
			atomic_load(&e->connection) >
			    atomic_load(&t->entries[best].connection)))
			best = at;
	}
	return best;
}

bool dialin_table_locate(
    const struct dialin_table *t, uint64_t home, unsigned *slot)
{
	uint64_t newest = 0;
	for (uint32_t at = 0; at < high(t); at++) {
		const struct entry *e = &t->entries[at];
		uint64_t holder = atomic_load(&e->holder);
		uint64_t connection = atomic_load(&e->connection);
		if ((atomic_load(&e->home) != home &&
			atomic_load(&e->alias) != home) ||
		    !is_alive(t, holder) || connection <= newest)
			continue;
		newest = connection;
		*slot = (unsigned)(holder & 0xff) - 1;
	}
	return newest != 0;
}

static void copy(const struct dialin_table *t, const struct entry *e,
    struct dialin_info *info)
{
	*info = e->info;
	info->is_online = is_online(t, e);
	info->seen_ms = atomic_load(&e->seen_ms);
	info->connection = atomic_load(&e->connection);
	if (info->is_online)
		return;
	info->n_running = 0;
	info->queue = (struct dialin_queue){0};
}

bool dialin_table_find(struct dialin_table *t, const char *id, size_t len,
    struct dialin_info *info)
{
	if (!lock(t))
		return false;
	uint32_t at = find_id(t, id, len);
	if (at == NONE)
		at = find_name(t, id, len);
	if (at != NONE)
		copy(t, &t->entries[at], info);
	unlock(t);
	return at != NONE;
}

void dialin_table_each(struct dialin_table *t,
    bool (*fn)(const struct dialin_info *info, void *arg), void *arg)
{
	struct dialin_info info;
	for (uint32_t at = 0; at < high(t); at++) {
		if (!lock(t))
			return;
		bool is_there = atomic_load(&t->entries[at].home) != 0;
		if (is_there)
			copy(t, &t->entries[at], &info);
		unlock(t);
		if (is_there && !fn(&info, arg))
			return;
	}
}

uint64_t dialin_table_version(const struct dialin_table *t)
{
	/* The death of a process changes agents as well. */
	return atomic_load(&t->region->version) +
	       atomic_load(&t->heritage->deaths);
}

/* ---- telling workers ---- */

/* Best effort: the worker also looks when it ticks. */
static void notify(const struct dialin_table *t, unsigned slot)
{
	struct msg m = {.version = MSG_VERSION,
	    .type = MSG_ORDER,
	    .from_slot = (uint16_t)t->slot,
	    .from_generation = t->generation};
	(void)mailbox_send(HERITAGE_FD_MAILBOXES + (int)slot, &m, sizeof m);
}

/* Its generation is odd while a process lives in it. */
static void notify_workers(const struct dialin_table *t)
{
	for (unsigned i = 0; i < HERITAGE_SLOTS; i++) {
		const struct heritage_slot *slot = &t->heritage->slots[i];
		if (slot->kind == KIND_WORKER &&
		    atomic_load(&slot->generation) & 1)
			notify(t, i);
	}
}

/* ---- connecting ---- */

static uint32_t new_entry(struct dialin_table *t)
{
	struct region *g = t->region;
	uint32_t best = NONE;
	for (uint32_t at = 0; at < high(t); at++) {
		struct entry *e = &t->entries[at];
		if (!atomic_load(&e->home))
			return at;
		if (!is_online(t, e) &&
		    (best == NONE ||
			atomic_load(&e->seen_ms) <
			    atomic_load(&t->entries[best].seen_ms)))
			best = at;
	}
	if (high(t) < g->capacity)
		return atomic_fetch_add(&g->high, 1);
	if (best != NONE) {
		free_entry(&t->entries[best]);
		stat_add(dialins_forgotten, 1);
	}
	return best;
}

/* Returns false if there is no place. */
static bool make_entry(struct dialin_table *t, uint32_t *place)
{
	*place = new_entry(t);
	if (*place == NONE)
		return false;
	t->region->taken = *place;
	t->entries[*place].info =
	    (struct dialin_info){.created_ms = clock_wall_ms()};
	return true;
}

static enum dialin_found place_for(
    struct dialin_table *t, const struct dialin_who *who, uint32_t *place)
{
	*place = find_id(t, who->id, strlen(who->id));
	if (*place == NONE)
		return make_entry(t, place) ? DIALIN_FOUND : DIALIN_FULL;
	const struct dialin_who *owner = &t->entries[*place].info.who;
	return strcmp(owner->user, who->user) == 0 ? DIALIN_FOUND
						   : DIALIN_FOREIGN;
}

/* Make the entry one that is found. */
static void publish(struct entry *e)
{
	const struct dialin_who *who = &e->info.who;
	size_t name = strlen(who->name);
	atomic_store(&e->alias, name ? dialin_home(who->name, name) : 0);
	atomic_store(&e->home, dialin_home(who->id, strlen(who->id)));
}

enum dialin_found dialin_table_connect(struct dialin_table *t,
    struct dialin_who *who, uint32_t *place, uint64_t *connection)
{
	if (!lock(t))
		return DIALIN_STUCK;
	enum dialin_found found = place_for(t, who, place);
	if (found != DIALIN_FOUND) {
		unlock(t);
		return found;
	}
	struct entry *e = &t->entries[*place];
	t->region->taken = *place;
	if (!*connection) {
		*connection = t->region->next_connection++;
		atomic_store(&e->has_older, is_online(t, e));
	}
	if (!*who->name)
		memcpy(who->name, e->info.who.name, sizeof who->name);
	e->info.who = *who;
	e->info.has_error = false;
	e->info.connected_ms = clock_wall_ms();
	e->info.n_running = 0;
	e->info.queue = (struct dialin_queue){0};
	atomic_store(&e->seen_ms, e->info.connected_ms);
	atomic_store(&e->n_orders, 0);
	atomic_store(&e->connection, *connection);
	atomic_store(&e->holder, t->self);
	publish(e);
	changed(t);
	unlock(t);
	return DIALIN_FOUND;
}

enum dialin_found dialin_table_register(
    struct dialin_table *t, const struct dialin_info *info)
{
	uint32_t place;
	enum dialin_found found = DIALIN_FOREIGN;
	if (!lock(t))
		return DIALIN_STUCK;
	if (find_id(t, info->who.id, strlen(info->who.id)) == NONE) {
		found = DIALIN_FULL;
		if (make_entry(t, &place)) {
			struct entry *e = &t->entries[place];
			e->info = (struct dialin_info){
			    .who = info->who,
			    .notes = info->notes,
			    .created_ms = info->created_ms,
			    .connected_ms = info->connected_ms,
			};
			atomic_store(&e->seen_ms, info->seen_ms);
			publish(e);
			changed(t);
			found = DIALIN_FOUND;
		}
	}
	unlock(t);
	return found;
}

bool dialin_table_change(struct dialin_table *t, const struct dialin_info *info)
{
	const struct dialin_who *from = &info->who;
	if (!lock(t))
		return false;
	uint32_t place = find_id(t, from->id, strlen(from->id));
	if (place != NONE) {
		struct entry *e = &t->entries[place];
		struct dialin_who *to = &e->info.who;
		t->region->taken = place;
		memcpy(to->name, from->name, sizeof to->name);
		memcpy(to->type, from->type, sizeof to->type);
		memcpy(to->version, from->version, sizeof to->version);
		memcpy(to->capabilities, from->capabilities,
		    sizeof to->capabilities);
		e->info.notes = info->notes;
		publish(e);
		changed(t);
	}
	unlock(t);
	return place != NONE;
}

bool dialin_table_forget(struct dialin_table *t, const char *id, size_t len)
{
	if (!lock(t))
		return false;
	uint32_t place = find_id(t, id, len);
	bool is_away = place != NONE && !is_online(t, &t->entries[place]);
	if (is_away) {
		free_entry(&t->entries[place]);
		changed(t);
	}
	unlock(t);
	return is_away;
}

/* Whether an entry is one to forget. Takes no lock. */
static bool is_old(
    const struct dialin_table *t, const struct entry *e, int64_t before_ms)
{
	return atomic_load(&e->home) && !is_online(t, e) &&
	       atomic_load(&e->seen_ms) < before_ms;
}

void dialin_table_forget_old(struct dialin_table *t, int64_t before_ms)
{
	for (uint32_t at = 0; at < high(t); at++) {
		struct entry *e = &t->entries[at];
		if (!is_old(t, e, before_ms) || !lock(t))
			continue;
		/* It may have come back, or be another one. */
		if (is_old(t, e, before_ms)) {
			log_info("agent=%s: away for too long, forgotten",
			    e->info.who.id);
			free_entry(e);
			changed(t);
			stat_add(dialins_forgotten, 1);
		}
		unlock(t);
	}
}

uint64_t dialin_table_alias(const struct dialin_table *t, uint32_t place)
{
	return atomic_load(&t->entries[place].alias);
}

bool dialin_table_is_newest(
    const struct dialin_table *t, uint32_t place, uint64_t connection)
{
	const struct entry *e = &t->entries[place];
	return atomic_load(&e->connection) == connection &&
	       atomic_load(&e->holder) == t->self;
}

void dialin_table_gone(
    struct dialin_table *t, uint32_t place, uint64_t connection)
{
	uint64_t self = t->self;
	if (atomic_load(&t->entries[place].connection) != connection)
		return;
	/* Without the lock: a newer connection elsewhere has another holder. */
	if (!atomic_compare_exchange_strong(
		&t->entries[place].holder, &self, 0))
		return;
	changed(t);
	if (atomic_load(&t->entries[place].has_older))
		notify_workers(t);
}

void dialin_table_seen(
    struct dialin_table *t, uint32_t place, const struct dialin_health *health)
{
	struct entry *e = &t->entries[place];
	int64_t now = clock_wall_ms();
	int64_t before = atomic_load(&e->seen_ms);
	if (now >= before && now - before < SEEN_EVERY_MS && !health)
		return;
	atomic_store(&e->seen_ms, now);
	if (!health || !lock(t))
		return;
	e->info.health = *health;
	e->info.has_health = true;
	unlock(t);
}

void dialin_table_set_running(
    struct dialin_table *t, uint32_t place, uint32_t n_running)
{
	if (!lock(t))
		return;
	t->entries[place].info.n_running = n_running;
	changed(t);
	unlock(t);
}

void dialin_table_set_queue(
    struct dialin_table *t, uint32_t place, const struct dialin_queue *queue)
{
	struct dialin_queue *now = &t->entries[place].info.queue;
	/* Only this process writes it, so it may be read without the lock. */
	if (memcmp(now, queue, sizeof *now) == 0 || !lock(t))
		return;
	*now = *queue;
	changed(t);
	unlock(t);
}

void dialin_table_set_error(
    struct dialin_table *t, uint32_t place, bool has_error)
{
	if (!lock(t))
		return;
	t->entries[place].info.has_error = has_error;
	changed(t);
	unlock(t);
}

/* ---- orders ---- */

static bool put_order(struct entry *e, const struct dialin_order *order)
{
	uint32_t n = order->is_urgent ? 0 : atomic_load(&e->n_orders);
	if (n >= DIALIN_MAX_ORDERS)
		return false;
	e->orders[n] = *order;
	atomic_store(&e->n_orders, n + 1);
	return true;
}

bool dialin_table_order(struct dialin_table *t, const char *id, size_t len,
    const struct dialin_order *order)
{
	if (!lock(t))
		return false;
	uint32_t at = find_id(t, id, len);
	struct entry *e = at == NONE ? NULL : &t->entries[at];
	bool is_put = e && is_online(t, e) && put_order(e, order);
	if (is_put)
		notify(t, (unsigned)(atomic_load(&e->holder) & 0xff) - 1);
	unlock(t);
	return is_put;
}

bool dialin_table_take_order(struct dialin_table *t, uint32_t place,
    uint64_t connection, struct dialin_order *order)
{
	struct entry *e = &t->entries[place];
	if (!atomic_load(&e->n_orders) ||
	    !dialin_table_is_newest(t, place, connection) || !lock(t))
		return false;
	uint32_t n = atomic_load(&e->n_orders);
	if (n) {
		*order = e->orders[0];
		memmove(e->orders, e->orders + 1, (n - 1) * sizeof *order);
		atomic_store(&e->n_orders, n - 1);
	}
	unlock(t);
	return n != 0;
}
