/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_LAUNCH_H
#define LAUNCH_LAUNCH_H

/*
 * The steps of a daemon's start that do not depend on what it serves. Errors end
 * the process. user is who will serve, NULL if we are that user already.
 */
#include <stddef.h>
#include <stdint.h>

struct passwd;

/*
 * Call this first: signals for the master stay pending until it runs. So none
 * kills a starting process, or a process that the sender did not mean.
 */
void launch_hold_signals(void);

/* Write the path of our executable, for children. */
void launch_find_program(char *out, size_t size);

/*
 * Raise the limit on open files to what the system allows, which must be at
 * least 'least'.
 */
void launch_raise_limits(uint64_t least);

/*
 * Listen (master/listen.h), while we may still bind a low port, or create a file
 * in /run; or take the listener of the service manager (activation.h). name
 * (size bytes) gets the bound address. Returns the descriptor.
 */
int launch_listen(const char *where, int64_t port, const struct passwd *user,
    char *name, size_t size);

/* Open the log; "" is standard error. path is borrowed for good. */
void launch_open_log(const char *path, const struct passwd *user);

/* On a reload: warn that a setting keeps its value (core/param.h). */
void launch_warn_kept(const char *key, void *arg);

#endif
