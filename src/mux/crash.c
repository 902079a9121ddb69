/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/crash.h"

#include "mux/hands.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* How long a handler waits, in steps of a millisecond. */
#define STEPS_MAX 1000

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define FAULTS (sizeof faults / sizeof *faults)

static struct sigaction before[FAULTS];
static int wake_fd;
static pid_t process;
static atomic_bool is_fallen, is_told;
static _Atomic uint64_t fallen_turn;
static atomic_int fallen_signal;
static __thread bool is_teller __attribute__((tls_model("initial-exec")));

static void wait_until_told(void)
{
	const struct timespec step = {.tv_nsec = 1000000};
	const uint64_t one = 1;

	/* If it cannot be woken, it is awake. */
	(void)!write(wake_fd, &one, sizeof one);
	for (int i = 0; i < STEPS_MAX && !is_told; i++)
		(void)nanosleep(&step, NULL);
}

/* Only what a handler may call, and no allocation: any lock may be held. */
static void on_fault(int signal)
{
	if (!is_teller && getpid() == process) {
		if (!atomic_exchange(&is_fallen, true)) {
			fallen_turn = hands_turn();
			fallen_signal = signal;
		}
		wait_until_told();
	}
	for (size_t i = 0; i < FAULTS; i++)
		if (faults[i] == signal)
			(void)sigaction(signal, &before[i], NULL);
	(void)raise(signal); /* taken when this handler has returned */
}

void crash_open(int wake)
{
	struct sigaction act = {
	    .sa_handler = on_fault,
	    .sa_flags = SA_ONSTACK,
	};

	wake_fd = wake;
	process = getpid();
	(void)sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < FAULTS; i++)
		(void)sigaction(faults[i], &act, &before[i]);
}

void crash_teller(void)
{
	is_teller = true;
}

bool crash_happened(uint64_t *turn, int *signal)
{
	*signal = fallen_signal; /* set last */
	*turn = fallen_turn;
	return *signal != 0;
}

void crash_told(void)
{
	is_told = true;
}
