/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/tool_command.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/tool_spec.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASH "/bin/bash"
#define BASH_TIMEOUT_S 120

/* Returns the real path of a folder of the project, to be freed, or NULL. */
static char *folder_of(
    const struct tool_root *root, const char *path, struct err *err)
{
	struct buf whole = {0};
	int fd = tool_root_folder(root, path, err);

	if (fd < 0)
		return NULL;
	char *name = tool_root_name(root, fd);
	(void)close(fd); /* nothing was written */
	buf_printf(&whole, "%s/%s", root->path, name ? name : "");
	free(name);
	return buf_steal(&whole, NULL);
}

static int check_word(const char *word, struct err *err)
{
	size_t n = word ? strlen(word) : 0;

	if (!word)
		return err_set(err, ERR_BAD_REQUEST,
		    "an argument of a command must not hold a NUL");
	if (n > TOOL_COMMAND_WORD)
		return err_set(err, ERR_TOO_LARGE,
		    "an argument of %zu bytes is too long for a command (the "
		    "limit is %d); write it into a file",
		    n, TOOL_COMMAND_WORD);
	return 0;
}

/* ---- bash ---- */

int tool_command_bash(struct tool_program_plan *plan,
    const struct tool_root *root, const struct json *args, struct err *err)
{
	char *command = json_strdup(json_get(args, "command"));
	char *cwd = json_strdup(json_get(args, "cwd"));
	int64_t timeout_s = BASH_TIMEOUT_S;
	char *directory = NULL;

	(void)json_int(json_get(args, "timeout"), &timeout_s);
	int rc = check_word(command, err);
	if (rc == 0)
		directory = folder_of(root, cwd ? cwd : ".", err);
	free(cwd);
	if (!directory) {
		free(command);
		return -1;
	}
	*plan = (struct tool_program_plan){
	    .argv = mem_zero(4 * sizeof *plan->argv),
	    .directory = directory,
	    .timeout_ms = timeout_s * 1000,
	};
	plan->argv[0] = mem_strdup(BASH);
	plan->argv[1] = mem_strdup("-c");
	plan->argv[2] = command;
	return 0;
}

/* ---- commands of the settings ---- */

static void put_value(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_is(v, JSON_STRING) ? json_str(v, &scratch, &len)
						   : json_text(v, &len);

	buf_append(out, text, len);
	buf_fini(&scratch);
}

/* Append the argument that a placeholder of len bytes names. */
static void put_argument(struct buf *out, const char *placeholder, size_t len,
    const struct json *args)
{
	char *name = mem_strndup(placeholder + 1, len - 2);
	const struct json *v = json_get(args, name);

	if (json_type(v) != JSON_NULL)
		put_value(out, v);
	free(name);
}

/* Returns the word with its placeholders filled, or NULL if it has a NUL. */
static char *fill(const char *word, const struct json *args)
{
	struct buf out = {0};
	size_t len;

	while (*word) {
		size_t n = tool_spec_placeholder(word);

		if (n)
			put_argument(&out, word, n, args);
		else
			buf_char(&out, *word);
		word += n ? n : 1;
	}
	char *text = buf_steal(&out, &len);
	if (strlen(text) == len)
		return text;
	free(text);
	return NULL;
}

static int fill_all(struct tool_program_plan *plan,
    const struct tool_command *command, const struct json *args,
    struct err *err)
{
	size_t n = 0;

	while (command->argv[n])
		n++;
	plan->argv = mem_zero((n + 1) * sizeof *plan->argv);
	for (size_t i = 0; i < n; i++) {
		plan->argv[i] = fill(command->argv[i], args);
		if (check_word(plan->argv[i], err) != 0)
			return -1;
	}
	return 0;
}

int tool_command_declared(struct tool_program_plan *plan,
    const struct tool_root *root, const struct tool_command *command,
    const struct json *args, struct err *err)
{
	struct buf input = {0};
	size_t len;
	const char *text = json_text(args, &len);

	*plan = (struct tool_program_plan){
	    .timeout_ms = command->timeout_ms, .fails_by_status = true};
	plan->directory = folder_of(root, command->dir, err);
	if (!plan->directory || fill_all(plan, command, args, err) != 0) {
		tool_program_plan_fini(plan);
		return -1;
	}
	buf_json_line(&input, text, len);
	buf_char(&input, '\n');
	plan->input = buf_steal(&input, &plan->input_len);
	return 0;
}
