/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/snapshot.h"

#include "base/clock.h"
#include "base/mem.h"
#include "core/process.h"
#include "proc/cgroup.h"
#include "proc/pids.h"
#include "proc/resident.h"
#include "status/snapshot_int.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How often a slot is read again that changes while it is read. */
#define TRIES 8

/* The master looks at the others every 0.2 s. */
#define MASTER_LATE_MS 5000

/* What a reader believes: no date before 2020, and none a day ahead. */
#define OLDEST_MS INT64_C(1577836800000)
#define DAY_MS INT64_C(86400000)

/* ---- processes ---- */

/* Returns the letter of stat(5) for the state of a process; 0: it has none. */
static char letter_of(int32_t pid)
{
	char path[64], text[512];
	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (pid <= 0 || !cgroup_read_file(path, text, sizeof text))
		return 0;
	const char *after = strrchr(text, ')');
	return after && after[1] == ' ' ? after[2] : 0;
}

static enum snapshot_health health_of(int32_t pid, bool is_late)
{
	switch (letter_of(pid)) {
	case 0:
	case 'Z':
	case 'X':
		return HEALTH_GONE;
	case 'T':
	case 't':
		return HEALTH_STOPPED;
	default:
		return is_late ? HEALTH_LATE : HEALTH_OK;
	}
}

static int64_t memory_of(int32_t pid)
{
	pid_t one = pid;
	struct pids set = {.list = &one, .n = 1};
	return resident_bytes(&set);
}

/* Milliseconds since a time in shared memory, which may hold anything. */
static int64_t age_ms(int64_t now_us, int64_t at_us)
{
	int64_t age_us = (int64_t)((uint64_t)now_us - (uint64_t)at_us);
	return age_us < 0 ? 0 : age_us / 1000;
}

static void copy_pulses(struct snapshot_process *p,
    const struct heritage_slot *slot, int64_t now_us)
{
	for (int i = 0; i < PULSE_LINES; i++) {
		const struct pulse *pulse = &slot->pulses[i];
		p->pulse_state[i] = atomic_load(&pulse->state);
		p->pulse_age_ms[i] = age_ms(now_us, atomic_load(&pulse->at_us));
	}
	p->beat_age_ms = p->pulse_state[PULSE_LOOP] == PULSE_NONE
			     ? -1
			     : p->pulse_age_ms[PULSE_LOOP];
}

/* Returns false if no process lives in the slot, or it keeps changing. */
static bool copy_slot(struct snapshot_process *p, const struct heritage *h,
    unsigned at, int64_t now_us)
{
	const struct heritage_slot *slot = &h->slots[at];
	for (int i = 0; i < TRIES; i++) {
		uint32_t generation = atomic_load(&slot->generation);
		if (generation % 2 == 0)
			return false;
		*p = (struct snapshot_process){
		    .slot = at,
		    .generation = generation,
		    .kind = *(const volatile uint32_t *)&slot->kind,
		    .epoch = *(const volatile uint32_t *)&slot->epoch,
		    .pid = atomic_load(&slot->pid),
		    .state = (enum heritage_state)atomic_load(&slot->state),
		    .started_ms = atomic_load(&slot->born_ms),
		};
		copy_pulses(p, slot, now_us);
		memcpy(&p->stats, &h->stats[at], sizeof p->stats);
		if (atomic_load(&slot->generation) == generation)
			return true;
	}
	return false;
}

/* Returns NULL, or what cannot be true about a slot. */
static const char *doubt(const struct snapshot_process *p, int64_t now_ms)
{
	if (p->kind == KIND_NONE || p->kind >= KINDS)
		return "its kind does not exist";
	if (p->state == SLOT_FREE || p->state > SLOT_DRAINING)
		return "its state does not exist";
	if (p->pid < 0)
		return "its process id is negative";
	if (p->started_ms < OLDEST_MS || p->started_ms > now_ms + DAY_MS)
		return "it was started at an impossible time";
	for (int i = 0; i < PULSE_LINES; i++)
		if (p->pulse_state[i] > PULSE_WAITING)
			return "the state of a thread does not exist";
	return NULL;
}

static void take_slot(
    struct snapshot *s, const struct heritage *h, unsigned at, int64_t now_us)
{
	struct snapshot_process *p = &s->processes[s->n_processes];
	if (!copy_slot(p, h, at, now_us))
		return;
	const char *why = doubt(p, s->taken_ms);
	if (why) {
		snapshot_fault(s, "slot %u: %s", at, why);
		return;
	}
	uint32_t loop = p->pulse_state[PULSE_LOOP];
	bool is_late = (loop == PULSE_BUSY || loop == PULSE_WAITING) &&
		       p->beat_age_ms > SNAPSHOT_LATE_MS;
	p->health = health_of(p->pid, is_late);
	p->memory_bytes = memory_of(p->pid);
	p->age_ms = s->taken_ms - p->started_ms;
	s->n_processes++;
}

