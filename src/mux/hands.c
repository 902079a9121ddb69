/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/hands.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* For the handlers of signals that are faults. */
#define SIGNAL_STACK_BYTES 32768

struct hand {
	struct hand *next, *prev; /* all of them */
	struct hand *next_idle;
	sem_t call;
	pid_t tid;
	clockid_t clock; /* of the CPU time that it has used */
	_Atomic uint64_t turn;
	uint64_t faults; /* when it entered its turn */
	void *signal_stack;
	enum hand_kind kind;
	/* The turn that it was seen to work for after its end; 0: none. */
	uint64_t ended_turn;
	int64_t ended_us, ended_cpu_us; /* at that time */
	bool is_idle;
};

static struct hand *all, *idle, *leader;
/* Those that were at work last; they may have ended since. */
#define RECENT 4
static pid_t recent[RECENT];
static size_t latest;

/* Who took turns and wrote last. */
#define WORKS 16
static pid_t works[WORKS];
static size_t n_works;

static size_t starting; /* asked for, and not here so far */
static size_t resting;	/* in the list idle */
static bool is_short;	/* the last one asked for could not be started */

/* Initial-exec: a handler must not be the first to use it. */
static __thread struct hand *self __attribute__((tls_model("initial-exec")));

static void open_signal_stack(struct hand *h)
{
	stack_t stack = {.ss_size = SIGNAL_STACK_BYTES};

	h->signal_stack = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->signal_stack == MAP_FAILED) {
		h->signal_stack = NULL; /* its stack may do */
		return;
	}
	stack.ss_sp = h->signal_stack;
	(void)sigaltstack(&stack, NULL);
}

static void close_signal_stack(struct hand *h)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	if (!h->signal_stack)
		return;
	(void)sigaltstack(&none, NULL);
	(void)munmap(h->signal_stack, SIGNAL_STACK_BYTES);
}

bool hands_open(enum hand_kind kind)
{
	struct hand *h = calloc(1, sizeof *h);

	if (!h || sem_init(&h->call, 0, 0) != 0)
		abort();
	h->tid = (pid_t)syscall(SYS_gettid);
	h->kind = kind;
	errno = pthread_getcpuclockid(pthread_self(), &h->clock);
	if (errno)
		abort();
	open_signal_stack(h);
	h->next = all;
	if (all)
		all->prev = h;
	all = h;
	self = h;
	if (kind != HAND_TURNS)
		return true; /* it shares those of who started it */
	starting -= starting > 0;
	is_short = false;
	return unshare(CLONE_FS) == 0;
}

void hands_close(void)
{
	struct hand *h = self;

	if (!h)
		return;
	self = NULL;
	*(h->prev ? &h->prev->next : &all) = h->next;
	if (h->next)
		h->next->prev = h->prev;
	close_signal_stack(h);
	(void)sem_destroy(&h->call);
	free(h);
}

struct hand *hands_self(void)
{
	return self;
}

uint64_t hands_turn(void)
{
	return self ? self->turn : 0;
}

/* ---- page faults ---- */

static uint64_t faults_now(void)
{
	struct rusage used;

	return getrusage(RUSAGE_THREAD, &used) == 0 ? (uint64_t)used.ru_minflt
						    : 0;
}

void hands_note(const struct hand *h)
{
	if (h->kind == HAND_TURNS)
		works[n_works++ % WORKS] = h->tid;
	if (recent[latest] == h->tid)
		return;
	latest = (latest + 1) % RECENT;
	recent[latest] = h->tid;
}

void hands_enter(struct hand *h, uint64_t turn)
{
	hands_note(h);
	h->faults = turn ? faults_now() : 0;
	h->turn = turn;
}

uint64_t hands_faults(const struct hand *h)
{
	return faults_now() - h->faults;
}

/* Returns false if it is gone. */
static bool read_stat(pid_t tid, char *state, unsigned long long *faults)
{
	char path[64], text[512];

	(void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *after_name = strrchr(text, ')');
	return after_name &&
	       sscanf(after_name, ") %c %*d %*d %*d %*d %*d %*u %llu", state,
		   faults) == 2;
}

uint64_t hands_faults_of(uint64_t turn)
{
	uint64_t sum = 0;

	for (const struct hand *h = all; h; h = h->next) {
		if (h->turn != turn)
			continue;
		char state;
		unsigned long long now;
		if (read_stat(h->tid, &state, &now) && now > h->faults)
			sum += now - h->faults;
	}
	return sum;
}

/* ---- work after the end of a turn ---- */

static int64_t cpu_us(const struct hand *h)
{
	struct timespec t = {0};

	(void)clock_gettime(h->clock, &t); /* the thread is there */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct hands_strays hands_find_strays(
    bool (*has_ended)(uint64_t turn), int64_t now_us, int64_t grace_us)
{
	struct hands_strays found = {0};

	for (struct hand *h = all; h; h = h->next) {
		uint64_t turn = h->kind == HAND_OWN ? 0 : h->turn;
		if (!turn || !has_ended(turn))
			continue;
		if (h->ended_turn != turn) {
			h->ended_turn = turn;
			h->ended_us = now_us;
			h->ended_cpu_us = cpu_us(h);
		}
		int64_t used_us = cpu_us(h) - h->ended_cpu_us;
		int64_t us = now_us - h->ended_us;
		if (us > 0 && us >= grace_us)
			found.percent += (unsigned)(used_us * 100 / us);
		found.n++;
	}
	return found;
}

bool hands_are_many(void)
{
	for (size_t i = 1; i < WORKS; i++)
		if (works[i] != works[0])
			return true;
	return false;
}

bool hands_are_busy(void)
{
	for (size_t i = 0; i < RECENT; i++) {
		pid_t tid = recent[(latest + RECENT - i) % RECENT];
		char state;
		unsigned long long faults;
		if (tid && (!self || tid != self->tid) &&
		    read_stat(tid, &state, &faults) && state == 'R')
			return true;
	}
	return false;
}

/* ---- waiting ---- */

void hands_rest(struct hand *h)
{
	h->turn = 0;
	h->is_idle = true;
	h->next_idle = idle;
	idle = h;
	resting++;
}

bool hands_sleep(struct hand *h, int64_t ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (sem_clockwait(&h->call, CLOCK_MONOTONIC, &until) != 0)
		if (errno == ETIMEDOUT)
			return false;
	return true;
}

bool hands_leave(struct hand *h)
{
	if (!h->is_idle || (resting == 1 && !leader && !starting))
		return false;
	struct hand **at = &idle;
	while (*at != h)
		at = &(*at)->next_idle;
	*at = h->next_idle;
	h->is_idle = false;
	resting--;
	return true;
}

void hands_call(void)
{
	struct hand *h = idle;

	if (leader || !h)
		return;
	idle = h->next_idle;
	h->is_idle = false;
	resting--;
	leader = h;
	(void)sem_post(&h->call);
}

void hands_yield(struct hand *h)
{
	if (leader == h)
		leader = NULL;
}

bool hands_leads(const struct hand *h)
{
	return leader == h;
}

bool hands_needed(void)
{
	if (leader || idle || starting)
		return false;
	starting++;
	return true;
}

void hands_missing(void)
{
	starting -= starting > 0;
	is_short = true;
}

bool hands_are_short(void)
{
	return is_short && !leader && !idle && !starting;
}
