/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_BUILTINS_H
#define TOOLS_BUILTINS_H

/*
 * The table of the built-in tools: bash, read_file, write, edit, glob, grep and
 * todo. Names, arguments and results are those of ConnectOnion's tools
 * (doc/tools.txt).
 */
#include "core/tool.h"
#include "tools/tool_file.h"

enum builtin_kind { BUILTIN_FILE, BUILTIN_BASH, BUILTIN_TODO };

struct builtin {
	struct tool tool;
	enum builtin_kind kind;
	tool_file_fn *work; /* of BUILTIN_FILE */
};

/* Returns the i-th, from 0, or NULL behind the last one. */
const struct builtin *builtins_at(size_t i);

#endif
