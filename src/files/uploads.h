/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_UPLOADS_H
#define FILES_UPLOADS_H

/*
 * The uploads of one process: files are decoded and written as jobs of a crew
 * of one thread (proc/crew.h), so that the loop never waits for the disk. Jobs
 * are processed in order.
 *
 * Life cycle: uploads_new, uploads_save ..., uploads_collect after on_ready was
 * called, uploads_free.
 */
#include <stddef.h>

struct agent_file;
struct conf;
struct err;
struct json;
struct uploads;

/* The maximum number of jobs, which bounds the memory of those that wait. */
#define UPLOADS_MAX_JOBS 8192

/*
 * Receives the result of a job: err NULL and n files with absolute paths, which
 * the callee then owns (free() each name and path, and the array); or err set,
 * files NULL and nothing left on disk (ERR_BAD_REQUEST: base64; ERR_FULL:
 * uploads_quota; ERR_STORE: disk).
 */
typedef void uploads_done_fn(
    void *arg, struct agent_file *files, size_t n, const struct err *err);

/*
 * Save into dir, which is created (0700) with the first file and must not be a
 * symbolic link. conf must outlive the object. on_ready(arg) is called on the
 * background thread when there is something to collect. fatal() if no thread
 * can be started.
 */
struct uploads *uploads_new(const char *dir, const struct conf *conf,
    void (*on_ready)(void *arg), void *arg);

/*
 * Save files that upload_check() has accepted (names and data are copied). done
 * is called once, by a later uploads_collect(), unless uploads_free() is called
 * before. Returns 0, or -1 with ERR_CROWDED if too many jobs wait; done is not
 * called then.
 */
int uploads_save(struct uploads *u, const struct json *files,
    uploads_done_fn *done, void *arg, struct err *err);

/*
 * Call done for each finished job, on the loop's thread; done may save again.
 */
void uploads_collect(struct uploads *u);

/*
 * End the thread after the file it is writing, free everything, and null *u.
 * Jobs that were not collected get no call, and leave no file.
 */
void uploads_free(struct uploads **u);

#endif
