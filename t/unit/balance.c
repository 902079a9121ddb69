/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/balance.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/heritage.h"
#include "proc/shm.h"
#include "t/unit/tap.h"

#define OURS 0
#define OTHER 1

static struct heritage *heritage;

static void begin(void)
{
	size_t size;
	int fd = shm_create("balance-test", sizeof(struct heritage));
	heritage = fd < 0 ? NULL : shm_map(fd, &size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->n_slots = 3;
}

/* A process with so many connections whose loop has just beaten. */
static void set(unsigned slot, enum heritage_kind kind,
    enum heritage_state state, uint64_t connections)
{
	heritage->slots[slot].kind = kind;
	atomic_store(&heritage->slots[slot].state, state);
	atomic_store(
	    &heritage->slots[slot].pulses[PULSE_LOOP].at_us, clock_steady_us());
	heritage->stats[slot].connections = connections;
}

static void test_numbers(void)
{
	static const struct {
		uint64_t ours, other;
		bool is_fuller;
		const char *title;
	} cases[] = {
	    {0, 0, false, "two idle workers are equal"},
	    {1, 0, false, "one connection more is no difference"},
	    {2, 0, true,
		"a worker with two connections is fuller than an idle one"},
	    {20, 19, false, "20 connections are about as many as 19"},
	    {24, 20, true, "24 connections are more than 20"},
	    {10, 30, false, "the emptier worker is not the fuller one"},
	    {1100, 1000, false, "among many, a tenth is no difference"},
	    {1200, 1000, true, "among many, a fifth is a difference"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		set(OURS, KIND_WORKER, SLOT_SERVING, cases[i].ours);
		set(OTHER, KIND_WORKER, SLOT_SERVING, cases[i].other);
		ok(balance_is_fuller(heritage, OURS) == cases[i].is_fuller,
		    "%s", cases[i].title);
	}
}

static void test_others(void)
{
	set(OURS, KIND_WORKER, SLOT_SERVING, 100);
	set(OTHER, KIND_WORKER, SLOT_DRAINING, 0);
	ok(!balance_is_fuller(heritage, OURS),
	    "a worker that drains is not waited for");
	set(OTHER, KIND_WORKER, SLOT_STARTING, 0);
	ok(!balance_is_fuller(heritage, OURS),
	    "a worker that starts is not waited for");
	set(OTHER, KIND_KEEPER, SLOT_SERVING, 0);
	ok(!balance_is_fuller(heritage, OURS),
	    "a process that does not accept is not waited for");
	set(OTHER, KIND_WORKER, SLOT_SERVING, 0);
	ok(balance_is_fuller(heritage, OURS),
	    "an idle worker that serves is waited for");
	atomic_fetch_sub(
	    &heritage->slots[OTHER].pulses[PULSE_LOOP].at_us, 2000000);
	ok(!balance_is_fuller(heritage, OURS),
	    "a worker whose loop does not beat is not waited for");
}

int main(void)
{
	begin();
	test_numbers();
	test_others();
	return done();
}
