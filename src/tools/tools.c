/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tools.h"

#include "base/json.h"
#include "base/json_schema.h"
#include "base/mem.h"
#include "core/tool_spec.h"
#include "net/loop.h"
#include "tools/builtins.h"
#include "tools/tool_command.h"
#include "tools/tool_program.h"
#include "tools/tool_todo.h"
#include "tools/tool_walk.h"

#include <stdlib.h>
#include <string.h>

/* Threads for files, and how many calls may wait for them. */
#define CREW_THREADS 4
#define CREW_JOBS 1000

struct box {
	struct toolbox base;
	struct loop *loop;
	struct crew *crew; /* of our own, for files */
	struct loop_wake *wake;
	struct tool_root root;
	struct tool_user user;
	struct tool_programs programs;
	struct tool_spec spec;
};

static struct box *box_of(struct toolbox *b)
{
	return (struct box *)(void *)b;
}

static void on_wake(void *arg)
{
	crew_collect(((struct box *)arg)->crew);
}

static void wake(void *arg)
{
	loop_wake_up(((struct box *)arg)->wake);
}

/* ---- the tools ---- */

static const struct tool *tool_at(const struct toolbox *b, size_t i)
{
	const struct box *box = (const struct box *)(const void *)b;
	const struct builtin *builtin;

	for (size_t k = 0; (builtin = builtins_at(k)) != NULL; k++)
		if (tool_spec_offers(&box->spec, builtin->tool.name) &&
		    i-- == 0)
			return &builtin->tool;
	return i < box->spec.n_commands ? &box->spec.commands[i].tool : NULL;
}

static const struct builtin *builtin_of(const struct tool *tool)
{
	const struct builtin *builtin;

	for (size_t i = 0; (builtin = builtins_at(i)) != NULL; i++)
		if (&builtin->tool == tool)
			return builtin;
	return NULL;
}

/* ---- calls ---- */

/* Returns whether the arguments fit; otherwise the error is in out. */
static bool read_args(struct tool_file *f, const struct tool_call *call)
{
	struct json_error wrong;
	struct json_doc schema = {0};

	f->text = mem_strndup(call->args, call->args_len);
	f->args = json_parse(&f->doc, f->text, call->args_len, 0, &wrong);
	buf_str(&f->out, "Error: ");
	if (!f->args) {
		buf_printf(
		    &f->out, "the arguments are not JSON: %s", wrong.message);
		return false;
	}
	bool fits = json_schema_fits(json_parse(&schema, call->tool->schema,
					 strlen(call->tool->schema), 0, &wrong),
	    f->args, &f->out);
	json_fini(&schema);
	if (fits)
		buf_reset(&f->out);
	return fits;
}

static struct tool_run *end_soon(
    struct box *box, struct tool_file *f, enum tool_status status)
{
	json_fini(&f->doc);
	free(f->text);
	return tool_run_soon(
	    box->loop, f->run.ops, f->run.arg, status, &f->out);
}

/* Run bash, or a command that was declared. */
static struct tool_run *start_program(struct box *box, struct tool_file *f,
    const struct tool_call *call, bool is_bash)
{
	struct tool_program_plan plan = {0};
	struct err err;
	int rc =
	    is_bash ? tool_command_bash(&plan, &box->root, f->args, &err)
		    : tool_command_declared(&plan, &box->root,
			  (const struct tool_command *)(const void *)call->tool,
			  f->args, &err);

	if (rc != 0) {
		buf_printf(&f->out, "Error: %s", err.text);
		return end_soon(box, f, TOOL_ERROR);
	}
	json_fini(&f->doc);
	free(f->text);
	buf_fini(&f->out);
	return tool_program_start(
	    &box->programs, &plan, f->run.ops, f->run.arg);
}

static struct tool_run *start(struct toolbox *b, const struct tool_call *call,
    const struct tool_call_ops *ops, void *arg)
{
	struct box *box = box_of(b);
	const struct builtin *builtin = builtin_of(call->tool);
	struct tool_file f = {
	    .run = {.ops = ops, .arg = arg},
	    .root = &box->root,
	    .user = &box->user,
	    .work = builtin ? builtin->work : NULL,
	};

	if (!read_args(&f, call))
		return end_soon(box, &f, TOOL_ERROR);
	if (!builtin || builtin->kind == BUILTIN_BASH)
		return start_program(box, &f, call, builtin != NULL);
	if (builtin->kind == BUILTIN_FILE)
		return tool_file_start(box->crew, box->loop, &f);
	tool_todo_result(&f.out, f.args);
	return end_soon(box, &f, TOOL_SUCCESS);
}

/* ---- opening and closing ---- */

static void close_box(struct toolbox **b)
{
	struct box *box = box_of(*b);

	*b = NULL;
	if (!box)
		return;
	tool_programs_fini(&box->programs);
	crew_close(&box->crew);
	loop_wake_close(&box->wake); /* threads that end may still ring */
	tool_root_close(&box->root);
	tool_spec_fini(&box->spec);
	free(box);
}

static const struct toolbox_ops ops = {
    .tool = tool_at,
    .start = start,
    .cancel = tool_run_cancel,
    .close = close_box,
};

struct toolbox *tools_open(const struct agent_setup *setup, struct err *err)
{
	const struct agent_spec *spec = &setup->spec;
	struct box *box = mem_zero(sizeof *box);
	struct toolbox *base = &box->base;

	*box = (struct box){.base = {&ops}, .loop = setup->loop};
	box->wake = loop_wake_open(setup->loop, on_wake, box);
	box->crew = crew_open(CREW_THREADS, CREW_JOBS, wake, box);
	tool_user_find(&box->user, spec->user);
	tool_programs_init(&box->programs, spec, setup->loop, setup->crew);
	if (tool_root_open(&box->root, spec->project_dir, err) != 0 ||
	    tool_spec_read(&box->spec, spec->tools, err) != 0)
		close_box(&base);
	return base;
}

int64_t tools_descriptors(const struct agent_spec *spec)
{
	/* A walk has a folder open for each level, and a file. */
	int64_t files = CREW_THREADS * (TOOL_WALK_DEPTH + 4);

	/* A program that ends may be beside the next one that starts. */
	return files + 2 + 2 * RUNNER_DESCRIPTORS * spec->tool_commands;
}
