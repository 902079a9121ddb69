/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/python_describe.h"

#include "agent/exec_check.h"
#include "agent/python.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/conf.h"
#include "core/err.h"
#include "runner/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How much of each output is kept. */
#define SAID_MAX (4u << 20)
#define COMPLAINTS_MAX (64u << 10)

/*
 * Killing its tree takes almost no time; a process stuck in the kernel is
 * abandoned.
 */
#define KILL_MS 10000

/* What is quoted as the reason is cut here. */
#define WHY_MAX 200

#define RELATIVE " (paths are relative to the project directory)"

/* Our ends of the process's outputs and of its control socket; -1: closed. */
enum { SAID, COMPLAINTS, CONTROL, ENDS };

struct talk {
	int fds[ENDS];
	struct buf heard[ENDS];
	bool is_late;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* read, or written at once */
	*fd = -1;
}

/*
 * Open one channel per output and the control socket, with an end for each
 * side.
 */
static bool open_channels(int *ours, int *theirs)
{
	int pair[2];

	theirs[SOURCE_IN] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (theirs[SOURCE_IN] < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		if (pipe2(pair, O_CLOEXEC) != 0)
			return false;
		ours[i] = pair[0];
		theirs[i == SAID ? SOURCE_OUT : SOURCE_ERR] = pair[1];
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	ours[CONTROL] = pair[0];
	theirs[SOURCE_CONTROL] = pair[1];
	return true;
}

/* Keep the newest output: a traceback ends with the important part. */
static void hear(struct talk *t, int i)
{
	static const size_t max[ENDS] = {SAID_MAX, COMPLAINTS_MAX, 128};
	char bytes[16384];
	ssize_t n = read(t->fds[i], bytes, sizeof bytes);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close_fd(&t->fds[i]);
		return;
	}
	buf_append(&t->heard[i], bytes, (size_t)n);
	if (t->heard[i].len > max[i])
		buf_consume(&t->heard[i], t->heard[i].len - max[i]);
}

/* The control socket is closed last, when no process is left. */
static void listen_until(struct talk *t, int64_t until_ms)
{
	while (t->fds[CONTROL] >= 0) {
		int64_t left = until_ms - clock_mono_ms();
		struct pollfd p[ENDS];
		if (left <= 0)
			return;
		for (int i = 0; i < ENDS; i++)
			p[i] =
			    (struct pollfd){.fd = t->fds[i], .events = POLLIN};
		if (poll(p, ENDS, (int)left) <= 0)
			continue;
		for (int i = 0; i < ENDS; i++)
			if (p[i].revents)
				hear(t, i);
	}
}

/* Read what is left in a pipe after its writers have gone. */
static void drain(struct talk *t, int i)
{
	struct pollfd p = {.fd = t->fds[i], .events = POLLIN};

	while (t->fds[i] >= 0 && poll(&p, 1, 0) > 0)
		hear(t, i);
}

static void listen_to(struct talk *t)
{
	listen_until(t, clock_mono_ms() + PYTHON_DESCRIBE_MS);
	t->is_late = t->fds[CONTROL] >= 0;
	if (t->is_late) {
		(void)!write(t->fds[CONTROL], "k", 1); /* or it has gone */
		listen_until(t, clock_mono_ms() + KILL_MS);
	}
	drain(t, SAID);
	drain(t, COMPLAINTS);
}

/* Whether the output is what was expected. */
static bool is_profile(const struct buf *said)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    said->len ? json_parse(&doc, said->data, said->len, 0, &why) : NULL;
	bool is_good = o && json_is(json_get(o, "name"), JSON_STRING);

	json_fini(&doc);
	return is_good;
}

/* Why the file has no agent, as the script says; NULL: it does not. */
static char *said_reason(const struct buf *said)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *o =
	    said->len ? json_parse(&doc, said->data, said->len, 0, &why) : NULL;
	char *text = json_strdup(json_get(o, "error"));

	json_fini(&doc);
	return text;
}

/* Whether the interpreter is not the right one, as in most such cases. */
static bool lacks_package(const char *why)
{
	return strncmp(why, "ModuleNotFoundError", 19) == 0;
}

/* The script could not even say why: the last line is the interpreter's. */
static int blame_interpreter(const char *file, const struct conf *conf,
    struct buf *complaints, struct err *err)
{
	const char *text = buf_cstr(complaints);
	size_t n = complaints->len, at;

