/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * co-nest.so is loaded by co_agent_python. It forks the processes of isolated
 * turns from the zygote, the fork server of a python: agent.
 *
 * Each nest is a fork of the zygote that stays in nest_start(): it forks the
 * process of a turn in advance, waits for a packet with the descriptors of a
 * turn, passes them on, and supervises the turn as co-turn does with a program.
 * When nothing of the turn is left, it forks the process of the next one. Since
 * it runs nothing else, it shares nearly all memory with the zygote, and a turn
 * costs one fork.
 *
 *	zygote: nest_start() -> nest, a subreaper -> turn: nest_start() returns 0
 *
 * A nest writes its pid to the zygote's pipe when it starts a turn, and its
 * negated pid when it waits again. It exits when the zygote or the worker is
 * gone, when another zygote takes over, or after having been idle for long.
 */
#include "proc/rights.h"
#include "proc/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* Input, output, standard error and control socket of a turn. */
#define TURN_FDS 4

/* What the interpreter needs to be called around a fork. */
struct nest_hooks {
	void (*before)(void);
	void (*in_parent)(void);
	void (*in_child)(void);
};

/* As in co_agent_python/zygote.py; a missing descriptor is -1. */
struct nest_plan {
	struct nest_hooks hooks;
	int sock;	/* packets of turns */
	int out;	/* "+" for each packet */
	int notice;	/* to the zygote */
	int orders;	/* readable when another zygote takes over */
	int idle_ms;	/* a nest idle for this long exits; -1: never */
	int is_once;	/* it exits after one turn */
	int turn;	/* in a turn: socket for the packet of descriptors */
	long processes; /* of a turn; 0: no limit */
	int64_t memory; /* of a turn, in bytes; 0: no limit */
};

struct nest {
	struct nest_plan *plan;
	pid_t zygote;
	sigset_t mask;		      /* of the zygote */
	struct sigaction pipe, child; /* the zygote's actions for them */
	char name[16];		      /* of the zygote */
	int events;  /* epoll: what ends the wait for a packet */
	int to_turn; /* socket to the process that waits */
	struct tree tree;
};

/* Called by the zygote; described below. */
EXPORT pid_t nest_start(struct nest_plan *plan);

static void leave(struct nest *n, int status) __attribute__((noreturn));

static void leave(struct nest *n, int status)
{
	cgroup_remove(&n->tree.groups);
	_exit(status);
}

/* ---- the process of a turn ---- */

/* Return to the interpreter as a fork of the zygote would. */
static void become_turn(struct nest *n, pid_t nest, int packets)
{
	struct nest_plan *p = n->plan;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != nest)
		_exit(127);
	(void)setsid();
	(void)prctl(PR_SET_NAME, n->name);
	cgroup_enter(&n->tree.groups, 0);
	const int fds[] = {n->events, n->to_turn, n->tree.signals, p->sock,
	    p->out, p->notice, p->orders};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]); /* the nest reports their errors */
	(void)sigaction(SIGPIPE, &n->pipe, NULL);
	(void)sigaction(SIGCHLD, &n->child, NULL);
	(void)sigprocmask(SIG_SETMASK, &n->mask, NULL);
	p->turn = packets;
	tree_enter_turnstile(&n->tree);
}

/* Fork the turn's process; returns 0 in it. */
static pid_t fork_turn(struct nest *n)
{
	pid_t us = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	n->to_turn = pair[0];
	tree_open_turnstile(&n->tree);
	pid_t pid = fork();
	if (pid == 0) {
		become_turn(n, us, pair[1]);
		return 0;
	}
	(void)close(pair[1]); /* the turn's */
	tree_take_turnstile(&n->tree);
	return pid;
}

/* ---- packets ---- */

