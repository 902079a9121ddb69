/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_LOCKFILE_H
#define PROC_LOCKFILE_H

/*
 * A lock file keeps other servers out of a project. The lock is held by the
 * open file, which a server's processes inherit, so it is free again when the
 * last of them is gone, and not when the first is. Each of them signs, in a
 * place of its own, so that who is kept out can say by whom, and end what a
 * dead server left behind.
 */
#include <stdbool.h>
#include <sys/types.h>

struct lockfile_holder {
	unsigned place;
	char kind[12];
	pid_t pid;
	unsigned long long born; /* start of the process, as proc(5) has it */
};

/* Places that may be signed: the server's first process has 0. */
#define LOCKFILE_PLACES 256

/* Open the file, which is made where it is missing; -1 with errno. */
int lockfile_open(const char *path);

/*
 * Take the lock without waiting. Returns 0, and then the signatures of earlier
 * holders are gone, or -1 with errno: EWOULDBLOCK when another has it.
 */
int lockfile_take(int fd);

/* Sign for the calling process; false with errno when it cannot be written. */
bool lockfile_sign(int fd, unsigned place, const char *kind);

/* Those that have signed and live; returns how many, at most 'most'. */
unsigned lockfile_holders(
    int fd, struct lockfile_holder *holders, unsigned most);

/*
 * Kill a holder, if it still is that process and runs as uid; false with errno
 * when not. What the file says is no better than who may write it: root must
 * not be made to kill the processes of others.
 */
bool lockfile_kill(const struct lockfile_holder *holder, uid_t uid);

#endif
