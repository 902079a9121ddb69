/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAYD_RELAYD_OPTIONS_H
#define RELAYD_RELAYD_OPTIONS_H

/*
 * The command line of co-relayd, read once at startup. Paths in it are made
 * absolute. Errors are reported on standard error and end the process with
 * status 2.
 */
#include <stdbool.h>
#include <stddef.h>

#define RELAYD_MAX_SETTINGS 64

/* A setting given by an option, which is applied on each reload. */
struct relayd_setting {
	char *where; /* "option --port" */
	char *key;
	char *value;
};

struct relayd_options {
	struct relayd_setting settings[RELAYD_MAX_SETTINGS];
	size_t n_settings;
	/* NULL if not given. */
	char *dir;
	char *config;
	char *log;
	char *pid_file;
	char *test_clock;
	const char *child; /* the kind of process that the master starts */
	unsigned slot;
	unsigned generation;
	int ready_fd; /* -1: none */
	bool is_daemon;
	bool is_check;
};

/*
 * Read the command line into *o, which must be zeroed. --help and --version end
 * the process.
 */
void relayd_options_read(struct relayd_options *o, int argc, char **argv);

/* Report an error in the command line, and end the process. */
void relayd_options_error(const char *problem, const char *what)
    __attribute__((noreturn));

#endif
