/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_CLI_OPTIONS_H
#define CLI_CLI_OPTIONS_H

/*
 * The command line of co-connect. The texts are those of argv, or live as long
 * as the process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of agents, images, files, or answers. */
#define CLI_MAX_LIST 64

enum cli_command {
	CLI_TALK, /* the rest of the arguments is the prompt, if any */
	CLI_FIND, /* the rest are the words to search for */
	CLI_INFO  /* there is one agent */
};

/* What to say when the agent wants to use a tool. */
enum cli_approval {
	CLI_ASK, /* ask the user, if there is a terminal */
	CLI_ONCE,
	CLI_SESSION,
	CLI_REJECT
};

struct cli_list {
	const char *items[CLI_MAX_LIST];
	size_t n;
};

struct cli_options {
	enum cli_command command;
	struct cli_list agents; /* addresses; empty with --direct alone */
	const char *text;	/* the prompt or words; NULL: none */

	const char *direct_url, *relay_url; /* NULL: not given */
	const char *key_file, *co_dir, *invite_code;
	const char *session_file;
	struct cli_list images, files, answers;
	enum cli_approval approval;
	const char *mode;
	int64_t timeout_ms; /* 0: not given; negative: no limit */
	unsigned retries;

	bool is_json;
	bool is_lines;	    /* each line of the input is a prompt */
	bool is_resume;	    /* come back to the turn of the session file */
	bool is_quiet;	    /* show no events */
	bool is_verbose;    /* show all of them, whatever the output is */
	bool is_keyless;    /* sign nothing */
	bool is_relay_only; /* never connect directly */
	bool is_clear;	    /* go on in clear with an agent that cannot seal */
};

/*
 * Read the command line. Ends the process for -h and -V, and with status 2 and
 * a message when it is wrong.
 */
void cli_options_read(struct cli_options *o, int argc, char **argv);

#endif
