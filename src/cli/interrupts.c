/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/interrupts.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCONT, SIGWINCH};

#define N_NUMBERS (sizeof numbers / sizeof *numbers)

static int ends[2] = {-1, -1};
static unsigned depth;
static struct sigaction before[N_NUMBERS];

/* What was read from the pipe and not taken yet. */
static unsigned n_stops;
static bool must_leave, must_redraw;

static void on_signal(int number)
{
	int saved = errno;
	char byte = 't';

	if (number == SIGINT)
		byte = 'i';
	else if (number == SIGCONT || number == SIGWINCH)
		byte = 'r';

	/* A full pipe has enough of them. */
	(void)!write(ends[1], &byte, 1);
	errno = saved;
}

int interrupts_open(void)
{
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		fatal("pipe: %s", strerror(errno));
	return ends[0];
}

/* What is not a mistake in a number cannot fail. */
static void set(int number, const struct sigaction *new, struct sigaction *old)
{
	if (sigaction(number, new, old) != 0)
		panic("sigaction %d: %s", number, strerror(errno));
}

void interrupts_hold(void)
{
	struct sigaction new = {.sa_handler = on_signal};

	if (depth++)
		return;
	(void)sigemptyset(&new.sa_mask);
	new.sa_flags = SA_RESTART;
	for (size_t i = 0; i < N_NUMBERS; i++) {
		set(numbers[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			set(numbers[i], &new, NULL);
	}
}

void interrupts_release(void)
{
	if (--depth)
		return;
	for (size_t i = 0; i < N_NUMBERS; i++)
		set(numbers[i], &before[i], NULL);
}

static void read_all(void)
{
	char bytes[64];
	ssize_t n;

	while ((n = read(ends[0], bytes, sizeof bytes)) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			n_stops += bytes[i] == 'i';
			must_leave |= bytes[i] == 't';
			must_redraw |= bytes[i] == 'r';
		}
	}
}

enum interrupt interrupts_take(void)
{
	read_all();
	if (must_leave)
		return INTERRUPT_LEAVE;
	if (n_stops) {
		n_stops--;
		return INTERRUPT_STOP;
	}
	if (!must_redraw)
		return INTERRUPT_NONE;
	must_redraw = false;
	return INTERRUPT_REDRAW;
}

void interrupts_drop(void)
{
	read_all();
	n_stops = 0;
}
