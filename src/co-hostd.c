/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/fds.h"
#include "core/process.h"
#include "launch/launch.h"
#include "launch/options.h"
#include "main/command.h"
#include "main/host_options.h"
#include "main/start.h"
#include "worker/keeper.h"
#include "worker/link_process.h"
#include "worker/worker.h"

#include <string.h>
#include <sys/prctl.h>

/*
 * Our memory contains keys and conversations: no other process of our user,
 * such as an agent, may read it, and it must not be in a core file. Programs
 * that we execute are not affected.
 */
static void hide_memory(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0); /* cannot fail */
}

/* The main function of a kind of process. */
typedef int main_fn(unsigned slot, unsigned generation);
static main_fn *const mains[KINDS] = {
#define PROCESS(NAME, name, main, count, flags, stage) \
	[KIND_##NAME] = main##_main,
#include "core/processes.tbl"
#undef PROCESS
};

static int run_child(const struct options *o)
{
	for (int kind = KIND_NONE + 1; kind < KINDS; kind++)
		if (strcmp(o->child, process_kinds[kind].name) == 0)
			return mains[kind](o->slot, o->generation);
	options_error("there is no kind of process", o->child);
}

static int run_command(const struct options *o)
{
	const struct command *command = command_find(o->command);
	if (!command)
		options_error("there is no command", o->command);
	return command->run(o);
}

int main(int argc, char **argv)
{
	static struct options options;
	fds_fill_standard();
	launch_hold_signals();
	host_options_read(&options, argc, argv);
	if (options.command)
		return run_command(&options);
	if (options.wants_json || options.wants_difference)
		options_error("there is no command for the option",
		    options.wants_json ? "--json" : "--diff");
	hide_memory();
	if (options.child)
		return run_child(&options);
	return start_run(&options);
}
