/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_FAILURE_H
#define MAIN_FAILURE_H

/*
 * A start that fails says why to everybody who waits for it: on standard error,
 * in the log, and to the service manager (sd_notify(3): STATUS and ERRNO), which
 * would else be silent until its own time is over. From failure_watch() to
 * failure_over(), fatal() tells by itself.
 */
#include <stddef.h>

struct passwd;

/* The start begins. log is the file of option --log (NULL: none); borrowed. */
void failure_watch(const char *log);

/* Whom the log belongs to (NULL: us), once that is known; borrowed. */
void failure_know_user(const struct passwd *user);

/* The log is open: what is logged is in it. */
void failure_has_log(void);

/* Tell why; text is one line. */
void failure_tell(const char *text);

/* Show n bytes that say more, such as a traceback: on standard error and in the
 * log. */
void failure_show(const char *text, size_t n);

/* It serves, and nobody waits for the start any more. */
void failure_over(void);

#endif
