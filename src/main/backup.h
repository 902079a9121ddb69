/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_BACKUP_H
#define MAIN_BACKUP_H

/*
 * The command backup: copies what is worth keeping of a project's .co into an
 * empty folder, from which it can be put back. A server may run at the same
 * time.
 */
struct options;

/* Write the copy into o->args[0]. Returns the exit status. */
int backup_run(const struct options *o);

#endif
