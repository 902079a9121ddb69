/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_READ_FILE_H
#define CLI_READ_FILE_H

/* Whole files that the user named; "-" is the standard input. */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Append the whole file. Returns false with a message in why (size bytes) if it
 * cannot be read or has more than max bytes.
 */
bool read_file(
    const char *path, size_t max, struct buf *out, char *why, size_t size);

/*
 * The same for a file that is never waited for: one that is not regular, such
 * as a FIFO, is refused. "-" is still the standard input.
 */
bool read_key_file(
    const char *path, size_t max, struct buf *out, char *why, size_t size);

#endif
