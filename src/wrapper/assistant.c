/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/assistant.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/spawn.h"
#include "wrapper/dialect.h"
#include "wrapper/doer.h"
#include "wrapper/env.h"
#include "wrapper/job.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program that writes a longer line is ended. */
#define MAX_LINE_BYTES ((size_t)16 * 1024 * 1024)

/* So much of its standard error is told if it ends unasked. */
#define COMPLAINT_BYTES 2000

/* The time for a program to stop a turn when it was asked to. */
#define OBEY_MS 2000

struct assistant {
	struct doer doer;
	struct assistant_setup setup;
	struct job *job;	 /* NULL: not running */
	struct dialect *dialect; /* of the job */
	struct buf line;	 /* the beginning of one */
	struct buf complaint;
	struct buf failure; /* why the program cannot begin */
	struct json_doc doc;
	bool has_turn;
	bool is_cancelled;
};

static struct assistant *assistant_of(struct doer *d)
{
	return (struct assistant *)(void *)((char *)d -
					    offsetof(struct assistant, doer));
}

/* Pass on what the dialect wants to say. */
static void flush(struct assistant *a)
{
	struct buf *out = &a->dialect->out;

	if (a->job && out->len && !job_write(a->job, out->data, out->len)) {
		log_warn("agent=%s: it does not read its input", a->setup.name);
		job_kill(a->job);
	}
	buf_reset(out);
}

/* ---- the turn ---- */

static void end_turn(struct assistant *a, const struct doer_result *result)
{
	if (!a->has_turn)
		return;
	a->has_turn = false;
	a->doer.handlers->on_end(a->doer.arg, result);
}

static void on_event(void *arg, const char *json, size_t len)
{
	struct assistant *a = arg;

	/* Some report things of their own between turns. */
	if (a->has_turn)
		a->doer.handlers->on_event(a->doer.arg, json, len);
}

static void on_turn_end(void *arg, bool is_success, const char *text)
{
	struct assistant *a = arg;
	const struct doer_result result = {
	    .state = a->is_cancelled ? ONS_CANCELLED
		     : is_success    ? ONS_COMPLETED
				     : ONS_FAILED,
	    .has_exit_code = !a->is_cancelled,
	    .exit_code = is_success ? 0 : 1,
	    .text = is_success ? text : NULL,
	    .error = is_success || a->is_cancelled ? NULL : text,
	};

	if (a->job)
		job_go_on(a->job); /* it has obeyed */
	end_turn(a, &result);
}

/* The next command starts it anew: the cause may be gone then. */
static void on_failure(void *arg, const char *text)
{
	struct assistant *a = arg;

	buf_reset(&a->failure);
	buf_str(&a->failure, text);
	if (a->job)
		job_kill(a->job);
}

static const struct dialect_handlers dialect_handlers = {
    .on_event = on_event, .on_end = on_turn_end, .on_failure = on_failure};

/* ---- what the program writes ---- */

static void take_line(struct assistant *a, const char *text, size_t len)
{
	struct json_error error;
	const struct json *line = json_parse(&a->doc, text, len, 0, &error);

	/* Some print a line of text when they start. */
	if (json_is(line, JSON_OBJECT))
		a->dialect->ops->take(a->dialect, line);
	else if (len)
		log_debug("agent=%s: no JSON: %.*s", a->setup.name,
		    len > 200 ? 200 : (int)len, text);
}

static void take_output(struct assistant *a, const char *data, size_t len)
{
	size_t from = a->line.len, at = 0;
	const char *end;

	buf_append(&a->line, data, len);
	while ((end = memchr(a->line.data + from, '\n', a->line.len - from))) {
		size_t next = (size_t)(end - a->line.data);
		take_line(a, a->line.data + at, next - at);
		at = from = next + 1;
	}
	buf_consume(&a->line, at);
	flush(a);
	if (a->line.len <= MAX_LINE_BYTES)
		return;
	log_warn("agent=%s: it wrote a line of more than %zu bytes",
	    a->setup.name, MAX_LINE_BYTES);
	buf_reset(&a->line);
	if (a->job)
		job_kill(a->job);
}

/* Its warnings are for the log; the last of them may explain its end. */
static void take_complaint(struct assistant *a, const char *data, size_t len)
{
	buf_append(&a->complaint, data, len);
	if (a->complaint.len > COMPLAINT_BYTES)
		buf_consume(&a->complaint, a->complaint.len - COMPLAINT_BYTES);
	log_debug(
	    "agent=%s: %.*s", a->setup.name, len > 400 ? 400 : (int)len, data);
}

