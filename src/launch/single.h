/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_SINGLE_H
#define LAUNCH_SINGLE_H

/*
 * Only one server at a time may work with some files. A lock file keeps others
 * out for as long as a process of the server lives.
 */
struct passwd;

/*
 * Take the lock at path for as long as this process, or another that has
 * inherited the returned descriptor, lives. If a server has it already, the
 * process ends with a message that names what it serves and gives the hint.
 * Processes left behind by a dead server get a moment to leave, and are then
 * killed. user is who will serve, NULL if we are that user already.
 */
int single_lock(const char *path, const char *what, const char *hint,
    const struct passwd *user);

#endif
