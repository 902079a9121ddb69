/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_WORKDIR_H
#define WRAPPER_WORKDIR_H

/*
 * The files of a wrapper in its working directory:
 *
 *	.onsembl-agent.pid	its process id; locked while it runs, so that
 *				there is one wrapper for a directory
 *	.onsembl-agent.status	what it does, as JSON
 *	.onsembl-agent.log	its log, unless another file was chosen
 *
 * The first two are removed at the end. A wrapper that was killed leaves them,
 * but not its lock, so nobody believes that it still runs. Commands work in the
 * same directory and may remove them, as "git clean" does; then they come back
 * at the end of the command.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The name in the status of an agent that has none. */
#define WORKDIR_NO_NAME "N/A"

/* What the status says; texts are borrowed. */
struct workdir_status {
	const char *agent_id;
	const char *agent_name; /* NULL: none */
	const char *agent_type;
	const char *mode;	/* "headless" */
	const char *connection; /* "connected" or "connecting" */
	const char *server;
};

/*
 * Become the wrapper of this directory. Returns 0; the pid of the one that runs
 * already; or -1, with a text in why.
 */
pid_t workdir_take(const char *dir, char *why, size_t size);

/* Write our pid: that of the process which goes on. After workdir_take(). */
bool workdir_sign(char *why, size_t size);

/* Write the status. A failure is logged. */
void workdir_tell(const struct workdir_status *status);

/*
 * Write both files again if the first has been removed, and open the log again.
 * If another wrapper has the directory by now, that is logged.
 */
void workdir_keep(void);

/* Remove both files, if they are ours, and let go of the directory. */
void workdir_leave(void);

/* Returns the pid of the wrapper of this directory; 0: there is none. */
pid_t workdir_find(const char *dir);

/* Send it SIGTERM. Returns its pid, or 0 if there is none. */
pid_t workdir_stop(const char *dir);

/* Wait until it is gone, so long at most. Returns whether it is. */
bool workdir_wait(const char *dir, int limit_ms);

/* Write the status file to standard output. Returns whether there is one. */
bool workdir_show(const char *dir);

/* Returns the path of the status file, to be freed. */
char *workdir_status_path(const char *dir);

/* Returns the path of the log, to be freed. */
char *workdir_log(const char *dir);

#endif
