/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ADMIN_FILES_H
#define API_ADMIN_FILES_H

/*
 * The files that an operator may read over HTTP: the agent log and the evals.
 * They are read on a crew's threads. Whoever calls has checked who asks.
 */
#include "base/buf.h"

#include <stdbool.h>

struct crew;
struct http_req;

/*
 * Reply the whole log at path as text, or 404 {"error":"No logs found"}. Ends
 * the request, at once or later.
 */
void admin_files_logs(
    struct http_req *req, struct crew *crew, const char *path);

/*
 * Reply {"sessions":[...]}: what stands in evals and sessions under co_dir,
 * newest first. Ends the request, at once or later.
 */
void admin_files_sessions(
    struct http_req *req, struct crew *crew, const char *co_dir);

/* Append the text of a log as UTF-8; false when there is none. */
bool admin_files_read_log(struct buf *out, const char *path);

#endif
