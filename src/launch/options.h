/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_OPTIONS_H
#define LAUNCH_OPTIONS_H

/*
 * The command line of a daemon, read once at startup: the options that all
 * daemons have, and those of a program. Paths in it are made absolute, since a
 * server leaves the folder to which they are relative. Errors are reported on
 * standard error and end the process with status 2.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_MAX_OVERRIDES 64

/*
 * A setting given by an option. It is applied on each reload: after all other
 * sources, or as a preset before them.
 */
struct override {
	char *where; /* as it was typed: "option --port" or "option -p" */
	char *key;
	char *value;
	bool is_preset;
};

struct options {
	struct override overrides[OPTIONS_MAX_OVERRIDES];
	size_t n_overrides;
	const char *command; /* NULL: serve */
	char *const *args;   /* of the command */
	size_t n_args;
	/* NULL if not given. */
	const char *dir;
	const char *config;
	const char *log;
	const char *pid_file;
	const char *test_clock;
	const char *child; /* the kind of process that the master starts */
	unsigned slot;
	unsigned generation;
	int ready_fd;	   /* -1: none */
	char *const *argv; /* the whole command line */
	bool is_takeover;  /* a master started us to take its place */
	bool is_daemon;
	bool is_check;
	/* Of commands. */
	bool wants_json;
	bool wants_difference;
};

/* What getopt_long() returns for the common options without a letter. */
enum options_common {
	OPT_PID_FILE = 256,
	OPT_USER,
	OPT_READY_FD,
	OPT_TEST_CLOCK,
	OPT_CHILD,
	OPT_SLOT,
	OPT_GENERATION,
	OPT_TAKEOVER,
	OPT_OWN, /* the first of a program's own */
};

/* The common options: rows for the list of a program, and their letters. */
/* clang-format off */
#define OPTIONS_COMMON \
	{"workers", required_argument, NULL, 'w'}, \
	{"port", required_argument, NULL, 'p'}, \
	{"bind", required_argument, NULL, 'b'}, \
	{"dir", required_argument, NULL, 'd'}, \
	{"config", required_argument, NULL, 'c'}, \
	{"set", required_argument, NULL, 'o'}, \
	{"daemon", no_argument, NULL, 'D'}, \
	{"log", required_argument, NULL, 'l'}, \
	{"test", no_argument, NULL, 't'}, \
	{"version", no_argument, NULL, 'V'}, \
	{"help", no_argument, NULL, 'h'}, \
	{"pid-file", required_argument, NULL, OPT_PID_FILE}, \
	{"user", required_argument, NULL, OPT_USER}, \
	{"ready-fd", required_argument, NULL, OPT_READY_FD}, \
	{"test-clock", required_argument, NULL, OPT_TEST_CLOCK}, \
	{"child", required_argument, NULL, OPT_CHILD}, \
	{"slot", required_argument, NULL, OPT_SLOT}, \
	{"generation", required_argument, NULL, OPT_GENERATION}, \
	{"takeover", no_argument, NULL, OPT_TAKEOVER}
/* clang-format on */
#define OPTIONS_LETTERS "w:p:b:d:c:o:Dl:tVh"

/* The command line of a program. */
struct options_program {
	const struct option *list; /* OPTIONS_COMMON, its own, a zeroed row */
	const char *letters;	   /* OPTIONS_LETTERS and its own */
	const char *libraries;	   /* for --version */
	void (*print_usage)(void);
	/* Take an option of its own; NULL if it has none. */
	void (*take)(
	    struct options *o, int opt, const char *where, const char *value);
};

/*
 * Read the command line into *o, which is zeroed but for defaults of the
 * program. Options may come before or after the command and its arguments.
 * --help and --version end the process.
 */
void options_read(struct options *o, const struct options_program *program,
    int argc, char **argv);

/* Add a setting; where is the option that gave it, as it was typed. */
void options_set(
    struct options *o, const char *where, const char *key, const char *value);

/* Add the setting of a text KEY=VALUE. */
void options_set_pair(
    struct options *o, const char *where, const char *text, bool is_preset);

/* Report an error in the command line, and end the process. */
void options_error(const char *problem, const char *what)
    __attribute__((noreturn));

#endif
