/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "proc/shm.h"
#include "journal/registry.h"
#include "t/unit/scratch.h"

#define CAPACITY 16
#define NOBODY UINT32_MAX

/* The slots that live in these tests, and one that does not. */
enum { ME = 0, OTHER = 70, DEAD = 5 };

struct key {
	uint8_t bytes[REGISTRY_KEY];
};

static struct heritage *heritage;
static struct registry *reg;
static size_t heritage_size;

static void live(unsigned slot, uint32_t generation)
{
	atomic_store(&heritage->slots[slot].generation, generation);
}

/* A new, empty registry in memory that children share. */
static void begin(void)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64;
	size_t size = at + HERITAGE_REGISTRY_BYTES(CAPACITY);
	int fd = shm_create("registry-test", size);

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->registry_at = at;
	heritage->registry_bytes = HERITAGE_REGISTRY_BYTES(CAPACITY);
	heritage->max_sessions = CAPACITY;
	reg = registry_new(heritage, true, 100);
	live(ME, 1);
	live(OTHER, 3);
	live(DEAD, 2);
}

static void end(void)
{
	registry_free(&reg);
	(void)munmap(heritage, heritage_size);
}

static struct key key_of(uint32_t n)
{
	struct key k = {{0}};
	uint32_t hash = n * 2654435761u;

	memcpy(k.bytes, &hash, sizeof(hash));
	memcpy(k.bytes + 4, &n, sizeof(n));
	return k;
}

static uint32_t add(uint32_t n, unsigned slot)
{
	static const struct registry_seed fresh = {0};
	struct key k = key_of(n);

	return registry_add(reg, k.bytes, slot, &fresh);
}

static bool is_there(uint32_t n)
{
	struct key k = key_of(n);

	return registry_look(reg, k.bytes) != REGISTRY_NONE;
}

static bool is_listening(uint32_t at, unsigned slot)
{
	struct entry *e = registry_entry(reg, at);

	return atomic_load(&e->listeners[slot / 64]) >> (slot % 64) & 1;
}

/*
 * Every entry is found under its key, the count is right, and those that may be
 * evicted are exactly those of one list.
 */
static bool is_sound(void)
{
	uint32_t used = 0, evictable = 0, heads = 0, tails = 0;

	for (uint32_t at = 0; at < CAPACITY; at++) {
		struct entry *e = registry_entry(reg, at);
		uint32_t state = atomic_load(&e->state);
		bool is_heard = e->listeners[0] || e->listeners[1];
		if (state != ENTRY_FREE)
			used++;
		if (state != ENTRY_FREE && registry_look(reg, e->key) != at)
			return false;
		if (e->is_evictable != (state == ENTRY_IDLE && !is_heard))
			return false;
		if (!e->is_evictable)
			continue;
		evictable++;
		heads += e->older == REGISTRY_NONE;
		tails += e->newer == REGISTRY_NONE;
		if (e->newer != REGISTRY_NONE &&
		    registry_entry(reg, e->newer)->older != at)
			return false;
	}
	return used == registry_count(reg) && heads == tails &&
	       heads == (evictable ? 1u : 0u);
}

static void test_find(void)
{
	const struct registry_seed seed = {
	    .number = 7, .head = 12, .began = 9, .turn = 3, .is_running = true};
	struct key k = key_of(1), m = key_of(2);

	begin();
	ok(registry_exists(heritage), "the registry is there once made");
	is_int(registry_find(reg, k.bytes, ME), REGISTRY_NONE,
	    "an unknown session is not found");
	uint32_t at = add(1, ME);
	is_int(registry_entry(reg, at)->number, 100,
	    "a new session gets the next number of the store");
	is_int(registry_find(reg, k.bytes, OTHER), at,
	    "a session that was added is found");
	ok(is_listening(at, ME) && is_listening(at, OTHER),
	    "adding and finding a session begins listening");
	is_int(
	    add(1, OTHER), at, "adding a session twice gives the same entry");
	registry_leave(reg, at, ME);
	ok(!is_listening(at, ME) && is_listening(at, OTHER),
	    "leaving ends the listening of one slot only");
	uint32_t old = registry_add(reg, m.bytes, NOBODY, &seed);
	struct entry *e = registry_entry(reg, old);
	ok(e->number == 7 && e->head == 12 && e->began == 9 && e->turn == 3 &&
		e->state == ENTRY_RUNNING,
	    "a session from the store keeps what the store knows");
	is_int(registry_entry(reg, add(3, ME))->number, 101,
	    "numbers are not given twice");
	is_int(registry_count(reg), 3, "the count follows");
	ok(is_sound(), "the structure is sound");
	end();
}

