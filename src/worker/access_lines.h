/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_ACCESS_LINES_H
#define WORKER_ACCESS_LINES_H

/*
 * The access log of a worker: what net/http_access.h tells becomes lines of
 * status/access_log.h.
 */
struct access_log;
struct conf;

/*
 * Begin, before the HTTP server is made. Returns NULL if access_log is off. The
 * caller closes it after the server is gone.
 */
struct access_log *access_lines_begin(const struct conf *c, unsigned slot);

#endif
