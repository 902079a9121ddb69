/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOL_ROOT_H
#define TOOLS_TOOL_ROOT_H

/*
 * The folder of the project, out of which no file tool gets. The kernel
 * resolves every path below the open folder (openat2), so that neither "..",
 * nor an absolute path, nor a symbolic link leads out of it, whatever other
 * processes do meanwhile. Within it the control files (core/permit_path.h) and
 * .env, which has secrets, are out of reach as well, also by the other names
 * that hard links give them.
 *
 * All calls may block and are safe from any thread. Errors are ERR_FORBIDDEN,
 * ERR_NOT_FOUND or ERR_BAD_REQUEST, with a text for the model.
 */
#include "core/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct stat;

struct tool_root {
	int fd;	    /* the open folder */
	char *path; /* its real path, without a slash at the end */
};

/* Open a folder. Returns 0, or -1 with ERR_CONFIG. */
int tool_root_open(struct tool_root *r, const char *path, struct err *err);

/* Close it; harmless if it is {.fd = -1}. */
void tool_root_close(struct tool_root *r);

/*
 * Returns the path relative to the root: an absolute path within it loses its
 * beginning. "" and the root itself are ".".
 */
const char *tool_root_relative(const struct tool_root *r, const char *path);

/* Open an existing regular file to read. Returns a descriptor, or -1. */
int tool_root_file(
    const struct tool_root *r, const char *path, struct err *err);

/* Open an existing folder. Returns a descriptor, or -1. */
int tool_root_folder(
    const struct tool_root *r, const char *path, struct err *err);

/*
 * Open the folder that holds path, which need not exist itself, and return a
 * descriptor, or -1. Missing folders are made if makes_folders. *name is the
 * last part of the path, within it.
 */
int tool_root_parent(const struct tool_root *r, const char *path,
    bool makes_folders, const char **name, struct err *err);

/*
 * Returns the path, relative to the root, of an open file below it, with no
 * links in it; free() it. NULL if it is not known.
 */
char *tool_root_name(const struct tool_root *r, int fd);

/* Whether the file tools leave a path, relative to the root, alone. */
bool tool_root_is_private(const char *path);

/*
 * Whether a file below the root, as stat() described it, is one of those: it may
 * be a hard link to .env in the root itself, or to what is private in .co.
 */
bool tool_root_is_private_file(
    const struct tool_root *r, const struct stat *file);

#endif
