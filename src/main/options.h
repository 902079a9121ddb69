/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

/*
 * The command line, read once at the start. Paths in it are absolute
 * afterwards, since a server leaves the folder they are relative to. What is
 * wrong with it is told on standard error, and ends the process with status 2.
 */
#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_MAX_OVERRIDES 64

/*
 * A setting that an option gave, applied at each reload: last, or as a preset
 * before all that says otherwise.
 */
struct override {
	char *where; /* "option --port" */
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
	/* NULL where not given. */
	const char *dir;
	const char *config;
	const char *log;
	const char *pid_file;
	const char *test_clock;
	const char *child; /* the kind of process the master starts us as */
	unsigned slot;
	unsigned generation;
	int ready_fd; /* -1: none */
	bool is_daemon;
	bool is_check;
};

/*
 * Read the command line into *o, which is zero. Options may stand before and
 * after the command and its arguments. --help and --version end the process.
 */
void options_read(struct options *o, int argc, char **argv);

/* Say what is wrong with the command line, and end the process. */
void options_error(const char *problem, const char *what)
    __attribute__((noreturn));

#endif
