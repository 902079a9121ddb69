/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/terminal.h"

#include "base/buf.h"
#include "base/log.h"
#include "wrapper/modes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A terminal that takes nothing for so long is left as it is. */
#define WRITE_MS 1000

/* Both processes have it, so that either can give the terminal back. */
static struct shared {
	struct termios saved;
	struct modes modes;
	char at_end[200];
	bool is_raw;
} * shared;

/* ---- the terminal ---- */

int terminal_open(void)
{
	return open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

const struct termios *terminal_settings(void)
{
	return &shared->saved;
}

struct terminal_size terminal_size(void)
{
	struct winsize w;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) != 0 || !w.ws_row || !w.ws_col)
		return (struct terminal_size){24, 80};
	return (struct terminal_size){w.ws_row, w.ws_col};
}

struct modes *terminal_modes(void)
{
	return &shared->modes;
}

void terminal_at_end(const struct buf *text)
{
	if (text->len >= sizeof shared->at_end)
		return;
	memcpy(shared->at_end, text->data, text->len);
	shared->at_end[text->len] = '\0';
}

/* Best effort: nobody may look any more. */
static void write_text(const struct buf *text)
{
	int fd = terminal_open();
	size_t done = 0;

	while (fd >= 0 && done < text->len) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		if (poll(&p, 1, WRITE_MS) != 1)
			break;
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0)
		(void)close(fd); /* what was written is on its way */
}

void terminal_enter(void)
{
	struct termios raw = shared->saved;
	struct buf text = {0};

	cfmakeraw(&raw);
	shared->is_raw = true;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw); /* as well as it can */
	modes_redo(&shared->modes, &text);
	write_text(&text);
	buf_fini(&text);
}

void terminal_leave(void)
{
	struct buf text = {0};

	if (!shared || !shared->is_raw)
		return;
	buf_str(&text, shared->at_end);
	modes_undo(&shared->modes, &text);
	write_text(&text);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &shared->saved);
	shared->is_raw = false;
	buf_fini(&text);
}

/* ---- the process that waits ---- */

/* The wrapper is stopped: so are we, until the shell goes on with us. */
static void suspend(pid_t child)
{
	bool was_raw = shared->is_raw;

	terminal_leave();
	(void)raise(SIGSTOP);
	if (was_raw)
		terminal_enter();
	(void)kill(child, SIGCONT);
}

/* Returns whether the child has ended, with *status. */
static bool look(pid_t child, int *status)
{
	pid_t pid = waitpid(child, status, WNOHANG | WUNTRACED);

	if (pid == child && WIFSTOPPED(*status)) {
		suspend(child);
		return false;
	}
	return pid == child || (pid < 0 && errno == ECHILD);
}

static int wait_for(pid_t child, const sigset_t *signals)
{
	int status = 0;

	while (!look(child, &status)) {
		int signo = sigwaitinfo(signals, NULL);
		if (signo == SIGTSTP)
			(void)kill(child, SIGSTOP);
		else if (signo > 0 && signo != SIGCHLD)
			(void)kill(child, signo);
	}
	terminal_leave();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static int run_child(
    int (*run)(void *arg), void *arg, pid_t parent, const sigset_t *before)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 1; /* it died before the line above */
	(void)sigprocmask(SIG_SETMASK, before, NULL);
	return run(arg);
}

int terminal_guard(int (*run)(void *arg), void *arg)
{
	static const int waited[] = {
	    SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGTSTP};
	pid_t parent = getpid();
	sigset_t signals, before;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED ||
	    tcgetattr(STDIN_FILENO, &shared->saved) != 0)
		fatal("terminal: %s", strerror(errno));
	(void)sigemptyset(&signals);
	for (size_t i = 0; i < sizeof waited / sizeof *waited; i++)
		(void)sigaddset(&signals, waited[i]);
	(void)signal(SIGTTOU, SIG_IGN); /* we may be in the background then */
	(void)sigprocmask(SIG_BLOCK, &signals, &before);
	pid_t child = fork();
	if (child < 0)
		fatal("terminal: cannot fork: %s", strerror(errno));
	if (child == 0)
		return run_child(run, arg, parent, &before);
	return wait_for(child, &signals);
}
