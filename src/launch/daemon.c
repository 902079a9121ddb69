/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/daemon.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The time after which a daemon's start is given up. */
#define START_TIMEOUT_S 90

static bool is_daemon;
static int ready_fd = -1;
static pid_t daemon_pid;

/* A daemon that does not serve in time must not do so later, unnoticed. */
static void on_alarm(int signo)
{
	static const char text[] = "the server does not start in time\n";
	(void)signo;
	(void)kill(daemon_pid, SIGKILL);
	_exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

/* The daemon ended without serving: exit with its status. */
static int status_of_daemon(void)
{
	int status;
	if (waitpid(daemon_pid, &status, 0) != daemon_pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
}

void daemon_start(void)
{
	int ends[2];
	char byte;
	sigset_t alarm_only, before;
	/* The alarm must not come before its handler can find the daemon. */
	(void)sigemptyset(&alarm_only);
	(void)sigaddset(&alarm_only, SIGALRM);
	(void)sigprocmask(SIG_BLOCK, &alarm_only, &before);
	if (pipe2(ends, O_CLOEXEC) != 0)
		fatal("pipe: %s", strerror(errno));
	daemon_pid = fork();
	if (daemon_pid < 0)
		fatal("fork: %s", strerror(errno));
	if (daemon_pid == 0) {
		close(ends[0]);
		is_daemon = true;
		ready_fd = ends[1];
		(void)setsid();
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		return;
	}
	close(ends[1]);
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(START_TIMEOUT_S);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	_exit(read(ends[0], &byte, 1) == 1 ? 0 : status_of_daemon());
}

bool daemon_runs(void)
{
	return is_daemon;
}

static void detach_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	close(null);
}

void daemon_ready(void)
{
	if (write(ready_fd, "1", 1) != 1)
		log_warn("the process that started us is gone");
	close(ready_fd);
	detach_output();
}
