/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_FILE_H
#define TOOLS_TOOL_FILE_H

/*
 * A call of a tool that works on files. It runs on a thread of the file crew,
 * which is for tools alone, so that a slow disk holds up no other work of the
 * worker, and which accesses files as the user of the agent.
 */
#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "proc/crew.h"
#include "tools/tool_root.h"
#include "tools/tool_run.h"
#include "tools/tool_user.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a call may take. */
#define TOOL_FILE_TIMEOUT_MS 30000

struct tool_file;

/* What a tool does; on a thread. */
typedef enum tool_status tool_file_fn(struct tool_file *f);

struct tool_file {
	struct tool_run run;
	struct crew_job job;
	const struct tool_root *root;
	const struct tool_user *user;
	tool_file_fn *work;
	struct json_doc doc;
	char *text;		 /* of the arguments */
	const struct json *args; /* they fit the schema of the tool */
	int64_t deadline_ms;
	atomic_bool is_cancelled;
	enum tool_status status;
	struct buf out; /* the result */
};

/*
 * Start a call on the crew. Takes the document, its text and root. If the crew
 * has too many jobs, the call ends soon with an error.
 */
struct tool_run *tool_file_start(
    struct crew *crew, struct loop *loop, const struct tool_file *call);

/* The rest is for the functions of tools, on the thread. */

/* Whether to stop, because of a cancel or the deadline. */
bool tool_file_is_over(const struct tool_file *f);

/* Replace the result by an error. Returns TOOL_ERROR. */
enum tool_status tool_file_fail(struct tool_file *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns an argument as a C string, to be freed; NULL if it is absent. */
char *tool_file_string(const struct tool_file *f, const char *name);

/* Returns an argument, or what is usual. */
int64_t tool_file_int(
    const struct tool_file *f, const char *name, int64_t usual);
bool tool_file_bool(const struct tool_file *f, const char *name);

/*
 * Append the whole of an open file, up to max bytes. Returns 0, or -1 with an
 * error that names path.
 */
int tool_file_read(
    int fd, const char *path, size_t max, struct buf *out, struct err *err);

#endif
