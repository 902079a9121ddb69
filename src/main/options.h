/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

/*
 * The command line, read once at startup. Paths in it are made absolute, since
 * a server leaves the folder to which they are relative. Errors are reported on
 * standard error and end the process with status 2.
 */
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
	int ready_fd; /* -1: none */
	bool is_daemon;
	bool is_check;
};

/*
 * Read the command line into *o, which must be zeroed. Options may come before
 * or after the command and its arguments. --help and --version end the process.
 */
void options_read(struct options *o, int argc, char **argv);

/* Report an error in the command line, and end the process. */
void options_error(const char *problem, const char *what)
    __attribute__((noreturn));

#endif
