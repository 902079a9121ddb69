/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_SWAP_H
#define TOOLS_TOOL_SWAP_H

/*
 * Writing a whole file of the project so that readers, and a crash, find the
 * old or the new content and never a part: the content goes into a temporary
 * file beside it, which then takes its name.
 */
#include "core/err.h"

#include <stddef.h>

struct stat;
struct tool_root;

/*
 * Create a file, with the folders that are missing. Returns 0 with *st as it is
 * on disk, or -1 if it exists already, or cannot be written.
 */
int tool_swap_new(const struct tool_root *r, const char *path,
    const char *content, size_t len, struct stat *st, struct err *err);

/*
 * Replace a file, which keeps its mode, and its owner if we may give files
 * away. 'was' is what was read of it: if it has changed since, it stays.
 */
int tool_swap_old(const struct tool_root *r, const char *path,
    const char *content, size_t len, const struct stat *was, struct err *err);

#endif
