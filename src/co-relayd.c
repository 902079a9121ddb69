/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"
#include "launch/launch.h"
#include "launch/options.h"
#include "relay/relay_worker.h"
#include "relayd/relayd_options.h"
#include "relayd/relayd_start.h"

#include <stddef.h>
#include <string.h>

int main(int argc, char **argv)
{
	static struct options options;
	fds_fill_standard();
	launch_hold_signals();
	relayd_options_read(&options, argc, argv);
	if (!options.child)
		return relayd_start(&options);
	if (strcmp(options.child, relay_kinds[RELAY_WORKER].name) != 0)
		options_error("there is no kind of process", options.child);
	return relay_worker_main(options.slot, options.generation);
}
