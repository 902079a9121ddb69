/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_PRIVATE_FILE_H
#define WRAPPER_PRIVATE_FILE_H

/*
 * Files for the programs of agents, in a temporary folder of this process that
 * nobody else can read or write. They have no secrets, since a process that is
 * killed leaves them behind.
 */

/* Write a file. Returns its path, valid until private_file_clear(), or NULL. */
const char *private_file(const char *name, const char *text);

/* Remove the file and the folder. */
void private_file_clear(void);

#endif
