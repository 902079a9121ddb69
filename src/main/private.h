/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PRIVATE_H
#define MAIN_PRIVATE_H

/*
 * A private folder is for its owner alone, with all that is in it, whoever made
 * it: what the Python package writes there for a python: agent, for one, which
 * leaves its files to the umask. New files are made so by a default ACL, which
 * beats the umask; a file system without ACLs has the mode of the folders.
 *
 * A guest is the user that agents run as, if that is not the owner: he may read
 * uploads, read and write logs and evals, and nothing else.
 */
#include <stdbool.h>
#include <stddef.h>

struct passwd;

/*
 * Make the folder .co private, but for guest (NULL: nobody). Returns how many
 * files and folders in it, itself included, were open to others. What belongs to
 * another user is left as it is, and links are not followed.
 */
size_t private_make(const char *folder, const struct passwd *guest);

/*
 * Whether the guest was let in; without ACLs in the file system he cannot be.
 */
bool private_admits(const char *folder, const struct passwd *guest);

#endif