/* Returns false if another nest was faster. */
static bool receive(struct nest *n, int *fds)
{
	char text[16];
	size_t count = TURN_FDS;
	ssize_t len = rights_receive(
	    n->plan->sock, text, sizeof text, fds, &count, MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return false;
	if (len <= 0)
		leave(n, 0); /* the worker is gone */
	/*
	 * Acknowledge before the turn starts: otherwise it would be given to
	 * another zygote.
	 */
	if (write(n->plan->out, "+\n", 2) != 2)
		leave(n, 0);
	if (count == TURN_FDS)
		return true;
	rights_close(fds, count);
	return false;
}

/* ---- the nest ---- */

static bool add_event(struct nest *n, int fd, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};

	return fd < 0 || epoll_ctl(n->events, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* EPOLLEXCLUSIVE: a packet wakes only one of the waiting nests. */
static void open_nest(struct nest *n)
{
	const struct nest_plan *p = n->plan;
	const struct sigaction plain = {.sa_handler = SIG_DFL};

	/* Do this before there is a child: no descendant may escape us. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)prctl(PR_GET_NAME, n->name);
	(void)prctl(PR_SET_NAME, TREE_NEST_NAME);
	(void)sigaction(SIGPIPE, NULL, &n->pipe);
	(void)sigaction(SIGCHLD, &plain, &n->child);
	n->tree.signals = tree_open_signals();
	n->events = epoll_create1(EPOLL_CLOEXEC);
	if (getppid() != n->zygote || n->tree.signals < 0 || n->events < 0 ||
	    !add_event(n, n->tree.signals, EPOLLIN) ||
	    !add_event(n, p->orders, EPOLLIN) ||
	    !add_event(n, p->sock, EPOLLIN | EPOLLEXCLUSIVE))
		_exit(127);
	n->tree.errors = STDERR_FILENO;
	n->tree.turnstile = (struct turnstile)TURNSTILE_CLOSED;
	n->tree.limits = (struct cgroup_limits){p->processes, p->memory};
	cgroup_make(&n->tree.groups, &n->tree.limits);
}

/* Wait for the descriptors of a turn. */
static void wait_for_packet(struct nest *n, int *fds)
{
	struct epoll_event e[3];
	bool is_packet;

	do {
		int count = epoll_wait(n->events, e, 3, n->plan->idle_ms);
		if (count == 0)
			leave(n, 0); /* nobody needs us */
		is_packet = false;
		for (int i = 0; i < count; i++) {
			if (e[i].data.fd == n->plan->orders)
				leave(n, 0);
			is_packet |= e[i].data.fd == n->plan->sock;
		}
		if (tree_take_signals(&n->tree) || n->tree.status != -1)
			leave(n, 127);
	} while (!is_packet || !receive(n, fds));
}

static void nest_tell(const struct nest *n, pid_t what)
{
	/* If the zygote is gone, it need not be told. */
	(void)!write(n->plan->notice, &what, sizeof what);
}

/* Give the turn its descriptors; returns when nothing is left of it. */
static void watch_turn(struct nest *n, int *fds)
{
	tree_limit_processes(&n->tree, n->tree.program);
	if (!rights_send(n->to_turn, "turn", 4, fds, TURN_FDS - 1, 0))
		(void)kill(n->tree.program, SIGKILL);
	rights_close(fds, TURN_FDS - 2);
	(void)close(n->to_turn); /* all is sent */
	n->tree.errors = fds[TURN_FDS - 2];
	n->tree.control = fds[TURN_FDS - 1];
	enum tree_end end = tree_run(&n->tree);
	n->tree.errors = STDERR_FILENO;
	rights_close(fds + TURN_FDS - 2, 2);
	if (end != TREE_OVER || n->plan->is_once)
		leave(n, 0);
}

/* Returns once in each turn. */
static void run_nest(struct nest *n)
{
	int fds[TURN_FDS];

	open_nest(n);
	for (bool is_first = true;; is_first = false) {
		n->tree.status = -1;
		n->tree.program = fork_turn(n);
		if (n->tree.program == 0)
			return;
		if (n->tree.program < 0) {
			tree_say(STDERR_FILENO, "cannot begin a turn: %s",
			    strerror(errno));
			leave(n, 127);
		}
		if (!is_first)
			nest_tell(n, -getpid());
		wait_for_packet(n, fds);
		nest_tell(n, getpid());
		watch_turn(n, fds);
	}
}

/*
 * Start a nest. Returns its pid in the zygote, or -1 with errno. Returns 0 in
 * each turn, whose descriptors then come through plan->turn.
 */
pid_t nest_start(struct nest_plan *plan)
{
	static struct nest nest; /* large; a nest has one */
	sigset_t all;

	nest.plan = plan;
	nest.zygote = getpid();
	(void)sigfillset(&all);
	plan->hooks.before();
	(void)sigprocmask(SIG_SETMASK, &all, &nest.mask);
	pid_t pid = fork();
	if (pid == 0) {
		run_nest(&nest);
		plan->hooks.in_child();
		return 0;
	}
	int why = errno;
	(void)sigprocmask(SIG_SETMASK, &nest.mask, NULL);
	plan->hooks.in_parent();
	errno = why;
	return pid;
}
