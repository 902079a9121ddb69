/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_USER_H
#define TOOLS_TOOL_USER_H

/*
 * The user as which tools open files: that of the agent's processes. A thread
 * of a server with the right to become this user can do so for itself alone,
 * and only as far as files are concerned.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tool_user {
	bool is_other; /* false: we are this user */
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	size_t n_groups;
};

/*
 * Look up a user; "" is ours. Ends the process if there is none with this name.
 */
void tool_user_find(struct tool_user *u, const char *name);

/*
 * Make this thread access files as the user, until it ends. Returns false with
 * errno if that is not allowed.
 */
bool tool_user_become(const struct tool_user *u);

#endif