static void test_same_bucket(void)
{
	static const struct registry_seed fresh = {0};
	struct key k[5] = {{{0}}};
	uint32_t at[5];
	bool all = true;

	begin();
	for (int i = 0; i < 5; i++) {
		k[i].bytes[15] = (uint8_t)(i + 1);
		at[i] = registry_add(reg, k[i].bytes, ME, &fresh);
	}
	for (int i = 0; i < 5; i++)
		all &= registry_look(reg, k[i].bytes) == at[i];
	ok(all, "keys of one bucket are told apart");
	registry_leave(reg, at[2], ME);
	is_int(registry_sweep(reg, -1), 1,
	    "a key in the middle of a bucket can be removed");
	is_int(registry_look(reg, k[2].bytes), REGISTRY_NONE,
	    "a key removed from the middle of a bucket is not found");
	for (int i = 0; i < 5; i++)
		all &= i == 2 || registry_look(reg, k[i].bytes) == at[i];
	ok(all && is_sound(),
	    "keys of the bucket that were not removed are found");
	end();
}

static void test_evict(void)
{
	uint32_t at[CAPACITY];
	uint64_t evictions = stat_mine()->evictions;
	uint64_t full = stat_mine()->full;

	begin();
	for (uint32_t i = 0; i < CAPACITY; i++)
		at[i] = add(i, ME);
	is_int(add(50, ME), REGISTRY_NONE, "attached sessions are not evicted");
	is_int(stat_mine()->full - full, 1, "a refusal is counted");
	registry_leave(reg, at[9], ME);
	registry_leave(reg, at[3], ME);
	registry_leave(reg, at[12], ME);
	struct key k = key_of(9);
	(void)registry_find(reg, k.bytes, OTHER);
	registry_leave(reg, at[9], OTHER);
	ok(add(51, ME) != REGISTRY_NONE && !is_there(3) && is_there(9) &&
		is_there(12),
	    "the session idle longest is evicted first");
	ok(add(52, ME) != REGISTRY_NONE && !is_there(12) && is_there(9),
	    "the session idle second longest is evicted next");
	ok(add(53, ME) != REGISTRY_NONE && !is_there(9),
	    "a session that was looked at is evicted last");
	is_int(stat_mine()->evictions - evictions, 3, "evictions are counted");
	is_int(
	    registry_count(reg), CAPACITY, "the registry is as full as it was");
	ok(is_sound(), "the registry is sound after evictions");
	end();
}

static void test_full_of_work(void)
{
	registry_owner self = registry_self(ME, 1);

	begin();
	for (uint32_t i = 0; i < CAPACITY; i++) {
		uint32_t at = add(i, ME);
		(void)registry_begin(reg, at, self, 0);
		registry_leave(reg, at, ME);
	}
	is_int(add(50, ME), REGISTRY_NONE, "running sessions are not evicted");
	is_int(registry_sweep(reg, -1), 0, "running sessions are not swept");
	struct key k = key_of(4);
	uint32_t at = registry_look(reg, k.bytes);
	registry_end(reg, at, self, true);
	ok(add(50, ME) != REGISTRY_NONE && !is_there(4),
	    "a session whose turn has ended makes room");
	end();
}

