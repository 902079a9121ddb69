/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/lockfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/unit/tap.h"

#define MOST 8

static char path[64];

static int open_file(void)
{
	return lockfile_open(path);
}

/* A child that has inherited fd and signed, and waits. */
static pid_t start_holder(int fd, unsigned place)
{
	int ends[2];
	char byte;
	if (pipe(ends) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		byte = lockfile_sign(fd, place, "worker") ? '1' : '0';
		if (write(ends[1], &byte, 1) == 1)
			(void)pause();
		_exit(0);
	}
	close(ends[1]);
	ok(read(ends[0], &byte, 1) == 1 && byte == '1', "a holder signs");
	close(ends[0]);
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

int main(void)
{
	struct lockfile_holder h[MOST];
	(void)snprintf(path, sizeof path, "/tmp/co-lock-%d", (int)getpid());
	int first = open_file(), second = open_file();
	is_int(lockfile_take(first), 0, "a free lock is taken");
	ok(lockfile_take(second) != 0 && errno == EWOULDBLOCK,
	    "a lock that is held is not taken again");
	is_int(lockfile_holders(second, h, MOST), 0,
	    "a lock without signatures has no holders");
	ok(lockfile_sign(first, 0, "master"), "the first process signs");
	pid_t pid = start_holder(first, 3);
	is_int(lockfile_holders(second, h, MOST), 2,
	    "both holders of the lock are found");
	is_int(
	    h[0].pid, getpid(), "the first holder stands in the first place");
	ok(strcmp(h[0].kind, "master") == 0, "the first holder has its kind");
	is_int(h[1].pid, pid, "the second holder is the child");
	is_int(h[1].place, 3, "the child stands in its own place");

	close(first);
	ok(lockfile_take(second) != 0,
	    "a child that inherited the lock holds it");
	struct lockfile_holder other = h[1];
	other.born++;
	ok(!lockfile_kill(&other, getuid()) && errno == ESRCH,
	    "another process of the same number is spared");
	is_int(
	    waitpid(pid, NULL, WNOHANG), 0, "a process that was spared lives");
	ok(!lockfile_kill(&h[1], getuid() + 1) && errno == EPERM,
	    "a process of another user is spared");
	ok(lockfile_kill(&h[1], getuid()), "a holder can be killed");
	(void)waitpid(pid, NULL, 0);
	is_int(lockfile_take(second), 0,
	    "the lock is free when its holder was killed");
	is_int(lockfile_holders(second, h, MOST), 0,
	    "taking the lock empties the file");

	pid = start_holder(second, 200);
	end(pid);
	is_int(lockfile_holders(second, h, MOST), 0,
	    "a dead holder is not listed");
	ok(!lockfile_kill(&h[1], getuid()), "a dead holder is not killed");
	close(second);
	(void)unlink(path);
	return done();
}
