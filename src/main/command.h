/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_COMMAND_H
#define MAIN_COMMAND_H

/*
 * What co-hostd does besides serving: "co-hostd COMMAND [options] [arguments]".
 * To add a command, write its function in a file of its own in main/ and add a
 * row to the table in command.c.
 */
#include <stdio.h>

struct options;

struct command {
	const char *name;
	const char *usage; /* name and arguments, as shown by --help */
	const char *help;  /* one line */
	/*
	 * Run the command; o->args are its arguments. Returns the exit status.
	 */
	int (*run)(const struct options *o);
};

/* Returns the command of this name, or NULL. */
const struct command *command_find(const char *name);

/* Print the commands for --help. */
void command_print(FILE *to);

#endif
