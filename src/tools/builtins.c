/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/builtins.h"

#include "base/json.h"
#include "base/json_schema.h"
#include "base/mem.h"
#include "net/loop.h"
#include "tools/tool_files.h"
#include "tools/tool_todo.h"

#include <stdlib.h>
#include <string.h>

/* Threads for files, and how many calls may wait for them. */
#define CREW_THREADS 4
#define CREW_JOBS 1000

/* ---- the tools ---- */

struct builtin {
	struct tool tool;
	tool_file_fn *work; /* NULL: a tool of its own kind */
};

#define TEXT(name, about) \
	"\"" name "\":{\"type\":\"string\",\"description\":\"" about "\"}"
#define NUMBER(name, about) \
	"\"" name "\":{\"type\":\"integer\",\"description\":\"" about "\"}"
#define FLAG(name, about) \
	"\"" name "\":{\"type\":\"boolean\",\"description\":\"" about "\"}"
#define OBJECT(required, properties)                       \
	"{\"type\":\"object\",\"properties\":{" properties \
	"},\"required\":[" required "]}"

static const struct builtin builtins[] = {
    {{"read_file",
	 "Read a text file of the project, with line numbers. "
	 "Lines longer "
	 "than 500 characters are cut.",
	 OBJECT(
	     "\"path\"", TEXT("path", "File to read") "," NUMBER("offset",
			     "First line, from 1 (default 1)") "," NUMBER("limi"
									  "t",
			     "Number of lines (default 2000)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	tool_read},
    {{"write",
	 "Write a new file of the project, with the directories it "
	 "needs. To "
	 "change a file that exists, use edit.",
	 OBJECT("\"path\",\"content\"",
	     TEXT("path", "File to write") "," TEXT(
		 "content", "Complete content of the file")),
	 0},
	tool_write},
    {{"edit",
	 "Replace a string in a file of the project. old_string "
	 "must be in "
	 "the file exactly as given, and only once unless "
	 "replace_all is "
	 "true.",
	 OBJECT("\"file_path\",\"old_string\",\"new_string\"",
	     TEXT("file_path", "File to edit") "," TEXT(
		 "old_string", "Exact string to replace") "," TEXT("new_string",
		 "String to replace it with") "," FLAG("replace_"
						       "all",
		 "Replace all occurrences (default false)")),
	 0},
	tool_edit},
    {{"glob",
	 "Find files of the project by a pattern of their paths, "
	 "the newest "
	 "first. Directories such as .git, node_modules and build "
	 "are left "
	 "out.",
	 OBJECT("\"pattern\"",
	     TEXT("pattern", "Such as **/*.py or src/**/*.ts") "," TEXT(
		 "path", "Directory to search in (default: the project)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	tool_glob},
    {{"grep",
	 "Search the contents of files of the project with a "
	 "regular "
	 "expression. A search of a directory leaves out files "
	 "over 2 MB and "
	 "stops after 20,000 files.",
	 OBJECT("\"pattern\"",
	     TEXT("pattern", "Regular expression") "," TEXT("pat"
							    "h",
		 "File or directory to search in "
		 "(default: the "
		 "project)") "," TEXT("file_pattern",
		 "Only files like this, such as "
		 "*.py") ","
			 "\"output_mode\":{"
			 "\"type\":\"string\","
			 "\"enum\":[\"files\","
			 "\"content\",\"count\"],"
			 "\"description\":"
			 "\"Paths (default), "
			 "matching lines, or "
			 "counts\"}," NUMBER("context_lines",
			     "Lines around a "
			     "match, with "
			     "content") "," FLAG("ig"
						 "no"
						 "re"
						 "_c"
						 "as"
						 "e",
			     "Ignore upper and "
			     "lower case") "," NUMBER("max_results",
			     "Number of results "
			     "(default 50)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	tool_grep},
    {{"todo",
	 "Show the user your plan for a task of several steps. "
	 "Give the whole "
	 "list whenever it changes; one step at most is "
	 "in_progress.",
	 OBJECT("\"todos\"",
	     "\"todos\":{\"type\":\"array\",\"maxItems\":200,"
	     "\"items\":" OBJECT("\"content\",\"status\"",
		 "\"content\":{\"type\":\"string\",\"minLength\":"
		 "1,"
		 "\"maxLength\":1000,\"description\":\"What is to "
		 "be done\"},"
		 "\"status\":{\"type\":\"string\",\"enum\":["
		 "\"pending\","
		 "\"in_progress\",\"completed\"]}," TEXT("active_form",
		     "The same while it is being done") ","
							"\"priorit"
							"y\":{"
							"\"type\":"
							"\"string"
							"\","
							"\"enum\":"
							"[\"high\""
							","
							"\"medium"
							"\","
							"\"low\"]"
							"}") "}"),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	NULL},
};

#define N_BUILTINS (sizeof builtins / sizeof *builtins)

bool builtins_have(const char *name)
{
	for (size_t i = 0; i < N_BUILTINS; i++)
		if (strcmp(builtins[i].tool.name, name) == 0)
			return true;
	return strcmp(name, "ask_user") == 0;
}

/* ---- the toolbox ---- */

struct box {
	struct toolbox base;
	struct loop *loop;
	struct crew *crew;
	struct loop_wake *wake;
	struct tool_root root;
	struct tool_user user;
	const struct builtin *offered[N_BUILTINS];
	size_t n_offered;
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

static const struct tool *tool_at(const struct toolbox *b, size_t i)
{
	const struct box *box = (const struct box *)(const void *)b;

	return i < box->n_offered ? &box->offered[i]->tool : NULL;
}

static const struct builtin *find(const struct tool *tool)
{
	for (size_t i = 0; i < N_BUILTINS; i++)
		if (tool == &builtins[i].tool)
			return &builtins[i];
	abort(); /* it is not ours */
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

static struct tool_run *start(struct toolbox *b, const struct tool_call *call,
    const struct tool_call_ops *ops, void *arg)
{
	struct box *box = box_of(b);
	const struct builtin *builtin = find(call->tool);
	struct tool_file f = {
	    .run = {.ops = ops, .arg = arg},
	    .root = &box->root,
	    .user = &box->user,
	    .work = builtin->work,
	};

	if (!read_args(&f, call))
		return end_soon(box, &f, TOOL_ERROR);
	if (builtin->work)
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
	if (box->crew)
		crew_close(&box->crew);
	loop_wake_close(&box->wake); /* threads that end may still ring */
	tool_root_close(&box->root);
	free(box);
}

static const struct toolbox_ops ops = {
    .tool = tool_at,
    .start = start,
    .cancel = tool_run_cancel,
    .close = close_box,
};

static bool is_named(const struct builtin *b, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(b->tool.name, *names) == 0)
			return true;
	return false;
}

struct toolbox *builtins_open(
    const struct tools_setup *setup, const char *const *names, struct err *err)
{
	struct box *box = mem_zero(sizeof *box);
	struct toolbox *base = &box->base;

	*box = (struct box){.base = {&ops}, .loop = setup->loop};
	box->wake = loop_wake_open(setup->loop, on_wake, box);
	box->crew = crew_open(CREW_THREADS, CREW_JOBS, wake, box);
	for (size_t i = 0; i < N_BUILTINS; i++)
		if (!names || is_named(&builtins[i], names))
			box->offered[box->n_offered++] = &builtins[i];
	tool_user_find(&box->user, setup->spec->user);
	if (tool_root_open(&box->root, setup->spec->project_dir, err) != 0)
		close_box(&base);
	return base;
}