static void test_dead_listeners(void)
{
	begin();
	for (uint32_t i = 0; i < CAPACITY; i++)
		(void)add(i, i < 8 ? DEAD : ME);
	ok(add(50, ME) != REGISTRY_NONE, "a dead listener keeps no session");
	is_int(registry_sweep(reg, -1), 7,
	    "sessions of a dead listener are swept");
	ok(is_there(8) && is_there(15),
	    "sessions of a living listener are kept");
	ok(is_sound(), "the registry is sound after a listener died");
	end();
	begin();
	uint32_t at = add(1, ME);
	(void)add(1, OTHER);
	registry_clean_slot(reg, OTHER);
	ok(is_listening(at, ME) && !is_listening(at, OTHER),
	    "a slot given to a new process listens nowhere");
	end();
}

static void test_questions(void)
{
	registry_owner me = registry_self(ME, 1);

	is_int(owner_slot(me), ME, "an owner tells its slot");
	is_int(owner_generation(me), 1, "an owner tells its generation");
	begin();
	struct entry *e = registry_entry(reg, add(1, ME));
	is_int(entry_question(e).seq, 0, "a new entry has no question");
	ok(!entry_settle_question(e, 0), "no question is settled by no answer");
	entry_set_question(e, 1ull << 40, EV_ASK_USER);
	ok(entry_question(e).seq == 1ull << 40 &&
		entry_question(e).type == EV_ASK_USER,
	    "a question has its position and its type");
	ok(!entry_settle_question(e, 7) && entry_question(e).seq,
	    "the answer to another question settles none");
	ok(entry_settle_question(e, 1ull << 40) && !entry_question(e).seq,
	    "the answer to a question settles it");
	entry_set_question(e, 9, EV_APPROVAL_NEEDED);
	entry_clear_question(e);
	is_int(entry_question(e).seq, 0, "a question that is cleared is gone");
	end();
}

static void test_turns(void)
{
	registry_owner me = registry_self(ME, 1);
	registry_owner other = registry_self(OTHER, 3);

	begin();
	uint32_t at = add(1, ME);
	struct entry *e = registry_entry(reg, at);
	is_int(
	    registry_begin(reg, at, me, 77), 1, "the first turn is number 1");
	ok(e->owner == me && e->claim == 77 && e->state == ENTRY_RUNNING,
	    "the turn has its owner and claim");
	is_int(registry_begin(reg, at, other, 0), 0, "one turn runs at a time");
	registry_end(reg, at, other, true);
	is_int(e->state, ENTRY_RUNNING, "only its owner ends a turn");
	entry_set_question(e, 5, EV_ASK_USER);
	registry_end(reg, at, me, true);
	ok(e->state == ENTRY_IDLE && !e->owner && !e->claim && !e->question,
	    "an ended turn leaves nothing behind");
	is_int(
	    registry_begin(reg, at, other, 0), 2, "the next turn is number 2");
	registry_end(reg, at, other, false);
	is_int(registry_begin(reg, at, me, 0), 2,
	    "a turn that was never accepted gives its number back");
	end();
}

static void test_delete(void)
{
	registry_owner me = registry_self(ME, 1);

	begin();
	uint32_t at = add(1, ME);
	struct entry *e = registry_entry(reg, at);
	(void)add(1, OTHER);
	uint64_t number = e->number, head = e->head;
	(void)registry_begin(reg, at, me, 0);
	ok(registry_delete(reg, at, registry_self(OTHER, 3)) && is_there(1),
	    "only its owner deletes a session");
	ok(registry_delete(reg, at, me) && !is_there(1),
	    "a deleted session is not found");
	ok(e->is_deleted && e->head > head,
	    "the listeners of a deleted session find it deleted and grown");
	is_int(registry_begin(reg, at, me, 0), 0,
	    "no turn begins in a deleted session");
	uint32_t next = add(1, ME);
	ok(next != at && registry_entry(reg, next)->number != number,
	    "the key of a deleted session is that of a new one");
	is_int(registry_sweep(reg, -1), 0,
	    "a deleted session is kept for its listeners");
	is_int(registry_count(reg), 2, "a deleted session takes its place");
	registry_leave(reg, at, ME);
	ok(e->is_deleted, "a deleted session is kept for its last listener");
	registry_leave(reg, at, OTHER);
	ok(e->state == ENTRY_FREE && registry_count(reg) == 1,
	    "a deleted session to which nobody listens is freed");
	ok(is_there(1) && is_sound(), "the registry is sound after a deletion");
	end();
}

