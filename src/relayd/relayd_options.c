/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relayd/relayd_options.h"

#include "launch/options.h"
#include "net/http.h"

#include <stdio.h>

static const struct option list[] = {
    OPTIONS_COMMON,
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "Usage: co-relayd [options]\n"
    "Connect clients with AI agents by their address.\n"
    "\n"
    "  -w, --workers N|auto   worker processes (default 1)\n"
    "  -p, --port PORT        TCP port (default 8010; 0: any free port)\n"
    "  -b, --bind ADDR        IPv4, IPv6 or unix:PATH (default 0.0.0.0)\n"
    "  -d, --dir DIR          folder of the directory (default .co-relayd)\n"
    "  -c, --config FILE      settings file (default DIR/relay.yaml)\n"
    "  -o, --set KEY=VALUE    any setting of co-relayd(8)\n"
    "  -D, --daemon           run in the background\n"
    "      --pid-file FILE    write the process id to FILE\n"
    "  -l, --log FILE         log to FILE (default: standard error)\n"
    "      --user USER        run as this user when started as root\n"
    "  -t, --test             check the settings and exit\n"
    "      --ready-fd N       write the address to descriptor N once serving\n"
    "      --test-clock FILE  (tests) shift all clocks by the milliseconds "
    "in FILE\n"
    "  -V, --version          print the version and exit\n"
    "  -h, --help             print this help and exit\n"
    "\n"
    "Signals: TERM and INT stop, HUP starts new workers with new settings,\n"
    "USR1 reopens the log.\n";

static void print_usage(void)
{
	(void)fputs(usage, stdout);
}

void relayd_options_read(struct options *o, int argc, char **argv)
{
	const struct options_program program = {
	    .list = list,
	    .letters = OPTIONS_LETTERS,
	    .libraries = http_library(),
	    .print_usage = print_usage,
	};
	o->dir = ".co-relayd";
	options_read(o, &program, argc, argv);
	if (o->command)
		options_error("there is no command", o->command);
}