static void take_server(
    struct snapshot *s, const struct heritage *h, int64_t now_us)
{
	s->master_pid = *(const volatile int32_t *)&h->master_pid;
	s->started_ms = *(const volatile int64_t *)&h->started_ms;
	s->epoch = atomic_load(&h->epoch);
	s->wanted = atomic_load(&h->listening);
	s->restarts = atomic_load(&h->restarts);
	s->hung = atomic_load(&h->hung);
	s->refuses_writes = atomic_load(&h->store_refuses);
	s->master_silent_ms = age_ms(now_us, atomic_load(&h->watched_us));
	s->master_health =
	    health_of(s->master_pid, s->master_silent_ms > MASTER_LATE_MS);
	if (s->wanted > HERITAGE_SLOTS)
		snapshot_fault(s, "the number of workers is impossible");
	if (s->started_ms >= OLDEST_MS && s->started_ms <= s->taken_ms + DAY_MS)
		return;
	snapshot_fault(s, "the server was started at an impossible time");
	s->started_ms = s->taken_ms;
}

void snapshot_take(struct snapshot *s, const struct snapshot_source *from)
{
	const struct heritage *h = from->heritage;
	int64_t now_us = clock_steady_us();
	s->taken_ms = clock_wall_ms();
	if (*(const volatile uint64_t *)&h->magic != HERITAGE_MAGIC ||
	    *(const volatile uint32_t *)&h->version != HERITAGE_VERSION) {
		snapshot_fault(s, "the shared memory is not that of a server "
				  "of this version");
		return;
	}
	s->processes = mem_zero(HERITAGE_SLOTS * sizeof *s->processes);
	s->stats = mem_zero(HERITAGE_SLOTS * sizeof *s->stats);
	memcpy(s->stats, h->stats, HERITAGE_SLOTS * sizeof *s->stats);
	take_server(s, h, now_us);
	for (unsigned at = 0; at < HERITAGE_SLOTS; at++)
		take_slot(s, h, at, now_us);
	if (from->registry)
		snapshot_take_sessions(s, from->registry);
}

/* ---- judgement ---- */

static bool __attribute__((format(printf, 2, 3)))
say(struct buf *reasons, const char *fmt, ...)
{
	va_list ap;
	if (!reasons)
		return false;
	va_start(ap, fmt);
	buf_vprintf(reasons, fmt, ap);
	va_end(ap);
	buf_char(reasons, '\n');
	return false;
}

static bool is_process_well(
    const struct snapshot_process *p, struct buf *reasons)
{
	const char *kind = process_kinds[p->kind].name;
	switch (p->health) {
	case HEALTH_LATE:
		return say(reasons,
		    "%s in slot %u (pid %d) has not moved for %.1f s", kind,
		    p->slot, (int)p->pid, (double)p->beat_age_ms / 1000);
	case HEALTH_STOPPED:
		return say(reasons, "%s in slot %u (pid %d) is stopped", kind,
		    p->slot, (int)p->pid);
	case HEALTH_GONE:
		return say(reasons, "%s in slot %u (pid %d) has died", kind,
		    p->slot, (int)p->pid);
	case HEALTH_OK:
		break;
	}
	return true;
}

static bool is_master_well(const struct snapshot *s, struct buf *reasons)
{
	switch (s->master_health) {
	case HEALTH_GONE:
		return say(reasons, "the master (pid %d) has died",
		    (int)s->master_pid);
	case HEALTH_STOPPED:
		return say(reasons, "the master (pid %d) is stopped",
		    (int)s->master_pid);
	case HEALTH_LATE:
		return say(reasons,
		    "the master (pid %d) has not looked after the others for "
		    "%.1f s",
		    (int)s->master_pid, (double)s->master_silent_ms / 1000);
	case HEALTH_OK:
		break;
	}
	return true;
}

bool snapshot_is_well(const struct snapshot *s, struct buf *reasons)
{
	bool is_well = is_master_well(s, reasons);
	unsigned n = 0;
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct snapshot_process *p = &s->processes[i];
		is_well &= is_process_well(p, reasons);
		n += p->kind == KIND_WORKER && p->state == SLOT_SERVING &&
		     p->health == HEALTH_OK;
	}
	if (n < s->wanted)
		is_well = say(reasons, "%u of %u workers serve", n, s->wanted);
	if (!s->wanted)
		is_well = say(reasons, "the server is starting");
	if (s->refuses_writes)
		is_well = say(reasons, "the store refuses writes");
	if (s->damage.len) {
		is_well = false;
		if (reasons)
			buf_append(reasons, s->damage.data, s->damage.len);
	}
	return is_well;
}

const char *snapshot_state_word(enum heritage_state state)
{
	static const char *const words[] = {
	    [SLOT_FREE] = "free",
	    [SLOT_STARTING] = "starting",
	    [SLOT_SERVING] = "serving",
	    [SLOT_DRAINING] = "draining",
	};
	return words[state];
}

const char *snapshot_health_word(enum snapshot_health health)
{
	static const char *const words[] = {
	    [HEALTH_OK] = "ok",
	    [HEALTH_LATE] = "late",
	    [HEALTH_STOPPED] = "stopped",
	    [HEALTH_GONE] = "gone",
	};
	return words[health];
}
