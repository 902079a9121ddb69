/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_UPLOADS_H
#define FILES_UPLOADS_H

/*
 * The saver of uploads of one process: decodes and writes files as jobs of a
 * crew of one thread (proc/crew.h), so that the loop never waits for the disk.
 * Jobs are done in the order they came.
 *
 * Life cycle: uploads_new, uploads_save ..., uploads_collect when on_ready was
 * called, uploads_free.
 */
#include <stddef.h>

struct agent_file;
struct conf;
struct err;
struct json;
struct uploads;

/* Most jobs at once, which bounds what waits in memory. */
#define UPLOADS_MAX_JOBS 8192

/*
 * How a job ended: err NULL and n files with absolute paths, which are now the
 * callee's (free() each name and path, and the array); or err set, files NULL
 * and nothing left on disk (ERR_BAD_REQUEST: base64; ERR_FULL: uploads_quota;
 * ERR_STORE: disk).
 */
typedef void uploads_done_fn(
    void *arg, struct agent_file *files, size_t n, const struct err *err);

/*
 * A new saver into dir, which is made (0700) when the first file comes; it must
 * not be a symbolic link. conf must outlive it. on_ready(arg) is called on the
 * saver's thread: there is something to collect. fatal() when no thread can be
 * had.
 */
struct uploads *uploads_new(const char *dir, const struct conf *conf,
    void (*on_ready)(void *arg), void *arg);

/*
 * Save files, which upload_check() has let pass (names and data are copied).
 * done is called once, by a later uploads_collect(), unless uploads_free() came
 * first. Returns 0, or -1 with ERR_CROWDED: too many jobs wait, and done is not
 * called.
 */
int uploads_save(struct uploads *u, const struct json *files,
    uploads_done_fn *done, void *arg, struct err *err);

/*
 * Call done of each job that has ended. On the loop's thread; done may save
 * again.
 */
void uploads_collect(struct uploads *u);

/*
 * End the thread after the file it is writing, free everything and null *u.
 * Jobs that were not collected get no call, and leave no file.
 */
void uploads_free(struct uploads **u);

#endif
