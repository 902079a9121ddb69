/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The process log: one event, one line, so that processes may share the file
 * (base/lines.h says when it is written; warnings and errors at once). A line is
 *
 *	2026-01-31T12:00:00.000Z info worker[2] pid=4711: text
 *
 * Text is object first, key=value. Control characters in it are escaped, so a
 * peer cannot forge a line. Thread-safe. panic() is for our bugs, fatal() for a
 * machine that failed us; both log and end the process.
 */
#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Returns the word of a level, as it is in lines. */
const char *log_level_word(enum log_level level);

/*
 * Log to path (opened for append, created with mode 0640), or to standard error
 * if NULL. Returns 0, or -1 with errno.
 */
int log_open(const char *path);

/*
 * The same with fd, a file that the caller has opened for append and gives
 * away; path is its name, for log_reopen().
 */
void log_use(int fd, const char *path);

/*
 * Open the path again, after rotation. Does nothing for standard error. Returns
 * 0, or -1 with errno, and then the old file stays in use.
 */
int log_reopen(void);

/*
 * Set the name of this process in log lines, such as "master" or "worker[2]";
 * copied.
 */
void log_name(const char *name);

/*
 * Set whether lines are JSON objects with time, level, process, pid and text;
 * initially they are not.
 */
void log_json(bool is_json);

/* Set the lowest level that is written; initially LOG_INFO. */
void log_threshold(enum log_level level);

/* One line at debug level: details for a developer. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line at info level: something an operator asked for. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line at warn level: something that needs attention. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns how many warnings this process has logged. */
unsigned log_n_warnings(void);

/* One line at error level: something that lost work. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The machine failed us: log and end the process at once with status 1. */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* We have a bug: log what was believed and abort(). */
void panic(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Set a function that fatal() and panic() call with their text after logging
 * it, with errno preserved; NULL for none. fn may log; a fatal() inside fn does
 * not call it again.
 */
void log_on_fatal(void (*fn)(const char *text));

/*
 * From now on put each line into a ring in shared memory (base/log_ring.h) as
 * well.
 */
struct log_ring;
void log_into(struct log_ring *ring);

/*
 * Set a buffer of n bytes, in memory that outlives the process, where fatal()
 * and panic() also leave their text (with NUL), so that the master can report
 * the last words of a dead child.
 */
void log_last_words(char *where, size_t n);

#endif
