/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_AGENT_SETTINGS_H
#define WRAPPER_AGENT_SETTINGS_H

/*
 * What the user of onsembl-agent has asked for: the command line, then the
 * environment, then a file, then defaults. Texts live as long as the process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum agent_command {
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_RESTART,
	COMMAND_STATUS,
	COMMAND_LOGS,
	COMMAND_LOGIN,
	COMMAND_LOGOUT,
};

/* The maximum length of an id of an agent, or of its name. */
#define AGENT_MAX_ID 200

/* Instead of an id. */
#define AGENT_NEW_ID "auto-generate"

struct agent_settings {
	enum agent_command command;
	const char *agent;  /* a name of wrapper/kind.h */
	const char *server; /* URL */
	const char *token;  /* NULL: none, or from a login */
	const char *token_file;
	const char *dir;       /* real path, without links; never "/" */
	const char *auth_type; /* "api-key", "subscription"; NULL: either */
	const char *program;   /* instead of the agent's usual one; or NULL */
	const char *config;    /* the file; NULL: none was found */
	const char *name;      /* NULL: none */
	const char *agent_id;  /* NULL, AGENT_NEW_ID: make one */
	const char *log_level;
	const char *test_clock; /* for clock_follow(); NULL: none */
	const char *log_file;	/* NULL: in the working directory */
	int64_t attempts;
	int64_t delay_ms;
	int64_t heartbeat_ms;
	int64_t chunk_bytes;  /* of output in one message */
	int64_t flush_ms;     /* output waits for more so long */
	int64_t outage_bytes; /* of output kept while not connected */
	int64_t lines;	      /* of the log to show */
	bool is_background;
	bool is_following; /* the log */
	bool is_interactive;
	bool is_headless; /* the opposite, and the default */
	bool is_alone;	  /* without a server */
	bool has_bar;
	/* The server is from a config.json that nobody has named. */
	bool is_server_found;
	bool is_token_found; /* the same for the token */
};

/* Exit statuses, besides 0. */
#define EXIT_FAILED 1
#define EXIT_USAGE 2

/*
 * Read the command line, the environment and the file. Ends the process for
 * --help and --version, and with a message when something is wrong. Blanks an
 * --api-key in argv, which other users can read.
 */
void agent_settings_read(struct agent_settings *s, int argc, char **argv);

#endif
