/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/job.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"
#include "proc/pids.h"
#include "proc/spawn.h"
#include "proc/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* In a build directory, co-turn is beside the program. */
#ifndef CO_LIBEXECDIR
#define CO_LIBEXECDIR "/usr/libexec/co-hostd"
#endif

#define INPUT_LIMIT ((size_t)1024 * 1024)

/* Somebody outside the tree may hold its output open; wait so long for it. */
#define DRAIN_MS 1000

/* The first and the longest delay between attempts to reap a co-turn. */
#define REAP_MS 1
#define REAP_MAX_MS 200

/* The descriptor of the socket in co-turn. */
#define CONTROL_FD 3

struct job {
	struct list link;
	struct loop *loop;
	struct job_handlers handlers;
	void *arg;
	pid_t co_turn; /* 0: reaped */
	int terminal;  /* of io, which owns it; -1: pipes, or closed */
	struct stream *io;
	struct stream *errors;
	struct stream *control;
	struct loop_timer timer;
	char said[64]; /* by co-turn */
	size_t n_said;
	int status;
	int64_t reap_ms;
	enum { RUNS, TO_INTERRUPT, TO_TERMINATE, TO_KILL } stop; /* next step */
	bool is_paused;
	bool is_gone;	 /* the tree is */
	bool is_drained; /* no more output is waited for */
	bool is_left;	 /* no handler is called any more */
};

static char co_turn_path[PATH_MAX];
static struct list jobs = {&jobs, &jobs};

/* ---- the end ---- */

static bool is_co_turn(void *arg, pid_t pid)
{
	(void)arg;
	list_each(link, &jobs)
	{
		if (list_entry(link, struct job, link)->co_turn == pid)
			return true;
	}
	return false;
}

static void dispose(struct job *j)
{
	loop_timer_stop(j->loop, &j->timer);
	stream_close(&j->io);
	stream_close(&j->errors);
	stream_close(&j->control);
	list_remove(&j->link);
	free(j);
}

static bool is_reaped(struct job *j)
{
	int status = 0;
	pid_t pid = j->co_turn ? waitpid(j->co_turn, &status, WNOHANG) : -1;

	if (pid == 0)
		return false;
	if (pid > 0 && WIFSIGNALED(status))
		log_warn("job: co-turn=%d was killed; so are its processes",
		    (int)pid);
	j->co_turn = 0;
	return pids_kill_strangers(is_co_turn, NULL) == 0;
}

static void tell_end(struct job *j)
{
	bool is_left = j->is_left;

	j->is_left = true;
	if (is_left)
		dispose(j);
	else
		j->handlers.on_end(j->arg, j->status);
}

static void settle(struct job *j)
{
	if (!j->is_gone)
		return;
	bool has_output = j->io || j->errors;
	if (!j->is_left && has_output && !j->is_drained) {
		if (!j->is_paused)
			loop_timer_set(j->loop, &j->timer, DRAIN_MS);
		return;
	}
	loop_timer_stop(j->loop, &j->timer);
	if (is_reaped(j)) {
		tell_end(j);
		return;
	}
	j->reap_ms = backoff(j->reap_ms, REAP_MS, REAP_MAX_MS);
	loop_timer_set(j->loop, &j->timer, j->reap_ms);
}

static void order(struct job *j, char what)
{
	if (j->control && !j->is_gone)
		(void)stream_write(j->control, &what, 1, SIZE_MAX);
	/* Who has stopped the program may have stopped its co-turn, too. */
	if (j->co_turn)
		(void)kill(j->co_turn, SIGCONT);
}

/* Take the next step, and set the time for the one after it. */
static void stop_further(struct job *j)
{
	switch (j->stop) {
	case RUNS:
		return;
	case TO_INTERRUPT:
		order(j, TREE_INTERRUPT);
		j->stop = TO_TERMINATE;
		loop_timer_set(j->loop, &j->timer, JOB_INTERRUPT_MS);
		return;
	case TO_TERMINATE:
		order(j, TREE_TERMINATE);
		j->stop = TO_KILL;
		loop_timer_set(j->loop, &j->timer, JOB_TERMINATE_MS);
		return;
	case TO_KILL:
		order(j, 'k');
		return;
	}
}

static void on_time(void *arg)
{
	struct job *j = arg;

	if (!j->is_gone) {
		stop_further(j);
		return;
	}
	j->is_drained = true;
	settle(j);
}

/* ---- streams ---- */

static void job_on_output(void *arg, const char *data, size_t len)
{
	struct job *j = arg;

	if (!j->is_left)
		j->handlers.on_output(j->arg, JOB_OUTPUT, data, len);
}

static void job_on_errors(void *arg, const char *data, size_t len)
{
	struct job *j = arg;

	if (!j->is_left)
		j->handlers.on_output(j->arg, JOB_ERRORS, data, len);
}