static void on_output(
    void *arg, enum job_stream stream, const char *data, size_t len)
{
	struct assistant *a = arg;

	if (stream == JOB_OUTPUT)
		take_output(a, data, len);
	else
		take_complaint(a, data, len);
}

/* ---- the program ---- */

static void forget_program(struct assistant *a)
{
	job_free(&a->job);
	if (a->dialect)
		a->dialect->ops->free(a->dialect);
	a->dialect = NULL;
	buf_reset(&a->line);
}

static void put_end(const struct assistant *a, const char *how, struct buf *out)
{
	buf_printf(
	    out, "%s has ended without an answer: %s", a->setup.name, how);
	if (a->complaint.len)
		buf_printf(
		    out, ": %.*s", (int)a->complaint.len, a->complaint.data);
}

/* A turn is judged by its last line: without one, it has failed. */
static void on_job_end(void *arg, int status)
{
	struct assistant *a = arg;
	struct buf error = {0};
	char how[64];

	log_info("agent=%s: its program has ended: %s", a->setup.name,
	    spawn_status(status, how, sizeof how));
	if (a->failure.len)
		buf_append(&error, a->failure.data, a->failure.len);
	else
		put_end(a, how, &error);
	const struct doer_result result = {
	    .state = a->is_cancelled ? ONS_CANCELLED : ONS_FAILED,
	    .error = a->is_cancelled ? NULL : buf_cstr(&error),
	};
	forget_program(a);
	end_turn(a, &result);
	buf_fini(&error);
}

static const struct job_handlers job_handlers = {
    .on_output = on_output, .on_end = on_job_end};

static bool start_program(struct assistant *a, char *why, size_t size)
{
	char **env = env_for_agent(a->setup.kept, a->setup.more);

	buf_reset(&a->complaint);
	buf_reset(&a->failure);
	a->job = job_start(
	    &(struct job_plan){
		.loop = a->setup.loop,
		.argv = a->setup.argv,
		.envp = env,
		.cwd = a->setup.dir,
		.handlers = &job_handlers,
		.arg = a,
	    },
	    why, size);
	env_free(env);
	if (!a->job)
		return false;
	a->dialect = a->setup.dialect();
	a->dialect->handlers = &dialect_handlers;
	a->dialect->arg = a;
	a->dialect->ops->start(a->dialect, a->setup.dir);
	return true;
}

/* ---- the calls of a doer ---- */

static bool assistant_begin(
    struct doer *d, const struct doer_task *task, char *why, size_t size)
{
	struct assistant *a = assistant_of(d);

	if (strcmp(task->dir, a->setup.dir) != 0) {
		(void)snprintf(why, size,
		    "%s works in the working directory "
		    "of this agent only",
		    a->setup.name);
		return false;
	}
	if (!a->job && !start_program(a, why, size))
		return false;
	a->has_turn = true;
	a->is_cancelled = false;
	a->dialect->ops->prompt(a->dialect, task->text, strlen(task->text));
	flush(a);
	return true;
}

static void assistant_cancel(struct doer *d)
{
	struct assistant *a = assistant_of(d);

	a->is_cancelled = true;
	if (!a->job)
		return;
	bool is_asked = a->dialect->ops->interrupt(a->dialect);
	flush(a);
	job_stop(a->job, is_asked ? OBEY_MS : 0);
}

static void assistant_kill(struct doer *d)
{
	struct assistant *a = assistant_of(d);

	a->is_cancelled = true;
	if (a->job)
		job_kill(a->job);
}

static void assistant_pause(struct doer *d, bool is_paused)
{
	struct assistant *a = assistant_of(d);

	if (a->job)
		job_pause(a->job, is_paused);
}

static void assistant_tell(struct doer *d, const struct json *line)
{
	struct assistant *a = assistant_of(d);

	if (!a->dialect || !a->has_turn)
		return;
	a->dialect->ops->answer(a->dialect, line);
	flush(a);
}

static void assistant_free(struct doer *d)
{
	struct assistant *a = assistant_of(d);

	forget_program(a);
	buf_fini(&a->line);
	buf_fini(&a->complaint);
	buf_fini(&a->failure);
	json_fini(&a->doc);
	free(a);
}

static const struct doer_ops assistant_ops = {
    .begin = assistant_begin,
    .cancel = assistant_cancel,
    .kill = assistant_kill,
    .pause = assistant_pause,
    .tell = assistant_tell,
    .free = assistant_free,
};

struct doer *assistant_new(const struct assistant_setup *setup)
{
	struct assistant *a = mem_zero(sizeof *a);

	a->doer.ops = &assistant_ops;
	a->setup = *setup;
	return &a->doer;
}
