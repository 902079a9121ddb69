/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_FILES_H
#define TOOLS_TOOL_FILES_H

/*
 * What the tools do that work on files (doc/tools.txt), each in a file of its
 * own. Their arguments fit the schemas in tools/builtins.c. They run on a
 * thread, look often whether they are to stop, and limit what they read.
 */
#include "tools/tool_file.h"

/* The largest file that edit changes, and that write makes. */
#define TOOL_FILES_MAX ((size_t)16 << 20)

tool_file_fn tool_read, tool_write, tool_edit, tool_glob, tool_grep;

#endif