static void on_output_end(void *arg)
{
	struct job *j = arg;

	/* The program may go on: only the end of the tree counts. */
	j->terminal = -1;
	stream_close(&j->io);
	settle(j);
}

static void on_errors_end(void *arg)
{
	struct job *j = arg;

	stream_close(&j->errors);
	settle(j);
}

static void on_control(void *arg, const char *data, size_t len)
{
	struct job *j = arg;
	size_t room = sizeof j->said - 1 - j->n_said;

	memcpy(j->said + j->n_said, data, len < room ? len : room);
	j->n_said += len < room ? len : room;
}

static void on_control_end(void *arg)
{
	struct job *j = arg;

	if (sscanf(j->said, "exit %d", &j->status) != 1)
		j->status = SIGKILL; /* as a wait status: it was killed */
	j->is_gone = true;
	loop_timer_stop(j->loop, &j->timer);
	stream_close(&j->control);
	settle(j);
}

static const struct stream_handlers io_handlers = {
    .on_data = job_on_output, .on_end = on_output_end};
static const struct stream_handlers error_handlers = {
    .on_data = job_on_errors, .on_end = on_errors_end};
static const struct stream_handlers control_handlers = {
    .on_data = on_control, .on_end = on_control_end};

/* ---- start ---- */

enum { IN, OUT, ERR, CONTROL, N_ENDS };

struct ends {
	int ours[N_ENDS];
	int theirs[N_ENDS];
};

static bool open_pipe(int *reader, int *writer)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	*reader = fds[0];
	*writer = fds[1];
	return true;
}

static bool open_control(struct ends *e)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	e->ours[CONTROL] = fds[0];
	e->theirs[CONTROL] = fds[1];
	return true;
}

static void close_all(int *fds)
{
	for (int i = 0; i < N_ENDS; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]); /* nothing was written to it */
}

static bool open_pipes(struct ends *e)
{
	return open_pipe(&e->theirs[IN], &e->ours[IN]) &&
	       open_pipe(&e->ours[OUT], &e->theirs[OUT]) &&
	       open_pipe(&e->ours[ERR], &e->theirs[ERR]);
}

static int copy_of(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int open_slave(int master, const struct job_terminal *t)
{
	const struct winsize size = {.ws_row = t->rows, .ws_col = t->columns};
	char name[64];

	if (grantpt(master) != 0 || unlockpt(master) != 0 ||
	    ptsname_r(master, name, sizeof name) != 0)
		return -1;
	int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0) {
		(void)tcsetattr(slave, TCSANOW, t->settings);
		(void)ioctl(slave, TIOCSWINSZ, &size); /* neither can fail */
	}
	return slave;
}

/* The program has one side of the terminal three times, and we the other. */
static bool open_terminal(struct ends *e, const struct job_terminal *t)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	e->ours[OUT] = master;
	if (master < 0 || (e->ours[IN] = copy_of(master)) < 0)
		return false;
	e->theirs[IN] = open_slave(master, t);
	if (e->theirs[IN] < 0)
		return false;
	e->theirs[OUT] = copy_of(e->theirs[IN]);
	e->theirs[ERR] = copy_of(e->theirs[IN]);
	return e->theirs[OUT] >= 0 && e->theirs[ERR] >= 0;
}

static bool open_ends(struct ends *e, const struct job_terminal *t)
{
	for (int i = 0; i < N_ENDS; i++)
		e->ours[i] = e->theirs[i] = -1;
	if (!(t ? open_terminal(e, t) : open_pipes(e)) || !open_control(e))
		return false;
	for (int i = 0; i < N_ENDS; i++)
		if (e->ours[i] >= 0 &&
		    fcntl(e->ours[i], F_SETFL, O_NONBLOCK) != 0)
			return false;
	return true;
}

static pid_t spawn(const struct job_plan *plan, const int *theirs)
{
	char parent[16];
	/* No limits: what runs here is up to the user of this machine. */
	const char *head[] = {co_turn_path, parent, "0", "0", "0", "-"};
	const size_t n_head = sizeof head / sizeof *head;
	const struct spawn_fd fds[] = {
	    {theirs[IN], STDIN_FILENO},
	    {theirs[OUT], STDOUT_FILENO},
	    {theirs[ERR], STDERR_FILENO},
	    {theirs[CONTROL], CONTROL_FD},
	};
	size_t n = 0;

	(void)snprintf(parent, sizeof parent, "%d", (int)getpid());
	while (plan->argv[n])
		n++;
	const char **argv = mem_zero((n_head + n + 1) * sizeof *argv);
	memcpy(argv, head, sizeof head);
	for (size_t i = 0; i < n; i++)
		argv[n_head + i] = plan->argv[i];
	pid_t pid = spawn_start(&(struct spawn_plan){
	    .path = co_turn_path,
	    .argv = (char *const *)(uintptr_t)argv,
	    .envp = plan->envp,
	    .cwd = plan->cwd,
	    .fds = fds,
	    .n_fds = sizeof fds / sizeof *fds,
	});
	free(argv);
	return pid;
}

