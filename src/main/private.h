/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_PRIVATE_H
#define MAIN_PRIVATE_H

/*
 * A private folder is for its owner alone, with all that is in it, whoever made
 * it: what the Python package writes there for a python: agent, for one, which
 * leaves its files to the umask. New files are made so by a default ACL, which
 * beats the umask; a file system without ACLs has the mode of the folders.
 */
#include <stddef.h>

/*
 * Make the folder private. Returns how many files and folders in it, itself
 * included, were open to others. What belongs to another user is left as it is,
 * and links are not followed.
 */
size_t private_make(const char *folder);

#endif
