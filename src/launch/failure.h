/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_FAILURE_H
#define LAUNCH_FAILURE_H

/*
 * Reporting a failed start to everybody who waits for it: on standard error, in
 * the log, and to the service manager (sd_notify(3): STATUS and ERRNO), which
 * would otherwise wait for its own timeout. From failure_watch() to
 * failure_over(), fatal() reports in this way.
 */
#include <stddef.h>

struct passwd;

/* The start begins. log is the file of option --log (NULL: none); borrowed. */
void failure_watch(const char *log);

/* Set the user who owns the log (NULL: us), once known; borrowed. */
void failure_know_user(const struct passwd *user);

/* The log is open: what is logged is written there. */
void failure_has_log(void);

/* Report the reason; text is one line. */
void failure_tell(const char *text);

/*
 * Show n bytes of further detail, such as a traceback, on standard error and in
 * the log. Does nothing if n is 0; text may then be NULL.
 */
void failure_show(const char *text, size_t n);

/* The server serves, and nobody waits for the start any more. */
void failure_over(void);

#endif
