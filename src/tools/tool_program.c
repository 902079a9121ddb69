/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_program.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/stat.h"
#include "net/loop.h"
#include "proc/spawn.h"
#include "tools/tool_capture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

/* How much is kept of the beginning, and of the end, of each output. */
#define OUT_KEPT 8192
#define ERR_KEPT 4096

/* A program that writes more, in all, is ended. */
#define OUTPUT_MAX ((size_t)64 << 20)

/* How much of it people are shown while it runs. */
#define SHOWN_MAX TOOL_RESULT_MAX

/*
 * Variables that programs get, besides those that tool_environment names. Keys
 * of models and what came from .env are not among them.
 */
#define VARIABLES "PATH,HOME,USER,LOGNAME,SHELL,LANG,LANGUAGE,LC_*,TZ,TMPDIR"

struct program {
	struct tool_run run;
	struct tool_programs *all;
	struct list link; /* while it waits */
	struct tool_program_plan plan;
	struct runner *runner; /* NULL: it waits, or could not start */
	struct loop_timer timer;
	struct tool_capture out;
	struct tool_capture err;
	size_t n_shown;
	bool is_started;
	bool is_over;	/* it wrote too much: the timer ends it */
	struct err why; /* it could not start */
};

static struct program *program_of(struct tool_run *run)
{
	return (struct program *)(void *)run;
}

/* ---- the end ---- */

void tool_program_plan_fini(struct tool_program_plan *plan)
{
	for (char **word = plan->argv; word && *word; word++)
		free(*word);
	free(plan->argv);
	free(plan->directory);
	free(plan->input);
}

static void free_program(struct tool_run *run)
{
	struct program *p = program_of(run);
	struct tool_programs *all = p->all;

	runner_kill(&p->runner);
	loop_timer_stop(all->place.loop, &p->timer);
	list_remove(&p->link);
	if (p->is_started) {
		all->n_running--;
		stat_add(tool_commands, -1);
	}
	tool_capture_fini(&p->out);
	tool_capture_fini(&p->err);
	tool_program_plan_fini(&p->plan);
	free(p);
	/* Not at once: who closes a toolbox cancels all calls in turn. */
	if (!list_is_empty(&all->waiting))
		loop_later_ask(all->place.loop, &all->start_waiting);
}

static void put_output(struct buf *out, const struct program *p)
{
	tool_capture_put(out, &p->out);
	if (!p->err.total)
		return;
	if (out->len)
		buf_char(out, '\n');
	buf_str(out, "STDERR:\n");
	tool_capture_put(out, &p->err);
}

/* End the call; fmt, if not NULL, is the last line of its result. */
static void __attribute__((format(printf, 3, 4)))
end(struct program *p, enum tool_status status, const char *fmt, ...)
{
	struct buf out = {0};
	va_list ap;

	put_output(&out, p);
	if (fmt) {
		if (out.len)
			buf_str(&out, "\n\n");
		va_start(ap, fmt);
		buf_vprintf(&out, fmt, ap);
		va_end(ap);
	} else if (!out.len) {
		buf_str(&out, "(no output)");
	}
	tool_run_end(&p->run, status, &out);
}

static void end_for_output(struct program *p)
{
	end(p, TOOL_ERROR,
	    "Error: it was ended because it wrote more than %zu MiB; such "
	    "output belongs in a file",
	    OUTPUT_MAX >> 20);
}

static void end_with_status(struct program *p, int status)
{
	char text[64];

	if (p->is_over)
		end_for_output(p);
	else if (status == 0)
		end(p, TOOL_SUCCESS, NULL);
	else if (WIFEXITED(status))
		end(p, p->plan.fails_by_status ? TOOL_ERROR : TOOL_SUCCESS,
		    "Exit code: %d", WEXITSTATUS(status));
	else
		end(p, TOOL_ERROR, "Error: it was ended by %s",
		    spawn_status(status, text, sizeof text));
}

static void program_on_end(void *arg, const struct runner_end *how)
{
	struct program *p = arg;

	switch (how->how) {
	case RUNNER_EXITED:
		end_with_status(p, how->status);
		break;
	case RUNNER_LIMIT:
		end(p, TOOL_ERROR,
		    "Error: it was ended because it had more than %" PRId64
		    " processes (agent_processes)",
		    p->all->processes);
		break;
	case RUNNER_MEMORY:
		end(p, TOOL_ERROR,
		    "Error: it was ended because it used more than %" PRId64
		    " MB of memory (agent_memory)",
		    p->all->memory_bytes >> 20);
		break;
	case RUNNER_LOST:
		end(p, TOOL_ERROR, "Error: its processes were killed");
		break;
	}
}

/* ---- while it runs ---- */

