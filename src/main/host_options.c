/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/host_options.h"

#include "launch/options.h"
#include "main/command.h"
#include "net/http.h"

#include <stdio.h>

enum {
	OPT_TRUST = OPT_OWN,
	OPT_PRESET,
	OPT_INIT,
	OPT_JSON,
	OPT_DIFF,
};

static const struct option list[] = {
    OPTIONS_COMMON,
    {"agent", required_argument, NULL, 'a'},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"preset", required_argument, NULL, OPT_PRESET},
    {"init", no_argument, NULL, OPT_INIT},
    {"json", no_argument, NULL, OPT_JSON},
    {"diff", no_argument, NULL, OPT_DIFF},
    {NULL, 0, NULL, 0},
};

static const char usage_head[] =
    "Usage: co-hostd [options]\n"
    "       co-hostd COMMAND [options] [arguments]\n"
    "Host an AI agent over HTTP and WebSocket.\n"
    "\n"
    "  -w, --workers N|auto   worker processes (default 1)\n"
    "  -p, --port PORT        TCP port (default 8000; 0: any free port)\n"
    "  -b, --bind ADDR        IPv4, IPv6 or unix:PATH (default 0.0.0.0)\n"
    "  -d, --dir DIR          project directory, which contains .co (default:\n"
    "                         the nearest one, from here upwards)\n"
    "  -c, --config FILE      settings file (default DIR/.co/host.yaml)\n"
    "  -a, --agent AGENT      demo (default), exec:COMMAND, "
    "python:FILE[:NAME],\n"
    "                         c:FILE.so, llm (a model), or onsembl:ID\n"
    "      --trust TRUST      open, careful (default), strict, or a policy "
    "file\n"
    "  -o, --set KEY=VALUE    any setting of host.yaml(5)\n"
    "      --preset KEY=VALUE  a default: used if nothing else sets KEY\n"
    "  -D, --daemon           run in the background\n"
    "      --pid-file FILE    write the process id to FILE\n"
    "  -l, --log FILE         log to FILE (default: standard error)\n"
    "      --user USER        run as this user when started as root\n"
    "      --init             create a project, like the command init\n"
    "  -t, --test             check the settings and exit\n"
    "      --ready-fd N       write the address to descriptor N once serving\n"
    "      --test-clock FILE  (tests) shift all clocks by the milliseconds "
    "in FILE\n"
    "  -V, --version          print the version and exit\n"
    "  -h, --help             print this help and exit\n"
    "\n"
    "Commands:\n";

static const char usage_tail[] =
    "\n"
    "Signals: TERM and INT stop when running turns have ended, QUIT at once;\n"
    "HUP starts new workers with new settings; USR1 reopens the logs; USR2\n"
    "replaces the running server by the program that is on disk; TTIN and "
    "TTOU\n"
    "add and remove a worker; WINCH drains all workers.\n";

static void print_usage(void)
{
	(void)fputs(usage_head, stdout);
	command_print(stdout);
	(void)fputs(usage_tail, stdout);
}

static void take(
    struct options *o, int opt, const char *where, const char *value)
{
	switch (opt) {
	case 'a':
		options_set(o, where, "agent", value);
		break;
	case OPT_TRUST:
		options_set(o, where, "trust", value);
		break;
	case OPT_PRESET:
		options_set_pair(o, where, value, true);
		break;
	case OPT_INIT:
		o->command = "init";
		break;
	case OPT_JSON:
		o->wants_json = true;
		break;
	case OPT_DIFF:
		o->wants_difference = true;
		break;
	}
}

void host_options_read(struct options *o, int argc, char **argv)
{
	const struct options_program program = {
	    .list = list,
	    .letters = OPTIONS_LETTERS "a:",
	    .libraries = http_library(),
	    .print_usage = print_usage,
	    .take = take,
	};
	options_read(o, &program, argc, argv);
}
