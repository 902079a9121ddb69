/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/pulse.h"
#include "master/children.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The most that one check adds to the silence of a child. */
#define STEP_MOST_US 1000000

static const char *const line_names[] = {
    [PULSE_LOOP] = "the event loop",
    [PULSE_CHATTER] = "the writer of events",
    [PULSE_FACTS] = "the writer of inputs and results",
};

/* Returns the letter of a thread's state (proc(5)), 0 if it is gone. */
static char thread_state(pid_t pid, int tid)
{
	char path[64], text[128];
	(void)snprintf(
	    path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	/* The name before it may contain spaces and brackets. */
	const char *end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

/* Whether a silent thread is itself the cause of its silence. */
static bool is_to_blame(pid_t pid, const struct pulse *p)
{
	char state = thread_state(pid, atomic_load(&p->tid));
	if (atomic_load(&p->state) == PULSE_WAITING)
		return state == 'T';
	return state && state != 'D' && state != 't';
}

static bool is_watched(const struct pulse *p)
{
	uint32_t state = atomic_load(&p->state);
	return state == PULSE_BUSY || state == PULSE_WAITING;
}

/* Check one thread: whether its silence has reached the limit. */
static bool listen_to(struct watch_line *l, const struct pulse *p,
    int64_t passed_us, int64_t limit_us)
{
	int64_t at = atomic_load(&p->at_us);
	if (at != l->seen_us || !is_watched(p)) {
		*l = (struct watch_line){.seen_us = at};
		return false;
	}
	l->silent_us += passed_us;
	return l->silent_us >= limit_us;
}

/* Returns the first thread of a child that hangs, or -1. */
static int find_hung(struct watch *w, unsigned slot, const struct child *child,
    const struct heritage_slot *s, int64_t passed_us, int64_t limit_us)
{
	int hung = -1;
	if (w->pid[slot] != child->pid)
		memset(w->line[slot], 0, sizeof w->line[slot]);
	w->pid[slot] = child->pid;
	for (int i = 0; i < PULSE_LINES; i++)
		if (listen_to(&w->line[slot][i], &s->pulses[i], passed_us,
			limit_us) &&
		    hung < 0 && is_to_blame(child->pid, &s->pulses[i]))
			hung = i;
	return hung;
}

static void kill_hung(struct watch *w, unsigned slot, pid_t pid, int line)
{
	log_error(
	    "slot=%u child=%d: hung: %s made no progress for %lld s; killed",
	    slot, (int)pid, line_names[line],
	    (long long)(w->line[slot][line].silent_us / 1000000));
	(void)kill(pid, SIGKILL);
	/* Kill only once; it takes a moment until it is reaped. */
	memset(w->line[slot], 0, sizeof w->line[slot]);
}

unsigned watch_look(struct watch *w, const struct children *c, int64_t limit_ms)
{
	int64_t now = clock_steady_us();
	int64_t passed = now - w->looked_us;
	unsigned n = 0;
	if (passed > STEP_MOST_US)
		passed = STEP_MOST_US;
	w->looked_us = now;
	int64_t limit_us = limit_ms ? limit_ms * 1000 : INT64_MAX;
	for (unsigned i = 0; i < c->n_slots; i++) {
		const struct child *child = &c->child[i];
		if (!child->pid)
			continue;
		int hung = find_hung(
		    w, i, child, &c->heritage->slots[i], passed, limit_us);
		if (hung < 0)
			continue;
		kill_hung(w, i, child->pid, hung);
		n++;
	}
	return n;
}

bool watch_is_fresh(
    const struct watch *w, const struct children *c, int64_t limit_ms)
{
	for (unsigned i = 0; i < c->n_slots; i++)
		for (int line = 0; c->child[i].pid && line < PULSE_LINES;
		     line++)
			if (w->pid[i] == c->child[i].pid &&
			    w->line[i][line].silent_us >= limit_ms * 1000)
				return false;
	return true;
}