	while (n && text[n - 1] == '\n')
		n--;
	for (at = n; at && text[at - 1] != '\n';)
		at--;
	if (!n)
		return err_set(err, ERR_CONFIG,
		    "agent %s cannot be loaded by %s, which ended without a "
		    "word",
		    file, conf->python);
	return err_set(err, ERR_CONFIG, "agent %s cannot be loaded by %s: %.*s",
	    file, conf->python, n - at < WHY_MAX ? (int)(n - at) : WHY_MAX,
	    text + at);
}

static int tell_reason(
    const char *file, const struct conf *conf, const char *why, struct err *err)
{
	if (!lacks_package(why))
		return err_set(err, ERR_CONFIG,
		    "agent %s cannot be loaded: %.*s", file, WHY_MAX, why);
	return err_set(err, ERR_CONFIG,
	    "agent %s cannot be loaded: %.*s: %s does not have it; set python "
	    "to the interpreter that has its packages, such as -o "
	    "python=VENV/bin/python",
	    file, WHY_MAX, why, conf->python);
}

static int judge(struct talk *t, const struct conf *conf, const char *file,
    struct buf *out, struct err *err)
{
	const struct buf *said = &t->heard[SAID];
	struct buf *complaints = &t->heard[COMPLAINTS];

	if (!t->is_late && is_profile(said)) {
		buf_append(out, said->data, said->len);
		return 0;
	}
	buf_append(out, complaints->data, complaints->len);
	if (t->is_late)
		return err_set(err, ERR_CONFIG,
		    "agent %s: it did not come to host() in %d s", file,
		    PYTHON_DESCRIBE_MS / 1000);
	char *why = said_reason(said);
	int rc = why ? tell_reason(file, conf, why, err)
		     : blame_interpreter(file, conf, complaints, err);
	free(why);
	return rc;
}

static pid_t python_describe_start(
    struct talk *t, struct source *source, struct err *err)
{
	int theirs[SOURCE_FDS] = {-1, -1, -1, -1};
	pid_t pid = -1;

	if (open_channels(t->fds, theirs))
		pid = source->start(source, theirs, err);
	else
		(void)err_set(
		    err, ERR_CONFIG, "cannot open a pipe: %s", strerror(errno));
	for (int i = 0; i < SOURCE_FDS; i++)
		close_fd(&theirs[i]);
	return pid;
}

/*
 * Refuse a file that is missing for certain: it may have the name of an agent
 * after a colon, and what does not end in .py may be a module.
 */
static int check_file(
    const struct conf *conf, const char *file, struct err *err)
{
	struct buf path = {0};
	const char *end = strstr(file, ".py:");
	size_t len = end ? (size_t)(end - file) + 3 : strlen(file);
	int rc = 0;

	if (*file != '/')
		buf_printf(&path, "%s/", conf->project_dir);
	buf_append(&path, file, len);
	bool is_python = len > 3 && memcmp(file + len - 3, ".py", 3) == 0;
	if (is_python && access(buf_cstr(&path), F_OK) != 0 && errno == ENOENT)
		rc = err_set(err, ERR_CONFIG, "agent: there is no file %s%s",
		    buf_cstr(&path), *file == '/' ? "" : RELATIVE);
	buf_fini(&path);
	return rc;
}

int python_describe(const struct conf *conf, struct buf *out, struct err *err)
{
	struct talk t = {.fds = {-1, -1, -1}};
	struct source_exec source;
	struct buf script = {0};
	struct agent_spec spec = agent_spec_of(conf);
	const char *file = conf->agent + strlen(PYTHON_PREFIX);
	/* A file is refused for what it holds if each turn is a fork. */
	const char *state =
	    conf->agent_state == STATE_ISOLATED ? "isolated" : "shared";
	int rc = -1;

	if (check_file(conf, file, err) != 0 ||
	    exec_check_program(
		"python", conf->python, conf->project_dir, err) != 0)
		return -1;
	buf_printf(&script, "%s/co-agent-python", conf->libexec_dir);
	source_exec_init(&source, &spec,
	    (const char *const[]){conf->python, buf_cstr(&script), "--describe",
		"--state", state, "--", file, NULL});
	pid_t pid = python_describe_start(&t, &source.base, err);
	if (pid >= 0) {
		listen_to(&t);
		close_fd(&t.fds[CONTROL]);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		rc = judge(&t, conf, file, out, err);
	}
	for (int i = 0; i < ENDS; i++) {
		close_fd(&t.fds[i]);
		buf_fini(&t.heard[i]);
	}
	source_exec_fini(&source);
	buf_fini(&script);
	return rc;
}
