/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PLACE_H
#define MAIN_PLACE_H

/*
 * Places where root makes something for the user that it will become. What the
 * user may do, the user does: then it does not matter where his links lead. Root
 * itself writes only where all folders on the way are root's alone, so that
 * nobody can put something else there. user is NULL if we are him already.
 */
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct passwd;

/*
 * Open a file for the user, who owns it if it is new; what names it in messages
 * ("log"). A descriptor, or -1 with ERR_CONFIG.
 */
int place_open(const char *what, const char *path, int flags, mode_t mode,
    const struct passwd *user, struct err *err);

/* Whether the user may make files beside this one. */
bool place_is_users(const char *path, const struct passwd *user);

/* Whether only root can change what the path leads to. */
bool place_is_roots(const char *path);

/*
 * Make a folder for the user, or give him one that root has made; not one that
 * a link leads to. 0, or -1 with ERR_CONFIG.
 */
int place_make_folder(
    const char *path, const struct passwd *user, struct err *err);

#endif
