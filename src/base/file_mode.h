/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_FILE_MODE_H
#define BASE_FILE_MODE_H

/*
 * The access modes of files that we create: for us alone, and for those whom an
 * ACL of the folder admits. The group bits of a folder with an ACL are the mask
 * that limits every entry.
 */
#include <sys/stat.h>

/* Returns the mode of a new file in an open folder; mode is what we may do. */
static inline mode_t file_mode_in(int folder, mode_t mode)
{
	struct stat st;
	mode_t guests =
	    fstat(folder, &st) == 0 ? st.st_mode & S_IRWXG : (mode_t)0;

	return mode | (mode >> 3 & guests);
}

#endif
