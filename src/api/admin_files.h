/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ADMIN_FILES_H
#define API_ADMIN_FILES_H

/*
 * Files that an operator may read over HTTP: the agent log, the evals and the
 * trust lists. They are read on the threads of a crew. The caller must have checked the
 * permission before.
 */
#include "base/buf.h"

#include <stdbool.h>

struct crew;
struct http_req;

/*
 * Reply with the whole log at path as text, or with 404 {"error":"No logs
 * found"}. This ends the request, at once or later.
 */
void admin_files_logs(
    struct http_req *req, struct crew *crew, const char *path);

/*
 * Reply with {"sessions":[...]}: the contents of evals and sessions under
 * co_dir, newest first. This ends the request, at once or later.
 */
void admin_files_sessions(
    struct http_req *req, struct crew *crew, const char *co_dir);

/*
 * Reply with what is in the trust lists of co_dir (access/lists_page.h), or
 * what a search for query finds there; "" is all. This ends the request, at
 * once or later.
 */
void admin_files_lists(struct http_req *req, struct crew *crew,
    const char *co_dir, const char *query);

/* Append the text of a log as UTF-8. Returns false if there is no log. */
bool admin_files_read_log(struct buf *out, const char *path);

#endif
