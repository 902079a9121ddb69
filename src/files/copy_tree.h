/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef FILES_COPY_TREE_H
#define FILES_COPY_TREE_H

/*
 * Copying a folder with all that is in it. A link is copied as a link, so that
 * nobody who may write into the folder can make us read what is outside of it.
 * Sockets, pipes and devices are left out, and so is what disappears meanwhile.
 * A file that grows is copied as far as it reached. Modes and times are kept.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct copy_count {
	size_t files;
	uint64_t bytes;
};

/*
 * Copy what is in the folder 'from' into the folder 'to', which exists; names
 * in skip, which ends with NULL, are left out of the first level. What is
 * copied is synced. Blocks. Returns 0, or -1 with ERR_STORE.
 */
int copy_tree(const char *from, const char *to, const char *const *skip,
    struct copy_count *count, struct err *err);

#endif