static struct job *adopt(
    const struct job_plan *plan, const int *ours, pid_t pid)
{
	struct job *j = mem_zero(sizeof *j);

	j->loop = plan->loop;
	j->handlers = *plan->handlers;
	j->arg = plan->arg;
	j->co_turn = pid;
	j->terminal = plan->terminal ? ours[OUT] : -1;
	list_append(&jobs, &j->link);
	loop_timer_init(&j->timer, on_time, j);
	j->io = stream_open(j->loop, ours[OUT], ours[IN], &io_handlers, j);
	if (ours[ERR] >= 0)
		j->errors =
		    stream_open(j->loop, ours[ERR], -1, &error_handlers, j);
	j->control = stream_open(
	    j->loop, ours[CONTROL], ours[CONTROL], &control_handlers, j);
	return j;
}

struct job *job_start(const struct job_plan *plan, char *why, size_t size)
{
	struct ends ends;
	pid_t pid =
	    open_ends(&ends, plan->terminal) ? spawn(plan, ends.theirs) : -1;
	int problem = errno;

	close_all(ends.theirs);
	if (pid > 0)
		return adopt(plan, ends.ours, pid);
	close_all(ends.ours);
	(void)snprintf(why, size, "cannot start a program in %s: %s", plan->cwd,
	    strerror(problem));
	return NULL;
}

/* ---- use ---- */

bool job_write(struct job *j, const void *p, size_t n)
{
	return !j->io || stream_write(j->io, p, n, INPUT_LIMIT);
}

void job_finish_input(struct job *j)
{
	if (j->io)
		stream_finish(j->io);
}

void job_pause(struct job *j, bool is_paused)
{
	if (j->is_paused == is_paused)
		return;
	j->is_paused = is_paused;
	if (j->io)
		stream_pause(j->io, is_paused);
	if (j->errors)
		stream_pause(j->errors, is_paused);
	settle(j);
}

void job_resize(struct job *j, unsigned short rows, unsigned short columns)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};

	if (j->terminal >= 0)
		(void)ioctl(j->terminal, TIOCSWINSZ, &size); /* cannot fail */
}

bool job_has_foreground(const struct job *j)
{
	return j->terminal >= 0 &&
	       tcgetpgrp(j->terminal) != tcgetsid(j->terminal);
}

void job_stop(struct job *j, int64_t delay_ms)
{
	if (j->is_gone || j->stop != RUNS)
		return;
	j->stop = TO_INTERRUPT;
	if (delay_ms)
		loop_timer_set(j->loop, &j->timer, delay_ms);
	else
		stop_further(j);
}

void job_terminate(struct job *j)
{
	if (j->is_gone || j->stop == TO_KILL)
		return;
	j->stop = TO_TERMINATE;
	stop_further(j);
}

void job_go_on(struct job *j)
{
	if (j->is_gone)
		return;
	j->stop = RUNS;
	loop_timer_stop(j->loop, &j->timer);
}

void job_kill(struct job *j)
{
	order(j, 'k');
}

void job_free(struct job **jp)
{
	struct job *j = *jp;

	*jp = NULL;
	if (!j)
		return;
	bool is_told = j->is_left;
	j->is_left = true;
	if (is_told) {
		dispose(j);
		return;
	}
	order(j, 'k');
	job_pause(j, false); /* what comes is discarded */
	settle(j);
}

/* Returns whether there is one in this directory. */
static bool find_in(const char *dir)
{
	(void)snprintf(co_turn_path, sizeof co_turn_path, "%s/co-turn", dir);
	return access(co_turn_path, X_OK) == 0;
}

static bool find_co_turn(void)
{
	char self[PATH_MAX - 16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return find_in(self) || find_in(CO_LIBEXECDIR);
}

bool job_init(const char *dir, char *why, size_t size)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* cannot fail */
	if (dir ? find_in(dir) : find_co_turn())
		return true;
	(void)snprintf(
	    why, size, "cannot run %s: %s", co_turn_path, strerror(errno));
	return false;
}

static bool is_nobody(void *arg, pid_t pid)
{
	(void)arg;
	(void)pid;
	return false;
}

bool job_clear(int limit_ms)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;

	/* The co-turns end their trees when their sockets close. */
	list_each_safe(link, &jobs) dispose(list_entry(link, struct job, link));
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		if (clock_mono_ms() > until_ms)
			return pids_kill_strangers(is_nobody, NULL) == 0;
		(void)poll(NULL, 0, 5);
	}
	return true;
}
