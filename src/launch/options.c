/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/options.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static void __attribute__((noreturn)) try_help(void)
{
	(void)fprintf(
	    stderr, "Try '%s --help'.\n", program_invocation_short_name);
	exit(2);
}

void options_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
	    problem, what);
	try_help();
}

static void __attribute__((noreturn))
wrong_value(const char *where, const char *wanted, const char *text)
{
	char problem[128];
	(void)snprintf(
	    problem, sizeof problem, "%s must be %s, not", where, wanted);
	options_error(problem, text);
}

/* Returns the new setting. */
static struct override *add_override(
    struct options *o, const char *where, const char *key, const char *value)
{
	if (o->n_overrides == OPTIONS_MAX_OVERRIDES)
		options_error("too many options at", where);
	struct override *new = &o->overrides[o->n_overrides++];
	*new = (struct override){
	    .where = mem_strdup(where),
	    .key = mem_strdup(key),
	    .value = mem_strdup(value),
	};
	return new;
}

void options_set(
    struct options *o, const char *where, const char *key, const char *value)
{
	(void)add_override(o, where, key, value);
}

void options_set_pair(
    struct options *o, const char *where, const char *text, bool is_preset)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		wrong_value(where, "KEY=VALUE", text);
	char *key = mem_strndup(text, (size_t)(equals - text));
	add_override(o, where, key, equals + 1)->is_preset = is_preset;
	free(key);
}

/*
 * Write the name of an option as it was typed, "option -o" or "option --set":
 * typed is the argument that begins it.
 */
static void name_option(
    char out[64], const struct option *list, int opt, const char *typed)
{
	const char *name = NULL;
	for (const struct option *l = list; l->name; l++)
		if (l->val == opt)
			name = l->name;
	bool is_short = opt < OPT_PID_FILE && strncmp(typed, "--", 2) != 0;
	if (is_short || !name)
		(void)snprintf(out, 64, "option -%c", opt);
	else
		(void)snprintf(out, 64, "option --%s", name);
}

static unsigned number_option(const char *where, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (!*text || *end || v > INT_MAX)
		wrong_value(where, "a number", text);
	return (unsigned)v;
}

/* Returns the setting of an option that does nothing but set one, or NULL. */
static const char *key_of(int opt)
{
	static const struct {
		int opt;
		const char *key;
	} rows[] = {
	    {'w', "workers"},
	    {'p', "port"},
	    {'b', "bind"},
	    {OPT_USER, "user"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].opt == opt)
			return rows[i].key;
	return NULL;
}

static void take_option(struct options *o,
    const struct options_program *program, int opt, const char *where)
{
	const char *key = key_of(opt);
	switch (opt) {
	case 'd':
		o->dir = optarg;
		break;
	case 'c':
		o->config = optarg;
		break;
	case 'o':
		options_set_pair(o, where, optarg, false);
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
		printf("%s %s, %s\n", program_invocation_short_name,
		    PACKAGE_VERSION, program->libraries);
		exit(0);
	case 'h':
		program->print_usage();
		exit(0);
	case OPT_PID_FILE:
		o->pid_file = optarg;
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
	case OPT_TAKEOVER:
		o->is_takeover = true;
		break;
	case '?':
		try_help();
	default:
		if (key)
			options_set(o, where, key, optarg);
		else
			program->take(o, opt, where, optarg);
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

void options_read(struct options *o, const struct options_program *program,
    int argc, char **argv)
{
	int opt;
	char where[64];
	o->argv = argv;
	o->ready_fd = -1;
	while ((opt = getopt_long(
		    argc, argv, program->letters, program->list, NULL)) != -1) {
		bool is_apart = optarg && optarg == argv[optind - 1];
		name_option(where, program->list, opt,
		    argv[optind - (is_apart ? 2 : 1)]);
		take_option(o, program, opt, where);
	}
	take_command(o, argc, argv);
	settle_paths(o);
}
