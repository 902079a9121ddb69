/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

/*
 * The master supervises and knows nothing else: no protocol, no store, no event
 * loop library. It makes the shared segment, starts one keeper and then the
 * workers, replaces what dies, and hands over to a new generation on HUP.
 *
 * Signals: TERM, INT leave gracefully, INT again and QUIT at once; HUP new settings and
 * processes; USR1 opens the logs again.
 */
struct conf;
struct err;

struct master_setup {
	struct conf
	    *conf; /* of the first generation; the master owns it from now on */
	const char *program; /* executable to start children from */
	int listen_fd; /* of listen_open(); the master owns it from now on */
	int lock_fd;   /* of project_lock(); the children hold it as well */
	const char *address; /* as listen_open() named it */
	int ready_fd; /* gets "ADDRESS\n" when serving; -1: nobody asks */
	/* Read the settings anew for HUP into an initialised conf. 0, or -1. */
	int (*reload)(struct conf *conf, struct err *err);
	/* All workers of the first generation serve at this address. */
	void (*on_ready)(const struct conf *conf, const char *address);
	/* They will not; text says why. master_run() returns 1 soon. */
	void (*on_failed)(const char *text);
};

/* Run until told to stop. Returns the exit status. */
int master_run(const struct master_setup *setup);

#endif
