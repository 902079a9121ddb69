/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>

#include "core/heritage.h"
#include "proc/shm.h"
#include "limits/gauge.h"

#define N_CHILDREN 4

static struct heritage *heritage;
static size_t heritage_size;

static void begin(void)
{
	int fd = shm_create("gauge-test", sizeof(struct heritage));

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
}

static void end(void)
{
	(void)munmap(heritage, heritage_size);
}

/* A process in this slot. */
static struct gauge live(unsigned slot, uint32_t generation)
{
	atomic_store(&heritage->slots[slot].generation, generation);
	return gauge_open(heritage, slot, generation);
}

static void die(unsigned slot)
{
	atomic_fetch_add(&heritage->slots[slot].generation, 1);
}

static void test_limit(void)
{
	gauge_hold holds[3];

	begin();
	struct gauge g = live(0, 1), other = live(70, 3);
	ok(gauge_take(&g, GAUGE_RUNS, "anna", 2, &holds[0]),
	    "the first of two holds is taken");
	ok(gauge_take(&other, GAUGE_RUNS, "anna", 2, &holds[1]),
	    "the second of two holds is taken in another process");
	ok(!gauge_take(&g, GAUGE_RUNS, "anna", 2, &holds[2]),
	    "a third of two holds is refused");
	is_int(holds[2], 0, "a refused hold holds nothing");
	is_int(gauge_count(&g, GAUGE_RUNS, "anna"), 2,
	    "two taken holds are counted");
	ok(gauge_take(&g, GAUGE_RUNS, "bert", 2, &holds[2]),
	    "the limit of one name does not affect another");
	is_int(gauge_count(&g, GAUGE_SOCKETS, "anna"), 0,
	    "holds of one kind do not count for another");
	gauge_drop(&g, &holds[0]);
	gauge_drop(&g, &holds[0]);
	is_int(gauge_count(&other, GAUGE_RUNS, "anna"), 1,
	    "a hold given back twice is taken off once");
	ok(gauge_take(&other, GAUGE_RUNS, "anna", 2, &holds[0]),
	    "a hold that was given back makes room");
	ok(gauge_take(&other, GAUGE_RUNS, "anna", 0, &holds[0]),
	    "a hold without a limit is taken");
	end();
}

static void test_death(void)
{
	gauge_hold hold, old;

	begin();
	struct gauge g = live(0, 1), doomed = live(1, 1);
	(void)gauge_take(&g, GAUGE_SOCKETS, "anna", 0, &hold);
	for (int i = 0; i < 10; i++)
		(void)gauge_take(&doomed, GAUGE_SOCKETS, "anna", 0, &old);
	is_int(
	    gauge_count(&g, GAUGE_SOCKETS, "anna"), 11, "both processes count");
	die(1);
	is_int(gauge_count(&g, GAUGE_SOCKETS, "anna"), 1,
	    "the holds of a dead process are gone at once");
	atomic_store(&heritage->slots[1].generation, 3);
	is_int(gauge_count(&g, GAUGE_SOCKETS, "anna"), 1,
	    "holds of a dead process do not come back when the slot is given "
	    "away");
	struct gauge next = live(1, 3);
	is_int(gauge_count(&g, GAUGE_SOCKETS, "anna"), 1,
	    "holds of a dead process do not come back when a new process "
	    "counts");
	(void)gauge_take(&next, GAUGE_SOCKETS, "anna", 0, &hold);
	is_int(gauge_count(&g, GAUGE_SOCKETS, "anna"), 2,
	    "a new process in an old slot begins at 0");
	end();
}

/* Twice as many names as places, and then as many again. */
static void test_full_table(void)
{
	static gauge_hold holds[2 * HERITAGE_GAUGES];
	char who[32];
	int counted = 0, refused = 0;

	begin();
	struct gauge g = live(0, 1);
	for (int i = 0; i < 2 * HERITAGE_GAUGES; i++) {
		(void)snprintf(who, sizeof(who), "n%d", i);
		refused += !gauge_take(&g, GAUGE_RUNS, who, 1, &holds[i]);
		counted += holds[i] != 0;
	}
	is_int(refused, 0, "no hold is refused when the table is full");
	ok(counted > HERITAGE_GAUGES / 10 * 9, "nearly all places are used");
	for (int i = 0; i < 2 * HERITAGE_GAUGES; i++)
		gauge_drop(&g, &holds[i]);
	for (int i = counted = 0; i < HERITAGE_GAUGES / 4; i++) {
		(void)snprintf(who, sizeof(who), "m%d", i);
		(void)gauge_take(&g, GAUGE_RUNS, who, 1, &holds[i]);
		counted += holds[i] && gauge_count(&g, GAUGE_RUNS, who) == 1;
	}
	is_int(counted, HERITAGE_GAUGES / 4, "places are used again");
	end();
}

/* Take one and keep it until told to go; say whether there was one. */
static void child(unsigned slot, int said, int go, int leave)
{
	gauge_hold hold;
	char byte;

	struct gauge g = live(slot, 1);
	if (write(said, "r", 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	for (int i = 0; i < 10000; i++) {
		byte = gauge_take(&g, GAUGE_RUNS, "anna", 2, &hold) ? '+' : '-';
		if (gauge_count(&g, GAUGE_RUNS, "anna") > 2 + N_CHILDREN)
			_exit(1);
		if (i < 9999)
			gauge_drop(&g, &hold);
	}
	if (write(said, &byte, 1) != 1)
		_exit(1);
	_exit(read(leave, &byte, 1) == 1 ? 0 : 1);
}

static void test_processes(void)
{
	int said[2], go[2], leave[2], taken = 0;
	bool are_good = true;
	char byte;

	begin();
	struct gauge g = live(100, 1);
	/* Two pipes, or one that is quick would take what another waits for. */
	if (pipe(said) != 0 || pipe(go) != 0 || pipe(leave) != 0)
		abort();
	for (unsigned i = 0; i < N_CHILDREN; i++)
		if (fork() == 0)
			child(i, said[1], go[0], leave[0]);
	for (int i = 0; i < N_CHILDREN; i++)
		are_good &= read(said[0], &byte, 1) == 1;
	are_good &= write(go[1], "gggg", N_CHILDREN) == N_CHILDREN;
	for (int i = 0; i < N_CHILDREN; i++) {
		are_good &= read(said[0], &byte, 1) == 1;
		taken += byte == '+';
	}
	ok(are_good && taken <= 2,
	    "processes together never hold more than the limit");
	is_int(gauge_count(&g, GAUGE_RUNS, "anna"), taken,
	    "all holds of several processes are counted");
	are_good &= write(leave[1], "gggg", N_CHILDREN) == N_CHILDREN;
	for (int status; wait(&status) > 0;)
		are_good &= status == 0;
	ok(are_good, "every child process ended well");
	end();
}

int main(void)
{
	test_limit();
	test_death();
	test_full_table();
	test_processes();
	return done();
}
