/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_UPLOAD_H
#define FILES_UPLOAD_H

/*
 * The rules of uploads: which images and files a prompt may bring, how a file
 * is named on disk, and when it is too old. No thread and no state here;
 * files/uploads.h saves them.
 */
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct agent_file;
struct conf;
struct err;
struct json;

/* Longest safe name, in bytes without NUL. */
#define UPLOAD_NAME_MAX 180

/*
 * Check the images and files of a prompt (each may be NULL: none) against the
 * limits. Whether the base64 of a file decodes is found when it is saved. 0, or
 * -1 with ERR_BAD_REQUEST and the text for the client.
 */
int upload_check(const struct json *images, const struct json *files,
    const struct conf *conf, struct err *err);

/*
 * The base64 text of a file's data: what follows the first comma of a data URL,
 * or all. NULL when there is no comma.
 */
const char *upload_payload(const char *data, size_t len, size_t *payload_len);

/*
 * Write a name that is safe on disk and in a prompt to out: the last path
 * segment without control characters, angle brackets and leading dots, at most
 * UPLOAD_NAME_MAX bytes of UTF-8 with the extension kept; "upload" when nothing
 * is left.
 */
void upload_name(char out[UPLOAD_NAME_MAX + 1], const char *name, size_t len);

/*
 * Remove the uploads in dir that are older than so many milliseconds; other
 * files stay. Returns how many went, or -1 when dir cannot be read (absent
 * counts as empty). Blocks on the disk.
 */
int upload_sweep(const char *dir, int64_t older_than_ms);

/*
 * Bytes on disk of the uploads in dir, 0 when
 * it cannot be read. Blocks on the disk.
 */
int64_t upload_total(const char *dir);

/* Remove saved files whose prompt was refused after all. */
void upload_discard(const struct agent_file *files, size_t n);

#endif
