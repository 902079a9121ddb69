/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/shell.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wrapper/doer.h"
#include "wrapper/job.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct shell {
	struct doer doer;
	struct loop *loop;
	struct job *job; /* NULL: free */
	bool is_cancelled;
};

static struct shell *shell_of(struct doer *a)
{
	return (
	    struct shell *)(void *)((char *)a - offsetof(struct shell, doer));
}

/* ---- a command ---- */

static void on_output(
    void *arg, enum job_stream stream, const char *data, size_t len)
{
	struct shell *s = arg;

	s->doer.handlers->on_output(
	    s->doer.arg, stream == JOB_ERRORS, data, len);
}

static void on_end(void *arg, int status)
{
	struct shell *s = arg;
	bool is_success = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	struct doer_result result = {
	    .state = s->is_cancelled ? ONS_CANCELLED
		     : is_success    ? ONS_COMPLETED
				     : ONS_FAILED,
	    .has_exit_code = true,
	    .exit_code =
		WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
	};

	job_free(&s->job);
	s->doer.handlers->on_end(s->doer.arg, &result);
}

static const struct job_handlers job_handlers = {
    .on_output = on_output, .on_end = on_end};

/* "COMMAND "$@"": the shell sees each argument as one word. */
static char **make_argv(const struct doer_task *task, char *script)
{
	size_t n = 0;

	while (task->args[n])
		n++;
	char **argv = mem_zero((n + 5) * sizeof *argv);
	argv[0] = mem_strdup("sh");
	argv[1] = mem_strdup("-c");
	argv[2] = script;
	argv[3] = mem_strdup("sh");
	for (size_t i = 0; i < n; i++)
		argv[4 + i] = mem_strdup(task->args[i]);
	return argv;
}

static void free_argv(char **argv)
{
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	free(argv);
}

static bool shell_begin(
    struct doer *a, const struct doer_task *task, char *why, size_t size)
{
	struct shell *s = shell_of(a);
	struct buf script = {0};

	buf_str(&script, task->text);
	if (task->args[0])
		buf_str(&script, " \"$@\"");
	char **argv = make_argv(task, buf_steal(&script, NULL));
	s->is_cancelled = false;
	s->job = job_start(
	    &(struct job_plan){
		.loop = s->loop,
		.argv = argv,
		.envp = task->envp,
		.cwd = task->dir,
		.handlers = &job_handlers,
		.arg = s,
	    },
	    why, size);
	free_argv(argv);
	if (s->job)
		job_finish_input(s->job);
	return s->job != NULL;
}

/* ---- the end of a command ---- */

static void shell_cancel(struct doer *a)
{
	struct shell *s = shell_of(a);

	s->is_cancelled = true;
	if (s->job)
		job_stop(s->job, 0);
}

static void shell_kill(struct doer *a)
{
	struct shell *s = shell_of(a);

	s->is_cancelled = true;
	if (s->job)
		job_kill(s->job);
}

static void shell_pause(struct doer *a, bool is_paused)
{
	struct shell *s = shell_of(a);

	if (s->job)
		job_pause(s->job, is_paused);
}

static void shell_tell(struct doer *a, const struct json *line)
{
	(void)a;
	(void)line; /* a command asks nothing */
}

static void shell_free(struct doer *a)
{
	struct shell *s = shell_of(a);

	job_free(&s->job);
	free(s);
}

static const struct doer_ops shell_ops = {
    .begin = shell_begin,
    .cancel = shell_cancel,
    .kill = shell_kill,
    .pause = shell_pause,
    .tell = shell_tell,
    .free = shell_free,
};

struct doer *shell_new(struct loop *loop)
{
	struct shell *s = mem_zero(sizeof *s);

	s->doer.ops = &shell_ops;
	s->loop = loop;
	return &s->doer;
}
