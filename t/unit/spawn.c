/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <errno.h>
#include <fcntl.h>

#include "proc/spawn.h"

/*
 * Run sh -c script with a plan, its standard output into out; its wait status.
 */
static int run(
    struct spawn_plan plan, const char *script, char *out, size_t size)
{
	int ends[2], status = -1;
	size_t n = 0;
	char sh[] = "sh", c[] = "-c", text[512];
	char *argv[] = {sh, c, text, NULL};
	struct spawn_fd fds[8];

	(void)snprintf(text, sizeof text, "%s", script);
	out[0] = 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	for (size_t i = 0; i < plan.n_fds; i++)
		fds[i] = plan.fds[i];
	fds[plan.n_fds++] = (struct spawn_fd){ends[1], STDOUT_FILENO};
	plan.path = plan.path ? plan.path : "sh";
	plan.argv = argv;
	plan.fds = fds;
	pid_t pid = spawn_start(&plan);
	int why = errno;
	(void)close(ends[1]); /* the child has its own */
	for (ssize_t got;
	     n < size - 1 && (got = read(ends[0], out + n, size - 1 - n)) > 0;)
		n += (size_t)got;
	out[n] = 0;
	(void)close(ends[0]); /* only read */
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	errno = why;
	return status;
}

static void test_program(void)
{
	char out[256], status[64];
	struct spawn_plan plan = {0};
	char variable[] = "ONLY=this";
	char *envp[] = {variable, NULL};

	int rc = run(plan, "echo hello; exit 3", out, sizeof out);
	is_str(out, "hello\n", "a program is found in PATH and runs");
	is_str(spawn_status(rc, status, sizeof status), "exit 3",
	    "the exit status of a program is told");
	rc = run(plan, "kill -9 $$", out, sizeof out);
	is_str(spawn_status(rc, status, sizeof status), "signal 9 (Killed)",
	    "the signal that ended a program is told");
	plan.cwd = "/";
	(void)run(plan, "pwd", out, sizeof out);
	is_str(out, "/\n", "a program starts in the given folder");
	plan.cwd = NULL;
	plan.envp = envp;
	(void)run(plan, "echo $ONLY $HOME", out, sizeof out);
	is_str(out, "this\n", "a program gets the given environment");
	plan.path = "/nonexistent/program";
	errno = 0;
	is_int(run(plan, "", out, sizeof out), -1,
	    "a program that does not exist is refused");
	is_int(errno, ENOENT,
	    "the refusal of a missing program has the reason in errno");
}

/* Descriptors 20 and 21 trade places, and 22 is nobody's business. */
static void test_descriptors(void)
{
	char out[256];
	const struct spawn_fd fds[] = {{20, 21}, {21, 20}};
	struct spawn_plan plan = {.fds = fds, .n_fds = 2};
	int a[2], b[2];

	if (pipe(a) != 0 || pipe(b) != 0)
		return;
	(void)dup2(a[0], 20); /* a failure shows below */
	(void)dup2(b[0], 21); /* as above */
	(void)dup2(b[0], 22); /* as above */
	ok(write(a[1], "a\n", 2) == 2 && write(b[1], "b\n", 2) == 2,
	    "two pipes have text");
	(void)run(plan,
	    "read x </proc/self/fd/20; read y </proc/self/fd/21;"
	    " echo $x $y; for i in 3 4 5 6 7 8 9 19 22 23; do"
	    " test -e /proc/$$/fd/$i && echo $i is open; done",
	    out, sizeof out);
	ok(!strncmp(out, "b a\n", 4), "targets may be sources of others");
	ok(!strstr(out, "22 is open") && !strstr(out, "23 is open"),
	    "descriptors outside the plan are closed");
	ok(!strstr(out, "is open"),
	    "descriptors below those of the plan are closed");
	for (int fd = 20; fd <= 22; fd++)
		(void)close(fd); /* the end of them */
	for (int i = 0; i < 2; i++) {
		(void)close(a[i]); /* as above */
		(void)close(b[i]); /* as above */
	}
}

static void test_signals(void)
{
	char out[256];
	struct spawn_plan plan = {0};
	sigset_t set;
	/* A shell that waits for another program has a mask of its own. */
	const char *script = "exec grep -E '^Sig(Blk|Ign)' /proc/self/status";

	(void)sigfillset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL); /* cannot fail */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)run(plan, script, out, sizeof out);
	(void)sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL); /* cannot fail */
	ok(strstr(out, "SigBlk:\t0000000000000000\n"),
	    "a program starts with no signal blocked");
	/* Without the two that the C library keeps to itself. */
	const char *ignored = strstr(out, "SigIgn:\t");
	ok(ignored && !strcmp(ignored + 17, "0000000\n"),
	    "a program starts with no signal ignored");
}

static void test_group(void)
{
	char out[256];
	struct spawn_plan plan = {.has_own_group = 1};
	/* Fields 1 and 5: the process and its group. */
	const char *script = "set -- $(cat /proc/$$/stat); echo $(($1 == $5))";

	(void)run(plan, script, out, sizeof out);
	is_str(out, "1\n", "a program may lead a group of its own");
	plan.has_own_group = 0;
	(void)run(plan, script, out, sizeof out);
	is_str(out, "0\n", "a program may stay in our group");
}

int main(void)
{
	struct spawn_plan plan = {.n_fds = 100000};

	test_program();
	test_descriptors();
	test_signals();
	test_group();
	ok(spawn_start(&plan) < 0 && errno == E2BIG,
	    "a plan with too many descriptors is refused");
	return done();
}