static void test_delete_for_the_dead(void)
{
	registry_owner me = registry_self(ME, 1);

	begin();
	for (uint32_t i = 0; i < CAPACITY; i++)
		(void)add(i, ME);
	uint32_t at = add(3, DEAD);
	(void)registry_begin(reg, at, me, 0);
	(void)registry_delete(reg, at, me);
	registry_leave(reg, at, ME);
	is_int(registry_count(reg), CAPACITY,
	    "a deleted session may have a dead listener");
	ok(add(50, ME) != REGISTRY_NONE,
	    "a deleted session with only dead listeners makes room");
	ok(is_sound(), "the registry is sound after it made such room");
	end();
}

static void test_orphan(void)
{
	registry_owner me = registry_self(ME, 1);

	begin();
	uint32_t at = add(1, ME);
	struct key k = key_of(1);
	struct registry_seed seed = {
	    .number = registry_entry(reg, at)->number, .turn = 1};
	(void)registry_begin(reg, at, me, 0);
	ok(registry_knows(reg, k.bytes, 1), "a running turn is known");
	ok(registry_orphan(reg, k.bytes, &seed) &&
		!registry_take(reg, at, registry_self(OTHER, 1)),
	    "an orphan that still runs stays its owner's");
	registry_end(reg, at, me, true);
	ok(!registry_knows(reg, k.bytes, 1),
	    "a turn that has ended is not known");
	seed.number++;
	ok(registry_orphan(reg, k.bytes, &seed) && !registry_take(reg, at, me),
	    "the turn of another session is not run as an orphan");
	seed.number--;
	ok(registry_orphan(reg, k.bytes, &seed),
	    "a turn that the store has as running runs again");
	ok(registry_take(reg, at, me),
	    "an orphan from the store can be taken over");
	registry_end(reg, at, me, true);
	(void)registry_begin(reg, at, me, 0);
	registry_end(reg, at, me, true);
	ok(registry_knows(reg, k.bytes, 1),
	    "a newer turn of the session makes the old one known");
	ok(registry_orphan(reg, k.bytes, &seed) && !registry_take(reg, at, me),
	    "an orphan older than the last turn does not run again");
	struct key none = key_of(2);
	struct registry_seed gone = {
	    .number = 99, .turn = 4, .is_running = true};
	ok(!registry_knows(reg, none.bytes, 4),
	    "a session that is not registered has no known turn");
	ok(registry_orphan(reg, none.bytes, &gone) &&
		registry_take(reg, registry_look(reg, none.bytes), me),
	    "an orphan of an unknown session is registered and taken over");
	ok(is_sound(), "the registry is sound after orphans");
	end();
}

static void test_take(void)
{
	registry_owner me = registry_self(ME, 1);
	registry_owner other = registry_self(OTHER, 3);

	begin();
	uint32_t at = add(1, ME);
	ok(!registry_take(reg, at, me), "an idle session cannot be taken over");
	(void)registry_begin(reg, at, other, 0);
	ok(registry_is_alive(reg, other), "a process of its slot is alive");
	ok(!registry_take(reg, at, me), "a living owner keeps its turn");
	live(OTHER, 4);
	ok(!registry_is_alive(reg, other),
	    "an owner of an older generation is dead");
	ok(registry_take(reg, at, me), "a dead owner's turn is taken over");
	ok(!registry_take(reg, at, registry_self(1, 1)),
	    "a dead owner's turn is taken over once");
	live(OTHER, 5);
	ok(!registry_is_alive(reg, other),
	    "a successor in the slot does not make the old owner alive");
	ok(!registry_is_alive(reg, 0), "owner 0 is not alive");
	end();
}

