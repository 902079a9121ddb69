/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * co-turn is the turn supervisor: it runs one program for a worker and leaves
 * no process of it behind.
 *
 *	co-turn PARENT MEMORY SPACE PROCESSES USER PROGRAM ARGUMENT...
 *
 * PARENT is the worker's pid, MEMORY the bytes of memory for all processes
 * together, SPACE the bytes of address space of each (0: no limit), PROCESSES
 * their maximum number (0: the program has nests, which limit their turns), or
 * "NUMBER:MOST" if the worker may raise it, USER the ids of the user and the
 * groups as which the program runs, "UID:GID,GID..." (or "-" for ours).
 * Descriptors 0, 1 and 2 are the program's; 3 is a socket to the worker. If 0 is
 * a terminal, it becomes the controlling terminal of the program.
 *
 * co-turn writes one line to the socket when the program has ended: "exit
 * STATUS" with a wait status, "limit COUNT" if there were too many processes,
 * or "memory BYTES" if they used too much; an end of file says that no process
 * is left. A byte, or an end of file, from the worker ends everything at once,
 * but for the orders of proc/tree.h (TREE_MORE and those below it).
 *
 * Nothing can escape by forking: co-turn is a subreaper, so a process that
 * loses its parent becomes a child of co-turn, and co-turn exits only when it
 * has no child (proc/tree.h). It needs only the C library, so that it starts in
 * a fraction of a millisecond.
 */
#include "proc/caps.h"
#include "proc/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CONTROL_FD 3

struct limits {
	pid_t parent;
	const char *user;
	rlim_t space_bytes; /* RLIM_INFINITY: no limit */
};

static bool read_number(const char *text, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *value >= 0;
}

/* ---- the program ---- */

#define MAX_GROUPS 65

/* UID:GID,GID... with the first GID twice: as gid, and in the list. */
static bool set_user(const char *text)
{
	gid_t groups[MAX_GROUPS];
	size_t n = 0;
	char *end;
	uid_t uid = (uid_t)strtoul(text, &end, 10);

	if (*end != ':')
		return false;
	while ((*end == ':' || *end == ',') && n < MAX_GROUPS)
		groups[n++] = (gid_t)strtoul(end + 1, &end, 10);
	return setgroups(n - 1, groups + 1) == 0 &&
	       setresgid(groups[0], groups[0], groups[0]) == 0 &&
	       setresuid(uid, uid, uid) == 0 && caps_drop();
}

static void become_user(const struct limits *l, const struct tree *t)
{
	if (strcmp(l->user, "-") == 0) {
		caps_hold_back();
		return;
	}
	if (!set_user(l->user)) {
		tree_say(t->errors, "cannot become agent_user (%s): %s",
		    l->user, strerror(errno));
		_exit(127);
	}
}

static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127); /* co-turn died before the line above */
}

static void become_program(const struct limits *l, struct tree *t, pid_t us,
    char **argv) __attribute__((noreturn));

static void become_program(
    const struct limits *l, struct tree *t, pid_t us, char **argv)
{
	sigset_t none;

	(void)setsid();
	if (isatty(STDIN_FILENO))
		(void)ioctl(STDIN_FILENO, TIOCSCTTY, 0); /* it is its own */
	cgroup_enter(&t->groups, 0);
	tree_limit(t, 0, RLIMIT_CORE, 0);
	if (l->space_bytes != RLIM_INFINITY)
		tree_limit(t, 0, RLIMIT_AS, l->space_bytes);
	tree_limit_processes(t, 0);
	tree_enter_turnstile(t);
	become_user(l, t);
	die_with(us); /* the change of user would have reset it */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (close_range(3, ~0u, 0) != 0)
		_exit(127);
	(void)execvp(argv[0], argv);
	tree_say(t->errors, "cannot run %s: %s", argv[0], strerror(errno));
	_exit(127);
}

static pid_t start_program(const struct limits *l, struct tree *t, char **argv)
{
	pid_t us = getpid();

	tree_open_turnstile(t);
	pid_t pid = fork();

	if (pid == 0)
		become_program(l, t, us, argv);
	if (pid < 0)
		tree_say(t->errors, "cannot fork: %s", strerror(errno));
	tree_take_turnstile(t);
	return pid;
}

/*
 * Our copies of the program's pipes must not keep them open, or nobody would
 * see them close.
 */
static void let_go_of_pipes(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
}

/* ---- start ---- */

static bool read_processes(const char *text, struct tree *t)
{
	char *end;

	errno = 0;
	t->limits.processes = t->processes_most = strtol(text, &end, 10);
	return errno == 0 && end != text && t->limits.processes >= 0 &&
	       (*end == '\0' ||
		   (*end == ':' && read_number(end + 1, &t->processes_most)));
}

static bool read_limits(char **argv, struct limits *l, struct tree *t)
{
	long parent, memory, space;

	if (!read_number(argv[1], &parent) || !read_number(argv[2], &memory) ||
	    !read_number(argv[3], &space) || !read_processes(argv[4], t) ||
	    !parent)
		return false;
	l->parent = (pid_t)parent;
	l->space_bytes = space ? (rlim_t)space : RLIM_INFINITY;
	t->limits.memory_bytes = memory;
	l->user = argv[5];
	t->has_nests = t->limits.processes == 0;
	return true;
}

static int run(const struct limits *l, struct tree *t, char **argv)
{
	t->signals = tree_open_signals();
	/*
	 * A group for all nests would apply its limits to all their turns
	 * together.
	 */
	cgroup_make(
	    &t->groups, t->has_nests ? &(struct cgroup_limits){0} : &t->limits);
	t->program = start_program(l, t, argv);
	let_go_of_pipes();
	if (t->program > 0)
		(void)tree_run(t); /* it has reported any error */
	cgroup_remove(&t->groups);
	return t->program > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct limits limits;
	static struct tree tree = {
	    .control = CONTROL_FD,
	    .errors = STDERR_FILENO,
	    .status = -1,
	    .turnstile = TURNSTILE_CLOSED,
	}; /* large; lives until exit */

	if (argc < 7 || !read_limits(argv, &limits, &tree)) {
		tree_say(STDERR_FILENO,
		    "usage: co-turn PARENT MEMORY SPACE PROCESSES USER "
		    "PROGRAM ARGUMENT...");
		return 2;
	}
	(void)fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	(void)close_range(CONTROL_FD + 1, ~0u, 0); /* none of the worker's */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		tree_say(STDERR_FILENO, "cannot be a subreaper: %s",
		    strerror(errno));
		return 1;
	}
	/* The socket tells us as well; two ways are safer than one. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != limits.parent)
		return 1;
	/* No handler of a library may keep us: there is nothing to flush. */
	_exit(run(&limits, &tree, argv + 6));
}
