/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_WALK_H
#define TOOLS_TOOL_WALK_H

/*
 * A walk visits the regular files below a folder of the project, in the order
 * of their names. It follows no symbolic links, and leaves out folders that
 * hold what others made (.git, node_modules, build, ...) and what tools cannot
 * access. The number of entries and the depth are limited. It blocks; the
 * visitor can end it at any entry.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* The maximum number of entries that a walk looks at. */
#define TOOL_WALK_ENTRIES 200000

/* The maximum depth of folders. */
#define TOOL_WALK_DEPTH 64

struct tool_walk {
	const char *base; /* of the folder, relative to the root */
	/*
	 * Whether to enter a folder; path is relative to the one walked. NULL:
	 * all are entered.
	 */
	bool (*enters)(struct tool_walk *w, const char *path);
	/*
	 * A file: its name in the open folder at, its path relative to the
	 * folder walked. Returns false to end the walk.
	 */
	bool (*visit)(struct tool_walk *w, int at, const char *name,
	    const char *path, const struct stat *st);
	/* Whether to stop now. */
	bool (*is_over)(struct tool_walk *w);
	size_t n_entries;
	bool is_cut; /* there was more than the limits allow */
};

/* Walk the open folder fd, which is closed. */
void tool_walk_run(struct tool_walk *w, int fd);

#endif
