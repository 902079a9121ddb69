/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_LISTS_PAGE_H
#define ACCESS_LISTS_PAGE_H

/*
 * What is in the trust lists of .co (access/lists.h), for people: the beginning
 * of each, or what a search finds in it. On any thread but the loop's, since it
 * reads the files whole.
 */
struct buf;

/* The most entries of one list in a page. */
#define LISTS_PAGE 500

/*
 * Append {"admins":{"total":2,"entries":["0x...",...]},"contacts":...,
 * "whitelist":...,"blocklist":...}: entries as they are written in the files, in
 * their order, and only those that contain query in any case; total is the
 * number of those. A list that cannot be read has "error" and no entries.
 */
void lists_page(struct buf *out, const char *co_dir, const char *query);

#endif
