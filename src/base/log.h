/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The process log: one event, one line, one write(2), so that processes may
 * share the file. A line is
 *
 *	2026-01-31T12:00:00.000Z info worker[2] pid=4711: text
 *
 * Text is object first, key=value. Control characters in it are escaped, so a
 * peer cannot forge a line. Thread-safe. panic() is for our bugs, fatal() for a
 * machine that failed us; both log and end the process.
 */
#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/*
 * Log to path (append, 0640), or to stderr
 * when NULL. Returns 0, or -1 with errno.
 */
int log_open(const char *path);

/*
 * The same with a file that the caller has opened, and gives away: fd is path,
 * opened to append.
 */
void log_use(int fd, const char *path);

/*
 * Open the path again (after rotation); a
 * no-op for stderr. 0, or -1 with errno.
 */
int log_reopen(void);

/* Who is speaking in this process, such as "master" or "worker[2]"; copied. */
void log_name(const char *name);

/* Lowest level that is written; LOG_INFO at first. */
void log_threshold(enum log_level level);

/* One line at debug level: what a developer asked to see. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line at info level: what an operator asked for. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line at warn level: what needs eyes. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line at error level: what lost work. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The machine failed us: log and end the process with status 1, at once. */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* We were wrong: log what was believed and abort(). */
void panic(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/*
 * What fatal() and panic() call with their text after it was logged, errno as it
 * was; NULL: nothing. fn may log; a fatal() in it does not call it again.
 */
void log_on_fatal(void (*fn)(const char *text));

/*
 * Where fatal() and panic() also leave their text (n bytes with NUL, in memory
 * that outlives the process), so that the master can tell a dead child's last
 * words.
 */
void log_last_words(char *where, size_t n);

#endif
