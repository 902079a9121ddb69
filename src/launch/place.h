/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LAUNCH_PLACE_H
#define LAUNCH_PLACE_H

/*
 * Files and folders that root creates for the user that it will become.
 * Whatever the user can do is done as the user: then it does not matter where
 * its links lead. Root itself writes only where all folders on the path belong
 * to root alone, so that nobody can substitute something else. user is NULL if
 * we are that user already.
 */
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct passwd;

/*
 * Open a file for the user, who owns it if it is new; 'what' names it in
 * messages ("log"). Returns a descriptor, or -1 with ERR_CONFIG.
 */
int place_open(const char *what, const char *path, int flags, mode_t mode,
    const struct passwd *user, struct err *err);

/* Whether the user may create files beside this one. */
bool place_is_users(const char *path, const struct passwd *user);

/* Whether only root can change what the path refers to. */
bool place_is_roots(const char *path);

/*
 * Create a folder for the user, or give them one that root has created; not one
 * behind a link. Returns 0, or -1 with ERR_CONFIG.
 */
int place_make_folder(
    const char *path, const struct passwd *user, struct err *err);

#endif
