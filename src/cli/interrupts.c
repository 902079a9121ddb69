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

static int ends[2] = {-1, -1};

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

static void take_over(int number)
{
	struct sigaction old, new = {.sa_handler = on_signal};

	(void)sigemptyset(&new.sa_mask);
	new.sa_flags = SA_RESTART;
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		(void)sigaction(number, &new, NULL); /* cannot fail */
}

int interrupts_open(void)
{
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		fatal("pipe: %s", strerror(errno));
	take_over(SIGINT);
	take_over(SIGTERM);
	take_over(SIGHUP);
	take_over(SIGCONT);
	take_over(SIGWINCH);
	return ends[0];
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
