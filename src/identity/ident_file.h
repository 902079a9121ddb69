/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_FILE_H
#define IDENTITY_IDENT_FILE_H

/* Small files that are read and written whole. */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/*
 * Read at most size bytes of a file. Returns how many, size if there may be
 * more; -1 if there is no such file; -2 with ERR_CONFIG if it cannot be read.
 */
ssize_t ident_file_read(
    const char *path, void *out, size_t size, struct err *err);

/* A file as it shall be. */
struct ident_file {
	const char *path;
	mode_t mode;
	bool may_replace; /* else a file that is there is an error */
};

/*
 * Write a file: a temporary one beside it gets the mode and the bytes and is
 * synced before it has the name, then the folder is synced. Returns 0, or -1
 * with ERR_CONFIG and nothing of it left.
 */
int ident_file_write(
    const struct ident_file *file, const void *p, size_t n, struct err *err);

#endif
