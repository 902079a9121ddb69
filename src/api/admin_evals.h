/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ADMIN_EVALS_H
#define API_ADMIN_EVALS_H

/*
 * The evals of a project as JSON. The call reads files, so it must not run on
 * the loop's thread.
 */
#include "base/buf.h"

/*
 * Append {"sessions":[...]}: the contents of evals/ and sessions/ under co_dir,
 * newest first by "updated", with the totals of their turns. Unreadable files
 * are skipped with a line in the log.
 */
void admin_evals_read(struct buf *out, const char *co_dir);

#endif
