/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

/*
 * The master supervises and does nothing else: no protocol, no store, no event
 * loop library. It creates the shared segment, starts the processes stage by
 * stage, replaces those that die, and switches to a new generation on HUP.
 *
 * Signals: TERM and INT stop gracefully; a second INT, and QUIT, stop at once;
 * HUP starts new processes with new settings; USR1 reopens the logs.
 */
struct conf;
struct err;

struct master_setup {
	struct conf
	    *conf; /* of the first generation; ownership passes to the master */
	const char *program; /* the program that children execute */
	int listen_fd; /* from listen_open(); ownership passes to the master */
	int lock_fd;   /* from project_lock(); inherited by the children */
	const char *address; /* as returned by listen_open() */
	int ready_fd;	     /* gets "ADDRESS\n" when serving; -1: none */
	/*
	 * Read the settings again, for HUP, into an initialised conf. Returns
	 * 0, or -1 with *err.
	 */
	int (*reload)(struct conf *conf, struct err *err);
	/* All workers of the first generation serve at this address. */
	void (*on_ready)(const struct conf *conf, const char *address);
	/*
	 * The first generation cannot serve; text says why. master_run() will
	 * return 1.
	 */
	void (*on_failed)(const char *text);
};

/* Run until told to stop. Returns the exit status. */
int master_run(const struct master_setup *setup);

#endif
