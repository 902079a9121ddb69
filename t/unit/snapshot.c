/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/snapshot.h"

#include "base/clock.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct heritage *heritage;

static struct heritage_slot *live_slot(unsigned at)
{
	struct heritage_slot *slot = &heritage->slots[at];
	atomic_store(&slot->generation, 2 * at + 1);
	atomic_store(&slot->state, SLOT_SERVING);
	atomic_store(&slot->pid, getpid());
	atomic_store(&slot->born_ms, clock_wall_ms());
	slot->kind = KIND_WORKER;
	slot->epoch = 1;
	atomic_store(&slot->pulses[PULSE_LOOP].state, PULSE_BUSY);
	atomic_store(&slot->pulses[PULSE_LOOP].at_us, clock_steady_us());
	return slot;
}

static void set_up(void)
{
	heritage = calloc(1, sizeof *heritage);
	heritage->magic = HERITAGE_MAGIC;
	heritage->version = HERITAGE_VERSION;
	heritage->master_pid = getpid();
	heritage->started_ms = clock_wall_ms();
	atomic_store(&heritage->watched_us, clock_steady_us());
	atomic_store(&heritage->listening, 2);
	(void)live_slot(0);
	(void)live_slot(1);
	heritage->stats[1].runs = 7;
}

static void tear_down(void)
{
	free(heritage);
}

static struct snapshot take(void)
{
	struct snapshot s = {0};
	struct snapshot_source from = {.heritage = heritage};
	snapshot_take(&s, &from);
	return s;
}

/* Whether a snapshot has this fault among its reasons. */
static bool says(const struct snapshot *s, const char *what)
{
	struct buf reasons = {0};
	bool is_well = snapshot_is_well(s, &reasons);
	bool is_said = !is_well && strstr(buf_cstr(&reasons), what) != NULL;
	if (!is_said)
		printf("# the reasons are: %s\n", buf_cstr(&reasons));
	buf_fini(&reasons);
	return is_said;
}

static void test_well(void)
{
	set_up();
	struct snapshot s = take();
	is_int((int64_t)s.n_processes, 2, "free slots are left out");
	ok(snapshot_is_well(&s, NULL), "a server that moves is well");
	is_int((int64_t)s.processes[1].stats.runs, 7,
	    "a process has the counters of its slot");
	ok(s.processes[0].memory_bytes > 0, "the memory of a process is known");
	snapshot_fini(&s);
	tear_down();
}

static void test_faults(void)
{
	set_up();
	atomic_store(&heritage->slots[1].pulses[PULSE_LOOP].at_us,
	    clock_steady_us() - 9000000);
	struct snapshot s = take();
	ok(says(&s, "worker in slot 1"), "a loop that does not move is told");
	snapshot_fini(&s);
	atomic_store(&heritage->slots[1].pid, 0x7ffffffe);
	s = take();
	ok(says(&s, "has died"), "a process that does not exist is told");
	snapshot_fini(&s);
	atomic_store(&heritage->slots[1].generation, 4);
	s = take();
	ok(says(&s, "1 of 2 workers serve"), "a missing worker is told");
	snapshot_fini(&s);
	atomic_store(&heritage->store_refuses, 1);
	s = take();
	ok(says(&s, "the store refuses writes"), "a full disk is told");
	snapshot_fini(&s);
	tear_down();
}

static void test_damage(void)
{
	static const char *const words[] = {
	    "kind", "state", "process id", "impossible time", "thread"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		set_up();
		struct heritage_slot *slot = &heritage->slots[1];
		if (i == 0)
			slot->kind = 999;
		else if (i == 1)
			atomic_store(&slot->state, 999);
		else if (i == 2)
			atomic_store(&slot->pid, -5);
		else if (i == 3)
			atomic_store(&slot->born_ms, INT64_MAX);
		else
			atomic_store(&slot->pulses[PULSE_FACTS].state, 999);
		struct snapshot s = take();
		ok(says(&s, words[i]), "a slot that cannot be true is told");
		is_int((int64_t)s.n_processes, 1,
		    "a slot that cannot be true is left out");
		snapshot_fini(&s);
		tear_down();
	}
}

static void test_garbage(void)
{
	struct buf out = {0};
	set_up();
	memset(heritage->slots, 0xa5, sizeof heritage->slots);
	memset(heritage->stats, 0xa5, sizeof heritage->stats);
	struct snapshot s = take();
	is_int((int64_t)s.n_processes, 0,
	    "no slot of a page of noise is believed");
	snapshot_json(&out, &s);
	ok(strstr(buf_cstr(&out), "\"degraded\"") != NULL,
	    "a snapshot of noise is degraded");
	snapshot_fini(&s);
	heritage->magic = 1;
	s = take();
	ok(says(&s, "not that of a server"),
	    "a page of another program is told");
	buf_reset(&out);
	snapshot_json(&out, &s);
	ok(strstr(buf_cstr(&out), "\"processes\":[]") != NULL,
	    "such a page shows no process");
	snapshot_fini(&s);
	buf_fini(&out);
	tear_down();
}

int main(void)
{
	test_well();
	test_faults();
	test_damage();
	test_garbage();
	return done();
}
