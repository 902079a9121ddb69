/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_UPLOAD_H
#define FILES_UPLOAD_H

/*
 * The rules of uploads: which images and files a prompt may contain, how a file
 * is named on disk, and when it expires. No threads and no state;
 * files/uploads.h saves them.
 */
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct agent_file;
struct conf;
struct err;
struct json;

/* The longest safe name, in bytes without NUL. */
#define UPLOAD_NAME_MAX 180

/*
 * Check the images and files of a prompt (each may be NULL: none) against the
 * limits. Whether the base64 of a file decodes is found out when it is saved.
 * Returns 0, or -1 with ERR_BAD_REQUEST and the text for the client.
 */
int upload_check(const struct json *images, const struct json *files,
    const struct conf *conf, struct err *err);

/*
 * Returns the base64 text of a file's data: all of it or, in a data URL, what
 * follows the first comma. NULL if a data URL has no comma.
 */
const char *upload_payload(const char *data, size_t len, size_t *payload_len);

/*
 * Write a name that is safe on disk and in a prompt to out: the last path
 * segment without control characters, angle brackets and leading dots, at most
 * UPLOAD_NAME_MAX bytes of UTF-8 with the extension kept; "upload" if nothing
 * is left.
 */
void upload_name(char out[UPLOAD_NAME_MAX + 1], const char *name, size_t len);

/*
 * Remove the uploads in dir that are older than this; other files stay. Returns
 * how many were removed, or -1 if dir cannot be read (a missing one counts as
 * empty). Blocks on the disk.
 */
int upload_sweep(const char *dir, int64_t older_than_ms);

/*
 * Returns the size on disk of the uploads in dir in bytes, 0 if it cannot be
 * read. Blocks on the disk.
 */
int64_t upload_total(const char *dir);

/* Remove saved files whose prompt was refused in the end. */
void upload_discard(const struct agent_file *files, size_t n);

#endif