struct found {
	uint32_t at[CAPACITY];
	unsigned n;
};

static void note_orphan(uint32_t at, struct entry *e, void *arg)
{
	struct found *f = arg;

	(void)e;
	f->at[f->n++] = at;
}

static void test_orphans(void)
{
	const struct registry_seed seed = {.number = 5, .is_running = true};
	struct found f = {.n = 0};
	struct key k = key_of(9);
	uint32_t cursor = 0;

	begin();
	for (uint32_t i = 0; i < 4; i++)
		(void)registry_begin(reg, add(i, ME),
		    i % 2 ? registry_self(DEAD, 1) : registry_self(ME, 1), 0);
	uint32_t last = registry_add(reg, k.bytes, NOBODY, &seed);
	registry_orphans(reg, &cursor, 2, note_orphan, &f);
	ok(f.n == 1 && f.at[0] == 1 && cursor == 2,
	    "a step looks at so many entries");
	registry_orphans(reg, &cursor, 100, note_orphan, &f);
	ok(f.n == 3 && f.at[1] == 3 && f.at[2] == last,
	    "turns of dead owners and of nobody are found as orphans");
	is_int(cursor, 0, "the cursor of orphans begins again after the last");
	end();
}

static void test_grew(void)
{
	begin();
	uint32_t at = add(1, ME);
	struct entry *e = registry_entry(reg, at);
	registry_grew(reg, at, e->number, 5);
	registry_grew(reg, at, e->number, 3);
	is_int(e->head, 5, "the head never goes back");
	registry_grew(reg, at, e->number + 1, 9);
	is_int(
	    e->head, 5, "news of an evicted session are not its successor's");
	is_int(registry_sweep(reg, -1), 0,
	    "the sweep spares a session with a listener");
	registry_leave(reg, at, ME);
	is_int(registry_sweep(reg, 60000), 0,
	    "the sweep spares a session that was active lately");
	is_int(registry_sweep(reg, -1), 1, "the sweep removes an idle session");
	is_int(registry_count(reg), 0, "no session is left after the sweep");
	end();
}

static void misuse(void *arg)
{
	(void)arg;
	heritage->registry_at += 64; /* where no registry is */
	(void)registry_new(heritage, false, 1);
}

static void test_misuse(void)
{
	begin();
	expect_panic(misuse, NULL, "only the first keeper may make a registry");
	end();
}

/* ---- deaths inside the lock ---- */

/* Work at random for ever. */
static void work(unsigned seed, registry_owner self)
{
	unsigned slot = owner_slot(self);

	for (;;) {
		uint32_t at = add((uint32_t)rand_r(&seed) % 40, slot);
		if (at == REGISTRY_NONE)
			continue;
		if (registry_begin(reg, at, self, 1) && rand_r(&seed) % 4)
			registry_end(reg, at, self, rand_r(&seed) % 2);
		if (rand_r(&seed) % 8)
			registry_leave(reg, at, slot);
		if (rand_r(&seed) % 16 == 0)
			(void)registry_sweep(reg, -1);
	}
}

static void take_over(uint32_t at, struct entry *e, void *arg)
{
	registry_owner me = registry_self(ME, 1);

	(void)e;
	(void)arg;
	if (registry_take(reg, at, me))
		registry_end(reg, at, me, true);
}

/* Kill one worker at random; whether the registry is whole after that. */
static bool kill_one(unsigned round)
{
	struct timespec wait = {.tv_nsec = (long)(round * 7919 % 3000) * 1000};
	unsigned slot = 1 + round % 100;
	uint32_t cursor = 0;

	live(slot, 2 * round + 1);
	pid_t pid = fork();
	if (pid == 0)
		work(round, registry_self(slot, 2 * round + 1));
	(void)nanosleep(&wait, NULL);
	(void)kill(pid, SIGKILL);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return false;
	live(slot, 2 * round + 2);
	bool was_sound = is_there(999) || is_sound(); /* the look relinks */
	registry_orphans(reg, &cursor, CAPACITY, take_over, NULL);
	registry_clean_slot(reg, slot);
	return was_sound && is_sound();
}

