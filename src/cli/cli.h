/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * What one run of co-connect has: the options, the terminal, and the agents,
 * each with its client. It lives in main().
 */
#include "cli/attachments.h"
#include "cli/cli_options.h"
#include "cli/exit_status.h"
#include "cli/screen.h"

#include <co_connect.h>

#include <stdbool.h>
#include <stddef.h>

struct editor;
struct session_file;

/* One of the agents that are talked to. */
struct partner {
	const char *name;	  /* the address, or the URL of --direct */
	struct co_client *client; /* NULL until it is needed */
	bool has_mode;		  /* --mode was told to it */
	bool is_settled;	  /* was asked for a turn that still runs */
};

struct cli {
	const struct cli_options *options;
	struct screen screen;
	struct editor *editor;		/* NULL: nobody can be asked */
	struct session_file *session;	/* NULL: nothing is kept */
	struct attachments attachments; /* of the next prompt */
	struct partner *partners;
	size_t n_partners;
	size_t next;	       /* which of them has the next turn */
	size_t n_answered;     /* how many of --answer are used */
	const char *reply;     /* a prompt that may answer an old question */
	int interrupts;	       /* to be polled */
	bool is_stopped;       /* Ctrl-C ended the last operation */
	bool is_saved;	       /* the session file knows of this turn */
	bool is_unsaved;       /* the session file could not be written */
	bool is_leaving;       /* the user wants to leave at once */
	unsigned char key[32]; /* of --key */
	bool has_key;
};

/*
 * Prepare for these options: open the terminal and the session file, read what
 * is attached. Returns false, with a message shown, if that cannot be done;
 * cli_fini() is needed all the same.
 */
bool cli_init(struct cli *cli, const struct cli_options *options);

/* Free everything. */
void cli_fini(struct cli *cli);

/*
 * Make sure that the partner has a client. Returns STATUS_OK, or another status
 * with a message shown.
 */
enum exit_status cli_connect(struct cli *cli, struct partner *partner);

/*
 * Write the conversation with the partner into the session file, if there is
 * one. A failure is shown and noted; the conversation goes on.
 */
void cli_save(struct cli *cli, const struct partner *partner);

/* Whether the session file has a conversation with the partner. */
bool cli_has_past(const struct cli *cli, const struct partner *partner);

/* The time for each operation, as the options say. */
int64_t cli_timeout_ms(const struct cli *cli);

#endif
