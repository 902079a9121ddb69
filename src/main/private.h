/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PRIVATE_H
#define MAIN_PRIVATE_H

/*
 * A private folder and everything in it is accessible to its owner only, no
 * matter what created it: for one, the Python package writes files there for a
 * python: agent and leaves their mode to the umask. New files become private by
 * a default ACL, which overrides the umask; on a file system without ACLs, the
 * mode of the folders has to do.
 *
 * A guest is the user that agents run as, if that is not the owner: it may read
 * uploads, read and write logs and evals, and nothing else.
 */
#include <stdbool.h>
#include <stddef.h>

struct passwd;

/*
 * Make the folder .co private, except for guest (NULL: nobody). Returns how
 * many files and folders in it, itself included, were accessible to others.
 * Files of other users are left alone, and links are not followed.
 */
size_t private_make(const char *folder, const struct passwd *guest);

/*
 * Whether the guest was granted access; without ACLs in the file system that is
 * impossible.
 */
bool private_admits(const char *folder, const struct passwd *guest);

#endif
