/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/options.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "main/command.h"
#include "net/http.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum {
	OPT_TRUST = 256,
	OPT_PRESET,
	OPT_PID_FILE,
	OPT_USER,
	OPT_INIT,
	OPT_READY_FD,
	OPT_TEST_CLOCK,
	OPT_CHILD,
	OPT_SLOT,
	OPT_GENERATION,
};

static const struct option long_options[] = {
    {"workers", required_argument, NULL, 'w'},
    {"port", required_argument, NULL, 'p'},
    {"bind", required_argument, NULL, 'b'},
    {"dir", required_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'c'},
    {"agent", required_argument, NULL, 'a'},
    {"set", required_argument, NULL, 'o'},
    {"daemon", no_argument, NULL, 'D'},
    {"log", required_argument, NULL, 'l'},
    {"test", no_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"preset", required_argument, NULL, OPT_PRESET},
    {"pid-file", required_argument, NULL, OPT_PID_FILE},
    {"user", required_argument, NULL, OPT_USER},
    {"init", no_argument, NULL, OPT_INIT},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"test-clock", required_argument, NULL, OPT_TEST_CLOCK},
    {"child", required_argument, NULL, OPT_CHILD},
    {"slot", required_argument, NULL, OPT_SLOT},
    {"generation", required_argument, NULL, OPT_GENERATION},
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
    "  -a, --agent AGENT      demo (default), exec:COMMAND or "
    "python:FILE[:NAME]\n"
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
    "HUP starts new workers with new settings; USR1 reopens the logs.\n";

static void print_usage(void)
{
	(void)fputs(usage_head, stdout);
	command_print(stdout);
	(void)fputs(usage_tail, stdout);
}

static void __attribute__((noreturn))
wrong_value(const char *where, const char *wanted, const char *text)
{
	char problem[128];
	(void)snprintf(
	    problem, sizeof problem, "%s must be %s, not", where, wanted);
	options_error(problem, text);
}

static void add_override(
    struct options *o, const char *where, const char *key, const char *value)
{
	if (o->n_overrides == OPTIONS_MAX_OVERRIDES)
		options_error("too many options at", where);
	o->overrides[o->n_overrides++] = (struct override){
	    .where = mem_strdup(where),
	    .key = mem_strdup(key),
	    .value = mem_strdup(value),
	};
}

/*
 * Write the name of an option as it was typed, "option -o" or "option --set":
 * typed is the argument that begins it.
 */
static void name_option(char out[64], int opt, const char *typed)
{
	const char *name = NULL;
	for (const struct option *l = long_options; l->name; l++)
		if (l->val == opt)
			name = l->name;
	bool is_short = opt < OPT_TRUST && strncmp(typed, "--", 2) != 0;
	if (is_short || !name)
		(void)snprintf(out, 64, "option -%c", opt);
	else
		(void)snprintf(out, 64, "option --%s", name);
}

static void add_pair(struct options *o, const char *where, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		wrong_value(where, "KEY=VALUE", text);
	char *key = mem_strndup(text, (size_t)(equals - text));
	add_override(o, where, key, equals + 1);
	free(key);
}

static unsigned number_option(const char *where, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (!*text || *end || v > INT_MAX)
		wrong_value(where, "a number", text);
	return (unsigned)v;
}

static void take_setting(
    struct options *o, int opt, const char *where, const char *value)
{
	static const struct {
		int opt;
		const char *key;
	} rows[] = {
	    {'w', "workers"},
	    {'p', "port"},
	    {'b', "bind"},
	    {'a', "agent"},
	    {OPT_TRUST, "trust"},
	    {OPT_USER, "user"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].opt == opt)
			add_override(o, where, rows[i].key, value);
}

static void take_option(struct options *o, int opt, const char *typed)
{
	char where[64];
	name_option(where, opt, typed);
	switch (opt) {
	case 'd':
		o->dir = optarg;
		break;
	case 'c':
		o->config = optarg;
		break;
	case 'o':
		add_pair(o, where, optarg);
		break;
	case OPT_PRESET:
		add_pair(o, where, optarg);
		o->overrides[o->n_overrides - 1].is_preset = true;
		break;
	case 'D':
		o->is_daemon = true;
		break;
	case 'l':
		o->log = optarg;
		break;
	case 't':
		o->is_check = true;
		break;
	case 'V':
		printf("co-hostd %s, %s\n", PACKAGE_VERSION, http_library());
		exit(0);
	case 'h':
		print_usage();
		exit(0);
	case OPT_PID_FILE:
		o->pid_file = optarg;
		break;
	case OPT_INIT:
		o->command = "init";
		break;
	case OPT_READY_FD:
		o->ready_fd = (int)number_option(where, optarg);
		break;
	case OPT_TEST_CLOCK:
		o->test_clock = optarg;
		break;
	case OPT_CHILD:
		o->child = optarg;
		break;
	case OPT_SLOT:
		o->slot = number_option(where, optarg);
		break;
	case OPT_GENERATION:
		o->generation = number_option(where, optarg);
		break;
	case '?':
		(void)fputs("Try 'co-hostd --help'.\n", stderr);
		exit(2);
	default:
		take_setting(o, opt, where, optarg);
		break;
	}
}

/* getopt_long() has moved all arguments that are not options to the end. */
static void take_command(struct options *o, int argc, char **argv)
{
	int at = optind;
	if (!o->command && at < argc)
		o->command = argv[at++];
	o->args = argv + at;
	o->n_args = (size_t)(argc - at);
}

/* The copy is never freed: options live as long as the process. */
static const char *absolute(const char *path)
{
	char here[PATH_MAX];
	if (!path || *path == '/')
		return path;
	if (!getcwd(here, sizeof here))
		fatal("cannot determine the current directory: %s",
		    strerror(errno));
	struct buf b = {0};
	buf_printf(&b, "%s/%s", here, path);
	return buf_steal(&b, NULL);
}

static void settle_paths(struct options *o)
{
	o->dir = absolute(o->dir);
	o->config = absolute(o->config);
	o->log = absolute(o->log);
	o->pid_file = absolute(o->pid_file);
	o->test_clock = absolute(o->test_clock);
}

void options_read(struct options *o, int argc, char **argv)
{
	int opt;
	o->ready_fd = -1;
	while ((opt = getopt_long(argc, argv, "w:p:b:d:c:a:o:Dl:tVh",
		    long_options, NULL)) != -1) {
		bool is_apart = optarg && optarg == argv[optind - 1];
		take_option(o, opt, argv[optind - (is_apart ? 2 : 1)]);
	}
	take_command(o, argc, argv);
	settle_paths(o);
}
