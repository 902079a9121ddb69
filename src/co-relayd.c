/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"
#include "launch/options.h"
#include "relay/relay_worker.h"
#include "relayd/relayd_options.h"
#include "relayd/relayd_start.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

/*
 * These signals are for the master, and stay pending until it runs: none may
 * kill a starting process, or a process that the sender did not mean.
 */
static void hold_signals(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	(void)signal(SIGUSR2, SIG_IGN);
}

int main(int argc, char **argv)
{
	static struct options options;
	fds_fill_standard();
	hold_signals();
	relayd_options_read(&options, argc, argv);
	if (!options.child)
		return relayd_start(&options);
	if (strcmp(options.child, relay_kinds[RELAY_WORKER].name) != 0)
		options_error("there is no kind of process", options.child);
	return relay_worker_main(options.slot, options.generation);
}
