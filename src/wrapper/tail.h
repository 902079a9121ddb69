/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_TAIL_H
#define WRAPPER_TAIL_H

/* The end of a file, as tail(1) shows it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copy the last lines of a file to standard output and, if is_following, wait
 * for more, until the process is ended or nobody reads. A file that was
 * replaced is opened again. Returns false, with a text in why, if the file
 * cannot be read.
 */
bool tail(
    const char *path, int64_t lines, bool is_following, char *why, size_t size);

#endif
