/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_MODE_H
#define BASE_MODE_H

/*
 * Who may use a file that we make: we alone, and whom an ACL of the folder lets
 * in. The group bits of a folder with an ACL are the most it lets anybody do.
 */
#include <sys/stat.h>

/* The mode of a new file in an open folder, where mode is what we may do. */
static inline mode_t mode_in(int folder, mode_t mode)
{
	struct stat st;
	mode_t guests =
	    fstat(folder, &st) == 0 ? st.st_mode & S_IRWXG : (mode_t)0;

	return mode | (mode >> 3 & guests);
}

#endif