/*
 * The caller may end the call when it is shown output. We end none here, since
 * the runner may have more to say at this moment.
 */
static void take(
    struct program *p, struct tool_capture *c, const char *data, size_t len)
{
	size_t room = SHOWN_MAX - p->n_shown;
	size_t shown = len < room ? len : room;

	if (p->is_over)
		return;
	tool_capture_add(c, data, len);
	if (p->out.total + p->err.total > OUTPUT_MAX) {
		p->is_over = true;
		loop_timer_set(p->all->place.loop, &p->timer, 0);
		return;
	}
	p->n_shown += shown;
	if (shown && p->run.ops->on_output)
		p->run.ops->on_output(p->run.arg, data, shown);
}

static void program_on_output(void *arg, const char *data, size_t len)
{
	struct program *p = arg;

	take(p, &p->out, data, len);
}

static void on_error_output(void *arg, const char *data, size_t len)
{
	struct program *p = arg;

	take(p, &p->err, data, len);
}

static const struct runner_handlers handlers = {
    .on_output = program_on_output,
    .on_error_output = on_error_output,
    .on_end = program_on_end,
};

/* ---- the start ---- */

static void on_time(void *arg)
{
	struct program *p = arg;

	if (!p->runner) {
		end(p, TOOL_ERROR, "Error: %s", p->why.text);
		return;
	}
	runner_kill(&p->runner);
	if (p->is_over)
		end_for_output(p);
	else
		end(p, TOOL_ERROR,
		    "Error: it was ended after its time limit of %g seconds",
		    (double)p->plan.timeout_ms / 1000);
}

/* The source is for all programs of the toolbox, one after the other. */
static struct runner *start_runner(struct program *p)
{
	struct source_exec *s = &p->all->source;
	struct source_exec usual = *s;

	s->argv = p->plan.argv;
	s->directory = p->plan.directory;
	struct runner *r = runner_start(&p->all->place, &handlers, p, &p->why);
	*s = usual;
	return r;
}

static void start(struct program *p)
{
	struct tool_program_plan *plan = &p->plan;

	p->is_started = true;
	p->all->n_running++;
	stat_add(tool_commands, 1);
	p->runner = start_runner(p);
	loop_timer_set(
	    p->all->place.loop, &p->timer, p->runner ? plan->timeout_ms : 0);
	if (!p->runner)
		return;
	runner_claim(p->runner, &handlers, p);
	if (plan->input_len)
		(void)runner_write(p->runner, plan->input, plan->input_len,
		    SIZE_MAX); /* its size is that of the arguments */
	runner_end_input(p->runner);
}

static void start_waiting(void *arg)
{
	struct tool_programs *all = arg;

	while (all->n_running < all->max && !list_is_empty(&all->waiting)) {
		struct list *link = list_shift(&all->waiting);

		start(list_entry(link, struct program, link));
	}
}

struct tool_run *tool_program_start(struct tool_programs *all,
    const struct tool_program_plan *plan, const struct tool_call_ops *ops,
    void *arg)
{
	struct program *p = mem_zero(sizeof *p);

	p->run = (struct tool_run){ops, arg, free_program, free_program};
	p->all = all;
	p->plan = *plan;
	p->out = (struct tool_capture){OUT_KEPT, OUT_KEPT, 0, {0}, {0}};
	p->err = (struct tool_capture){ERR_KEPT, ERR_KEPT, 0, {0}, {0}};
	list_init(&p->link);
	loop_timer_init(&p->timer, on_time, p);
	list_append(&all->waiting, &p->link);
	start_waiting(all);
	if (!p->is_started)
		stat_add(tool_commands_waited, 1);
	return &p->run;
}

/* ---- all of them ---- */

void tool_programs_init(struct tool_programs *p, const struct agent_spec *spec,
    struct loop *loop, struct crew *crew)
{
	struct buf variables = {0};

	*p = (struct tool_programs){
	    .place = {.loop = loop,
		.crew = crew,
		.source = &p->source.base,
		.outlives_output = true},
	    .max = spec->tool_commands,
	    .memory_bytes = spec->memory_bytes,
	    .processes = spec->processes,
	};
	list_init(&p->place.all);
	list_init(&p->waiting);
	loop_later_init(&p->start_waiting, start_waiting, p);
	source_exec_init(&p->source, spec, (const char *const[]){NULL});
	buf_printf(&variables, "%s,%s", VARIABLES, spec->tool_environment);
	source_exec_name_variables(&p->source, buf_cstr(&variables));
	buf_fini(&variables);
}

void tool_programs_fini(struct tool_programs *p)
{
	loop_later_cancel(&p->start_waiting);
	runner_clear(&p->place);
	source_exec_fini(&p->source);
}
