/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relayd/relayd_options.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
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
	OPT_PID_FILE = 256,
	OPT_USER,
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
    {"set", required_argument, NULL, 'o'},
    {"daemon", no_argument, NULL, 'D'},
    {"log", required_argument, NULL, 'l'},
    {"test", no_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"pid-file", required_argument, NULL, OPT_PID_FILE},
    {"user", required_argument, NULL, OPT_USER},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"test-clock", required_argument, NULL, OPT_TEST_CLOCK},
    {"child", required_argument, NULL, OPT_CHILD},
    {"slot", required_argument, NULL, OPT_SLOT},
    {"generation", required_argument, NULL, OPT_GENERATION},
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

void relayd_options_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "co-relayd: %s %s\nTry 'co-relayd --help'.\n",
	    problem, what);
	exit(2);
}

static void add_setting(struct relayd_options *o, const char *where,
    const char *key, const char *value)
{
	if (o->n_settings == RELAYD_MAX_SETTINGS)
		relayd_options_error("too many options at", where);
	o->settings[o->n_settings++] = (struct relayd_setting){
	    .where = mem_strdup(where),
	    .key = mem_strdup(key),
	    .value = mem_strdup(value),
	};
}

static void add_pair(struct relayd_options *o, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		relayd_options_error(
		    "option --set must be KEY=VALUE, not", text);
	char *key = mem_strndup(text, (size_t)(equals - text));
	add_setting(o, "option --set", key, equals + 1);
	free(key);
}

static unsigned read_number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (!*text || *end || v > INT_MAX)
		relayd_options_error("a number is needed, not", text);
	return (unsigned)v;
}

static char *absolute(const char *path)
{
	char here[PATH_MAX];
	if (*path == '/')
		return mem_strdup(path);
	if (!getcwd(here, sizeof here))
		fatal("cannot determine the current directory: %s",
		    strerror(errno));
	struct buf b = {0};
	buf_printf(&b, "%s/%s", here, path);
	return buf_steal(&b, NULL);
}

static void take_setting(struct relayd_options *o, int opt)
{
	static const struct {
		int opt;
		const char *where;
		const char *key;
	} rows[] = {
	    {'w', "option --workers", "workers"},
	    {'p', "option --port", "port"},
	    {'b', "option --bind", "bind"},
	    {OPT_USER, "option --user", "user"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].opt == opt)
			add_setting(o, rows[i].where, rows[i].key, optarg);
}

static void take_option(struct relayd_options *o, int opt)
{
	switch (opt) {
	case 'd':
		o->dir = absolute(optarg);
		break;
	case 'c':
		o->config = absolute(optarg);
		break;
	case 'o':
		add_pair(o, optarg);
		break;
	case 'D':
		o->is_daemon = true;
		break;
	case 'l':
		o->log = absolute(optarg);
		break;
	case 't':
		o->is_check = true;
		break;
	case 'V':
		printf("co-relayd %s, %s\n", PACKAGE_VERSION, http_library());
		exit(0);
	case 'h':
		(void)fputs(usage, stdout);
		exit(0);
	case OPT_PID_FILE:
		o->pid_file = absolute(optarg);
		break;
	case OPT_READY_FD:
		o->ready_fd = (int)read_number(optarg);
		break;
	case OPT_TEST_CLOCK:
		o->test_clock = absolute(optarg);
		break;
	case OPT_CHILD:
		o->child = optarg;
		break;
	case OPT_SLOT:
		o->slot = read_number(optarg);
		break;
	case OPT_GENERATION:
		o->generation = read_number(optarg);
		break;
	case '?':
		(void)fputs("Try 'co-relayd --help'.\n", stderr);
		exit(2);
	default:
		take_setting(o, opt);
		break;
	}
}

void relayd_options_read(struct relayd_options *o, int argc, char **argv)
{
	int opt;
	o->ready_fd = -1;
	while ((opt = getopt_long(argc, argv, "w:p:b:d:c:o:Dl:tVh",
		    long_options, NULL)) != -1)
		take_option(o, opt);
	if (optind < argc)
		relayd_options_error("there is no command", argv[optind]);
	if (!o->dir)
		o->dir = absolute(".co-relayd");
}
