/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/write_all.h"
#include "tools/tool_files.h"
#include "tools/tool_swap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Report what is on disk, so that the model has a proof. */
static void report(
    struct tool_file *f, const char *path, size_t len, const struct stat *st)
{
	char when[32];
	struct tm tm;

	(void)localtime_r(&st->st_mtim.tv_sec, &tm);
	(void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(&f->out,
	    "Successfully wrote %zu bytes to '%s/%s' (verified on disk, mtime "
	    "%s)",
	    len, f->root->path, path, when);
}

enum tool_status tool_write(struct tool_file *f)
{
	struct err err;
	struct buf scratch = {0};
	struct stat st;
	size_t len;
	char *path = tool_file_string(f, "path");
	const char *content =
	    json_str(json_get(f->args, "content"), &scratch, &len);
	int rc = path ? tool_swap_new(f->root, path, content, len, &st, &err)
		      : err_set(&err, ERR_BAD_REQUEST, "no path");

	if (rc == 0)
		report(f, tool_root_relative(f->root, path), len, &st);
	else
		(void)tool_file_fail(f, "%s", err.text);
	buf_fini(&scratch);
	free(path);
	return rc == 0 ? TOOL_SUCCESS : TOOL_ERROR;
}
