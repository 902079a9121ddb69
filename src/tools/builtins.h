/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_BUILTINS_H
#define TOOLS_BUILTINS_H

/*
 * The toolbox of the built-in tools: bash, read_file, write, edit, glob, grep
 * and todo. Names, arguments and results are those of ConnectOnion's tools
 * (doc/tools.txt). They work in the project folder and as the user of the
 * agent.
 */
#include "core/agent.h"
#include "core/tool.h"

#include <stdbool.h>

/* What tools of a project need. Borrowed for the call, but the loop. */
struct tools_setup {
	const struct agent_spec *spec; /* folders, user and limits */
	struct loop *loop;
};

/*
 * Whether there is a tool with this name; of ask_user, which is part of the
 * agent loop, as well.
 */
bool builtins_have(const char *name);

/*
 * Open the toolbox. names: the tools that it offers, NULL-terminated and
 * borrowed for the call; NULL: all. Returns NULL with ERR_CONFIG.
 */
struct toolbox *builtins_open(
    const struct tools_setup *setup, const char *const *names, struct err *err);

#endif