static void test_killed(void)
{
	char *log = scratch_path("log");
	unsigned sound = 0, rebuilt = 0, added = 0;
	size_t len;

	(void)log_open(log);
	begin();
	for (unsigned round = 0; round < 100; round++)
		sound += kill_one(round);
	is_int(sound, 100, "after every death the structure is sound");
	char *text = scratch_read(log, &len);
	for (const char *p = text;
	     (p = strstr(p, "registry: lock holder died")); p++)
		rebuilt++;
	ok(rebuilt > 0, "%u of 100 died inside the lock", rebuilt);
	for (uint32_t i = 1000; i < 1000 + CAPACITY; i++)
		added += add(i, ME) != REGISTRY_NONE;
	is_int(added, CAPACITY, "no entry was lost");
	ok(is_sound(), "the structure is sound when full");
	end();
	free(text);
	free(log);
}

/* ---- a process that stops inside the lock ---- */

/* Stop a worker again and again, until it has the lock; its pid. */
static pid_t stop_inside(void)
{
	struct key k = key_of(3);
	pid_t pid = fork();
	unsigned seed = 1;

	if (pid == 0)
		work(1, registry_self(7, 15));
	registry_bound(reg);
	for (;;) {
		struct timespec wait = {.tv_nsec = rand_r(&seed) % 200000};
		(void)nanosleep(&wait, NULL);
		(void)kill(pid, SIGSTOP);
		(void)waitpid(pid, NULL, WUNTRACED);
		(void)registry_look(reg, k.bytes);
		if (registry_is_stuck(reg))
			return pid;
		(void)kill(pid, SIGCONT);
	}
}

static void test_stopped(void)
{
	registry_owner me = registry_self(ME, 1);
	struct key k = key_of(3);

	begin();
	uint32_t at = add(3, ME), left = add(4, ME);
	(void)registry_begin(reg, at, me, 1);
	live(7, 15);
	pid_t pid = stop_inside();
	int64_t began = clock_steady_us();
	is_int(registry_find(reg, k.bytes, ME), REGISTRY_NONE,
	    "a loop does not get past a process that stopped inside");
	ok(registry_is_stuck(reg),
	    "a stuck registry is told apart from a session not found");
	for (int i = 0; i < 100; i++)
		(void)registry_look(reg, k.bytes);
	ok(clock_steady_us() - began < 2000000,
	    "a stuck registry makes the loop wait only once");
	is_int(add(5, ME), REGISTRY_NONE,
	    "no session is added to a stuck registry");
	ok(!registry_take(reg, at, me),
	    "no turn is taken over in a stuck registry");
	is_int(registry_begin(reg, left, me, 1), 0,
	    "no turn begins in a stuck registry");
	registry_end(reg, at, me, true);
	registry_leave(reg, left, ME);

	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	live(7, 16);
	registry_catch_up(reg);
	ok(!registry_is_stuck(reg),
	    "the death of the stopped process frees the registry");
	is_int(atomic_load(&registry_entry(reg, at)->state), ENTRY_IDLE,
	    "the end of a turn is made up for when the registry is free");
	is_int(registry_begin(reg, at, me, 1), 2,
	    "the next turn begins when the registry is free");
	registry_disown(reg, at, me);
	ok(registry_take(reg, at, registry_self(OTHER, 3)),
	    "a turn that was disowned can be taken over");
	ok(is_sound(), "the registry is sound after it was stuck");
	end();
}

int main(void)
{
	test_find();
	test_same_bucket();
	test_evict();
	test_full_of_work();
	test_dead_listeners();
	test_questions();
	test_turns();
	test_take();
	test_delete();
	test_delete_for_the_dead();
	test_orphan();
	test_orphans();
	test_grew();
	test_misuse();
	test_killed();
	test_stopped();
	return done();
}
