/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/commands.h"

#include "base/log.h"
#include "base/mem.h"
#include "wrapper/agent_settings.h"
#include "wrapper/login.h"
#include "wrapper/tail.h"
#include "wrapper/terminal.h"
#include "wrapper/workdir.h"
#include "wrapper/wrapper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A wrapper ends within this time after SIGTERM. */
#define STOP_MS 20000

/* A log that is larger at the start is kept as the old one. */
#define MAX_LOG_BYTES ((off_t)10 * 1024 * 1024)

/* Whether this process is in the background, and where it reports its start
 * (-1: that is done). */
static bool is_background;
static int report_fd = -1;

static int failed(const char *what)
{
	(void)fprintf(stderr, "onsembl-agent: %s\n", what);
	return EXIT_FAILED;
}

/* ---- the log ---- */

static void keep_old_log(const char *path)
{
	char old[4096];
	struct stat st;

	if (stat(path, &st) != 0 || st.st_size < MAX_LOG_BYTES)
		return;
	(void)snprintf(old, sizeof old, "%s.old", path);
	if (rename(path, old) != 0)
		(void)fprintf(stderr, "onsembl-agent: cannot rename %s: %s\n",
		    path, strerror(errno));
}

static void set_log_level(const char *word)
{
	static const char *const words[] = {
	    [LOG_DEBUG] = "debug",
	    [LOG_INFO] = "info",
	    [LOG_WARN] = "warn",
	    [LOG_ERROR] = "error",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			log_threshold((enum log_level)i);
}

static char *log_path(const struct agent_settings *s)
{
	return s->log_file ? mem_strdup(s->log_file) : workdir_log(s->dir);
}

static bool open_log(const struct agent_settings *s)
{
	char *path = log_path(s);

	keep_old_log(path);
	set_log_level(s->log_level);
	log_name("onsembl-agent");
	bool is_open = log_open(path) == 0;
	if (!is_open)
		(void)fprintf(stderr,
		    "onsembl-agent: cannot write the log %s: %s\n", path,
		    strerror(errno));
	free(path);
	return is_open;
}

/* ---- in the background ---- */

/* How the reports of the second process begin. */
#define IS_CONNECTED '+'
#define IS_LATE '~'
#define HAS_FAILED '-'

/* In the first process: pass on what the second one reports, and wait for the
 * end of one that has failed, so that another start can follow. */
static int await_report(int fd, pid_t child)
{
	char text[900];
	ssize_t n = read(fd, text, sizeof text - 1);

	if (n <= 0) {
		(void)waitpid(child, NULL, WNOHANG);
		return failed("the process in the background has ended; see "
			      "'onsembl-agent logs'");
	}
	text[n] = '\0';
	bool is_good = text[0] == IS_CONNECTED;
	if (text[0] == HAS_FAILED)
		(void)waitpid(child, NULL, 0);
	(void)fprintf(
	    is_good ? stdout : stderr, "onsembl-agent: %s\n", text + 1);
	return is_good ? 0 : EXIT_FAILED;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
}

/* Returns -1 in the new process, else the exit status of the first. */
static int go_to_background(void)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0 || (child = fork()) < 0)
		return failed(strerror(errno));
	if (child > 0) {
		(void)close(fds[1]);
		return await_report(fds[0], child);
	}
	(void)close(fds[0]);
	report_fd = fds[1];
	is_background = true;
	leave_terminal();
	return -1;
}

/* In the foreground all news is printed. In the background the first process
 * waits for the first that decides. */
static void report(enum wrapper_news news, const char *text)
{
	bool is_good = news == WRAPPER_CONNECTED;

	if (!is_background) {
		if (news == WRAPPER_LATE)
			return;
		(void)fprintf(
		    is_good ? stdout : stderr, "onsembl-agent: %s\n", text);
		(void)fflush(stdout);
		return;
	}
	if (report_fd < 0 || news == WRAPPER_WAITING)
		return;
	(void)dprintf(report_fd, "%c%s",
	    is_good		   ? IS_CONNECTED
	    : news == WRAPPER_LATE ? IS_LATE
				   : HAS_FAILED,
	    text);
	(void)close(report_fd);
	report_fd = -1;
}

/* ---- commands ---- */

static int take_workdir(const struct agent_settings *s)
{
	char why[400], text[200];
	pid_t other = workdir_take(s->dir, why, sizeof why);

	if (other == 0)
		return 0;
	if (other < 0)
		return failed(why);
	(void)snprintf(text, sizeof text,
	    "Agent wrapper is already running in this directory (pid %d)",
	    (int)other);
	return failed(text);
}

static int run(void *arg)
{
	const struct agent_settings *s = arg;
	char why[400];
	int status = EXIT_FAILED;

	if (open_log(s) && workdir_sign(why, sizeof why))
		status = wrapper_run(s, report);
	workdir_leave();
	return status;
}

static int start(struct agent_settings *s)
{
	int status = take_workdir(s);

	if (status)
		return status;
	if (s->is_background && (status = go_to_background()) >= 0)
		return status;
	return s->is_interactive ? terminal_guard(run, s) : run(s);
}

static int stop(const struct agent_settings *s)
{
	if (!workdir_stop(s->dir)) {
		(void)puts("Agent wrapper is not running");
		return 0;
	}
	(void)puts("Stop signal sent to agent wrapper");
	if (workdir_wait(s->dir, STOP_MS))
		return 0;
	return failed("it has not ended within 20 s");
}

static int restart(struct agent_settings *s)
{
	int status = stop(s);

	return status ? status : start(s);
}

static int show_status(const struct agent_settings *s)
{
	if (!workdir_find(s->dir) || !workdir_show(s->dir))
		(void)puts("Agent wrapper is not running");
	return 0;
}

static int show_logs(const struct agent_settings *s)
{
	char why[300];
	char *path = log_path(s);
	bool is_shown = tail(path, s->lines, s->is_following, why, sizeof why);

	free(path);
	return is_shown ? 0 : failed(why);
}

int commands_run(struct agent_settings *s)
{
	switch (s->command) {
	case COMMAND_START:
		return start(s);
	case COMMAND_STOP:
		return stop(s);
	case COMMAND_RESTART:
		return restart(s);
	case COMMAND_STATUS:
		return show_status(s);
	case COMMAND_LOGS:
		return show_logs(s);
	case COMMAND_LOGIN:
		return login_run(s);
	case COMMAND_LOGOUT:
		return login_end(s);
	}
	return EXIT_USAGE;
}
