/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_LOCKFILE_H
#define PROC_LOCKFILE_H

/*
 * A lock file keeps a second server out of a project. The open file holds the
 * lock, and all processes of a server inherit it, so the lock is released when
 * the last of them is gone, not when the first is. Each of them signs the file
 * in a place of its own, so that a server that is kept out can tell which
 * processes hold the lock, and end those that a dead server left behind.
 */
#include <stdbool.h>
#include <sys/types.h>

struct lockfile_holder {
	unsigned place;
	char kind[12];
	pid_t pid;
	unsigned long long born; /* start time of the process, as in proc(5) */
};

/* The number of places for signatures; the first process of a server has 0. */
#define LOCKFILE_PLACES 256

/* Open the file and create it if it is missing. Returns -1 with errno. */
int lockfile_open(const char *path);

/*
 * Take the lock without waiting. Returns 0, and then the signatures of earlier
 * holders are erased, or -1 with errno: EWOULDBLOCK if another server holds it.
 */
int lockfile_take(int fd);

/* Whether a process holds the lock of this file; false if there is no file. */
bool lockfile_is_held(const char *path);

/* Sign for the calling process. Returns false with errno if writing fails. */
bool lockfile_sign(int fd, unsigned place, const char *kind);

/* List the signers that are alive, at most 'most'. Returns their number. */
unsigned lockfile_holders(
    int fd, struct lockfile_holder *holders, unsigned most);

/*
 * Kill a holder if it is still the same process and runs as uid; otherwise
 * return false with errno. The contents of the file are only as trustworthy as
 * those who may write it: root must not be tricked into killing the processes
 * of other users.
 */
bool lockfile_kill(const struct lockfile_holder *holder, uid_t uid);

#endif
