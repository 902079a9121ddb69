/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "relay/roster.h"
#include "t/unit/scratch_clock.h"

#define AGENTS 1000

static struct heritage *heritage;

/* Workers are slots 0 and 1, alive with generations 1 and 3. */
static void make_heritage(void)
{
	uint64_t at = (sizeof(struct heritage) + 4095) & ~(uint64_t)4095;
	uint64_t bytes = roster_bytes(AGENTS);

	heritage = mmap(NULL, at + bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (heritage == MAP_FAILED)
		abort();
	heritage->registry_at = at;
	heritage->registry_bytes = bytes;
	heritage->max_sessions = AGENTS;
	heritage->slots[0].generation = 1;
	heritage->slots[1].generation = 3;
}

static struct roster_entry entry_of(int key, double timestamp, uint64_t serial)
{
	struct roster_entry e = {.timestamp = timestamp, .serial = serial};

	/* Multiplied, so that keys are spread as public keys are. */
	uint64_t spread = (uint64_t)key * 0x9e3779b97f4a7c15u;
	memcpy(e.key, &spread, sizeof(spread));
	memset(e.digest, key, sizeof(e.digest));
	e.socket = (uint64_t)key + 100;
	return e;
}

static void test_one(struct roster *a, struct roster *b)
{
	struct roster_entry e = entry_of(1, 1000, roster_serial(a));
	struct roster_found found;

	ok(!roster_find(b, e.key, NULL, &found) && !found.n_live,
	    "an address that was never there is not known");
	int64_t place = roster_put(a, &e);
	ok(place >= 0, "an agent gets a place");
	ok(roster_find(b, e.key, NULL, &found) && found.n_live == 1 &&
		found.slot == 0 && found.entry.socket == 101,
	    "another worker finds where an agent is");
	ok(!found.left_ms, "an agent that is there has not left");
	roster_find(b, e.key, e.digest, &found);
	ok(found.is_used, "a signature that was used is known to all workers");
	e.timestamp = 1060;
	memset(e.digest, 9, sizeof(e.digest));
	roster_change(a, place, &e);
	roster_find(b, e.key, NULL, &found);
	ok(found.timestamp > 1059, "a change is seen by other workers");
	pass_ms(1000);
	roster_leave(a, place);
	pass_ms(5000);
	ok(roster_find(b, e.key, NULL, &found) && !found.n_live,
	    "an agent that left is known, and not there");
	ok(clock_mono_ms() - found.left_ms >= 5000 &&
		clock_mono_ms() - found.left_ms < 6000,
	    "the roster says when an agent left");
	ok(found.timestamp > 1059, "the last timestamp of an agent is kept");
	is_int(roster_put(a, &e), place,
	    "an agent that returns gets its old place");
	roster_leave(a, place);
}

static void test_two(struct roster *a, struct roster *b)
{
	struct roster_entry x = entry_of(2, 1000, roster_serial(a));
	struct roster_entry y = entry_of(2, 1001, roster_serial(b));
	struct roster_entry z = entry_of(2, 1002, 0);
	struct roster_found found;

	int64_t first = roster_put(a, &x), second = roster_put(b, &y);
	int64_t third = roster_put(a, &z);
	roster_find(a, x.key, NULL, &found);
	ok(found.n_live == 3 && found.slot == 1,
	    "of three sockets with one key, the latest is chosen");
	roster_leave(b, second);
	roster_find(a, x.key, NULL, &found);
	ok(found.n_live == 2 && found.slot == 0 && found.entry.serial > 0,
	    "when the latest socket leaves, the one before is chosen");
	roster_leave(a, first);
	roster_find(a, x.key, NULL, &found);
	ok(found.n_live == 1 && !found.entry.serial,
	    "a socket without a number is chosen when there is no other");
	roster_leave(a, third);
}

static void test_death(struct roster *a, struct roster *b)
{
	struct roster_entry e = entry_of(3, 1000, roster_serial(b));
	struct roster_found found;

	int64_t place = roster_put(b, &e);
	heritage->slots[1].generation = 4;
	ok(roster_find(a, e.key, NULL, &found) && !found.n_live,
	    "the agents of a dead worker are not there");
	ok(clock_mono_ms() - found.left_ms < 1000,
	    "a death that is not noted yet counts as just now");
	roster_died(a, 1);
	pass_ms(2000);
	roster_find(a, e.key, NULL, &found);
	ok(clock_mono_ms() - found.left_ms >= 2000 &&
		clock_mono_ms() - found.left_ms < 3000,
	    "agents leave when their worker dies");
	is_int(
	    roster_put(a, &e), place, "the place of a dead worker is reused");
	roster_leave(a, place);
	heritage->slots[1].generation = 3;
}

static void test_full(struct roster *a)
{
	int64_t places[3 * AGENTS];
	struct roster_found found;
	int n = 0, lost = 0;

	for (int i = 0; i < AGENTS; i++) {
		struct roster_entry e = entry_of(1000 + i, 1, 1);
		places[n] = roster_put(a, &e);
		n += places[n] >= 0;
	}
	is_int(n, AGENTS, "there is room for as many agents as promised");
	for (int i = 0; i < AGENTS; i++) {
		struct roster_entry e = entry_of(1000 + i, 1, 1);
		if (!roster_find(a, e.key, NULL, &found) ||
		    found.entry.socket != e.socket)
			lost++;
	}
	is_int(lost, 0, "each of many agents is found");
	bool is_refused = false;
	for (int i = 0; i < 2 * AGENTS && !is_refused; i++) {
		struct roster_entry e = entry_of(5000 + i, 1, 1);
		places[n] = roster_put(a, &e);
		is_refused = places[n] < 0;
		n += !is_refused;
	}
	ok(is_refused, "an agent without room is refused");
	for (int i = 0; i < n; i++)
		roster_leave(a, places[i]);
	struct roster_entry e = entry_of(9000, 1, 1);
	int64_t place = roster_put(a, &e);
	ok(place >= 0, "places that were left are used again");
	roster_leave(a, place);
}

/* Whoever wants to be in another's way makes keys that begin as that one's. */
static void test_alike(struct roster *a)
{
	int64_t places[200];
	int refused = 0;

	for (int i = 0; i < 200; i++) {
		struct roster_entry e = entry_of(4, 1, 1);
		memcpy(e.key + 8, &i, sizeof(i));
		places[i] = roster_put(a, &e);
		refused += places[i] < 0;
	}
	is_int(refused, 0, "keys that begin alike do not share their places");
	for (int i = 0; i < 200; i++)
		roster_leave(a, places[i]);
}

/* Two processes claim and leave places for the same few keys. */
static int claim_often(struct roster *r, unsigned slot)
{
	struct roster_found found;
	int wrong = 0;

	for (int i = 0; i < 20000; i++) {
		struct roster_entry e =
		    entry_of(20 + i % 5, slot, roster_serial(r));
		e.socket = slot;
		int64_t place = roster_put(r, &e);
		if (place < 0 || !roster_find(r, e.key, NULL, &found) ||
		    !found.n_live)
			wrong++;
		if (found.n_live && found.entry.socket != found.slot)
			wrong++; /* a mixture of two entries */
		roster_leave(r, place);
	}
	return wrong != 0;
}

static void test_contention(struct roster *a, struct roster *b)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(claim_often(b, 1));
	int mine = claim_often(a, 0);
	(void)waitpid(pid, &status, 0);
	ok(mine == 0 && status == 0,
	    "two workers that claim the same places never mix them up");
}

int main(void)
{
	follow_clock();
	make_heritage();
	struct roster *a = roster_new(heritage, 0, 1);
	struct roster *b = roster_new(heritage, 1, 3);
	test_one(a, b);
	test_two(a, b);
	test_death(a, b);
	test_full(a);
	test_alike(a);
	test_contention(a, b);
	roster_free(&a);
	roster_free(&b);
	return done();
}
