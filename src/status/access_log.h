/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef STATUS_ACCESS_LOG_H
#define STATUS_ACCESS_LOG_H

/*
 * The access log of a process: a line for each request and for the life of each
 * WebSocket. Lines are collected in memory and written by a thread, so that no
 * disk and no system log holds up the caller. If 16 pieces of 64 KiB wait to be
 * written, further lines are dropped and counted (access_lines_lost_total), as
 * those are that cannot be written.
 *
 * All calls are for one thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access_log;

/* What a line says. Texts may be NULL, which is "-". */
struct access_line {
	const char *peer;
	const char *who;
	const char *method;
	size_t method_len;
	const char *path; /* as sent; anything unusual in it is escaped */
	size_t path_len;
	const char *route;
	size_t route_len;
	const char *id;
	size_t id_len;
	int status;
	uint64_t bytes_in;
	uint64_t bytes_out;
	int64_t took_us;
};

/*
 * Open it. where is "syslog", or the path of a file that is created with mode
 * 0640; a file that cannot be opened is logged, and tried again by
 * access_log_reopen(). is_json: lines are JSON objects. slot is ours, for the
 * lines. Never returns NULL.
 */
struct access_log *access_log_open(
    const char *where, bool is_json, unsigned slot);

/* Add a line with the present time. */
void access_log_add(struct access_log *log, const struct access_line *line);

/* Have written what was added. Call it some times a second. */
void access_log_flush(struct access_log *log);

/*
 * Write what was added to the present file, and open the path again. If that
 * fails, the present file stays in use.
 */
void access_log_reopen(struct access_log *log);

/* Write what was added, free, and null *log; NULL is allowed. */
void access_log_close(struct access_log **log);

#endif
