/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

/*
 * The master supervises and does nothing else: no protocol, no store, no event
 * loop library. It creates the shared segment, starts the processes stage by
 * stage, replaces those that die, and switches to a new generation on HUP when
 * that serves. If an agent of the new one cannot be loaded, the old one stays.
 *
 * Signals: TERM and INT stop gracefully; a second INT, and QUIT, stop at once;
 * HUP starts new processes with new settings; USR1 reopens the logs; USR2 starts
 * the program that is on disk now, whose master takes over (handover.h); TTIN
 * and TTOU add and remove a process that listens; WINCH drains all of them.
 *
 * It knows nothing about the settings of the program that it runs, except what
 * a plan says.
 */
#include "core/process.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct heritage;

/* The settings of one generation, for its children and for the master. */
struct master_plan {
	int conf_fd; /* for HERITAGE_FD_CONF; ownership passes to the master */
	unsigned want[PROCESS_KINDS]; /* how many processes of each kind */
	int64_t drain_ms; /* what processes that drain get before they exit */
	int64_t hang_ms;  /* silence after which one is killed; 0: never */
};

/* What an upgrade (USR2) comes to, for the program. */
enum master_upgrade {
	MASTER_UPGRADE_BEGINS, /* another program is about to be started */
	MASTER_UPGRADE_FAILED, /* it ended before it served */
	MASTER_UPGRADE_DONE,   /* it is the master; we only drain */
	MASTER_UPGRADE_LOST,   /* it ended while we drained; we serve again */
};

struct master_setup {
	const char *name;	     /* of the program: "co-hostd" */
	const struct process *kinds; /* its kinds of processes, static */
	unsigned n_kinds;
	const char *program;	 /* the file that children execute */
	struct master_plan plan; /* of the first generation */
	const char *work;	 /* what drains, for logs: "turns" */
	uint32_t files_version;	 /* an upgrade never changes it */
	uint64_t registry_bytes; /* memory for heritage.registry_at */
	const char *libexec_dir; /* where co-turn is; NULL: it has none */
	int window_fd;		 /* a file of HERITAGE_WINDOW bytes; 0: none */
	int listen_fd; /* from listen_open(); ownership passes to the master */
	bool keeps_listener; /* it outlives us, so do not shut it down */
	int lock_fd;	     /* a lock file that the children inherit */
	const char *address; /* as returned by listen_open() */
	int ready_fd;	     /* gets "ADDRESS\n" when serving; -1: none */
	/* Fill in what is the program's own; may be NULL. */
	void (*prepare)(struct heritage *heritage);
	/*
	 * Read the settings again, for HUP, and plan the next generation; those
	 * that cannot change are kept. Returns 0, or -1 with *err.
	 */
	int (*reload)(struct master_plan *plan, struct err *err);
	/*
	 * All workers of the first generation serve at this address, and we are
	 * the master.
	 */
	void (*on_ready)(const char *address);
	/*
	 * For USR2: our command line, NULL if there are no upgrades, and the
	 * folder in which it was given (NULL: where we are).
	 */
	char *const *argv;
	const char *start_dir;
	/*
	 * A step of an upgrade. At its begin, returns the descriptor of a pid
	 * file that the other program takes over, or -1; else the result is
	 * ignored.
	 */
	int (*on_upgrade)(enum master_upgrade step);
	/* Nobody listens any more; removes a socket file. May be NULL. */
	void (*on_deaf)(void);
	/*
	 * The first generation cannot serve; text says why. master_run() will
	 * return 1.
	 */
	void (*on_failed)(const char *text);
};

/* Run until told to stop. Returns the exit status. */
int master_run(const struct master_setup *setup);

#endif
