/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "master/watch.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/pulse.h"
#include "master/children.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"

#define LIMIT_MS 20

static struct children *children;
static struct pulse *pulses; /* of the one child */
static struct watch watch;

enum how { SLEEPS, STOPPED, TRACED };

static void live(enum how how)
{
	if (how == TRACED)
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	if (how != SLEEPS)
		(void)raise(SIGSTOP);
	for (;;)
		(void)pause();
}

static void start(enum how how)
{
	pid_t pid = fork();
	if (pid == 0)
		live(how);
	if (how != SLEEPS)
		(void)waitpid(pid, NULL, WUNTRACED);
	children->child[0] = (struct child){.pid = pid};
	watch = (struct watch){0};
	for (int i = 0; i < PULSE_LINES; i++)
		pulses[i] = (struct pulse){.tid = pid};
}

static void end(void)
{
	(void)kill(children->child[0].pid, SIGKILL);
	(void)waitpid(children->child[0].pid, NULL, 0);
}

static void wait_ms(long ms)
{
	struct timespec wait = {.tv_nsec = ms * 1000000};
	(void)nanosleep(&wait, NULL);
}

/* Look for three times the limit; how many were killed. */
static unsigned look(void)
{
	unsigned n = 0;
	for (int i = 0; i < 12; i++) {
		n += watch_look(&watch, children, LIMIT_MS);
		wait_ms(5);
	}
	return n;
}

static void is_killed(enum how how, enum pulse_line line,
    enum pulse_state state, unsigned want, const char *title)
{
	start(how);
	atomic_store(&pulses[line].state, state);
	unsigned n = look();
	is_int(n > 0, want, "%s", title);
	int status = 0;
	pid_t pid = children->child[0].pid;
	ok((waitpid(pid, &status, want ? 0 : WNOHANG) == pid &&
	       WIFSIGNALED(status)) == (want == 1),
	    "%s: the process %s", title, want ? "is dead" : "lives");
	if (!want)
		end();
}

static void test_states(void)
{
	is_killed(SLEEPS, PULSE_LOOP, PULSE_BUSY, 1,
	    "a loop that does not move is killed");
	is_killed(SLEEPS, PULSE_FACTS, PULSE_BUSY, 1,
	    "a lane must move as a loop must");
	is_killed(SLEEPS, PULSE_LOOP, PULSE_NONE, 0,
	    "a process that starts or leaves is not watched");
	is_killed(STOPPED, PULSE_CHATTER, PULSE_IDLE, 0,
	    "a lane may have nothing to do");
	is_killed(SLEEPS, PULSE_FACTS, PULSE_WAITING, 0,
	    "a process that waits for a lock is not hung");
	is_killed(STOPPED, PULSE_FACTS, PULSE_WAITING, 1,
	    "a process stopped while it waits for a lock is killed");
	is_killed(TRACED, PULSE_LOOP, PULSE_BUSY, 0,
	    "a process held by a debugger is spared");
}

static void test_moving(void)
{
	unsigned n = 0;
	start(SLEEPS);
	atomic_store(&pulses[PULSE_LOOP].state, PULSE_BUSY);
	for (int i = 0; i < 12; i++) {
		atomic_fetch_add(&pulses[PULSE_LOOP].at_us, 1);
		n += watch_look(&watch, children, LIMIT_MS);
		wait_ms(5);
	}
	is_int(n, 0, "a process that moves is spared");
	is_int(watch_look(&watch, children, 0), 0, "0 is no limit");
	end();
}

/* A look after an hour counts as one a second after the last. */
static void test_stopped_master(void)
{
	start(SLEEPS);
	atomic_store(&pulses[PULSE_LOOP].state, PULSE_BUSY);
	(void)watch_look(&watch, children, 60000);
	for (int i = 0; i < 50; i++) {
		watch.looked_us -= 3600000000ll;
		if (watch_look(&watch, children, 60000))
			break;
	}
	is_int(waitpid(children->child[0].pid, NULL, WNOHANG), 0,
	    "time in which nobody looked counts against nobody");
	end();
}

/* The service manager is told of silence, whether it ends in a death or not. */
static void test_fresh(void)
{
	start(SLEEPS);
	atomic_store(&pulses[PULSE_LOOP].state, PULSE_BUSY);
	(void)watch_look(&watch, children, 0);
	ok(watch_is_fresh(&watch, children, 1500), "a new process is fresh");
	for (int i = 0; i < 3; i++) {
		watch.looked_us -= 1000000;
		(void)watch_look(&watch, children, 0);
	}
	ok(!watch_is_fresh(&watch, children, 1500),
	    "a process that was silent for too long is not fresh");
	atomic_fetch_add(&pulses[PULSE_LOOP].at_us, 1);
	(void)watch_look(&watch, children, 0);
	ok(watch_is_fresh(&watch, children, 1500),
	    "a process is fresh again when it moves");
	end();
}

/* The silence of the last process of a slot is not the next one's. */
static void test_successor(void)
{
	start(SLEEPS);
	atomic_store(&pulses[PULSE_LOOP].state, PULSE_BUSY);
	(void)watch_look(&watch, children, 3000);
	watch.looked_us -= 1000000;
	(void)watch_look(&watch, children, 3000);
	ok(watch.line[0][PULSE_LOOP].silent_us >= 1000000, "silence adds up");
	children->child[0].pid++;
	(void)watch_look(&watch, children, 3000);
	ok(watch.line[0][PULSE_LOOP].silent_us < 1000000,
	    "the silence of another process begins at 0");
	children->child[0].pid--;
	end();
}

static void test_pulse(void)
{
	struct pulse p = {0};
	is_int(pulse_set(PULSE_BUSY), PULSE_NONE,
	    "pulse_set() without a pulse does nothing");
	pulse_beat();
	pulse_use(&p);
	is_int(atomic_load(&p.tid), gettid(), "a pulse names its thread");
	is_int(pulse_set(PULSE_BUSY), PULSE_NONE, "a new pulse has no state");
	is_int(pulse_set(PULSE_WAITING), PULSE_BUSY, "a state tells the last");
	int64_t at = atomic_load(&p.at_us);
	ok(at > 0, "a state is a sign of life");
	ok(!pulse_is_late(&p, at + 10, 10),
	    "a pulse within its time is not late");
	ok(pulse_is_late(&p, at + 11, 10), "a pulse beyond its time is late");
	(void)pulse_set(PULSE_IDLE);
	ok(!pulse_is_late(&p, at + 1000000000, 10),
	    "an idle pulse is never late");
	pulse_use(NULL);
	is_int(pulse_set(PULSE_BUSY), PULSE_NONE, "a pulse can be given up");
}

int main(void)
{
	char *log = scratch_path("log");
	(void)log_open(log);
	children = mem_zero(sizeof *children);
	children->heritage = mem_zero(sizeof *children->heritage);
	children->n_slots = 1;
	pulses = children->heritage->slots[0].pulses;
	test_pulse();
	test_states();
	test_moving();
	test_stopped_master();
	test_fresh();
	test_successor();
	free(children->heritage);
	free(children);
	free(log);
	return done();
}
