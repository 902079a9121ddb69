/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_FILE_H
#define IDENTITY_IDENT_FILE_H

/* Small files that are read and written as a whole. These calls block. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Read at most size bytes of a file. Returns their number (size if there may be
 * more), -1 if there is no such file, or -2 with ERR_CONFIG if it cannot be
 * read or is not a regular file: a FIFO is not waited for.
 */
ssize_t ident_file_read(
    const char *path, void *out, size_t size, struct err *err);

/* A file to write. */
struct ident_file {
	const char *path;
	mode_t mode;
	bool may_replace; /* otherwise an existing file is an error */
};

/*
 * Write a file atomically: a temporary file beside it gets the mode and the
 * bytes, is synced and renamed, then the folder is synced. Returns 0, or -1
 * with ERR_CONFIG and nothing left behind.
 */
int ident_file_write(
    const struct ident_file *file, const void *p, size_t n, struct err *err);

#endif
