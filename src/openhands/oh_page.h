/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_PAGE_H
#define OPENHANDS_OH_PAGE_H

/*
 * Some of a conversation's events, by their ids, which are consecutive: so the
 * ids of a page are known before it is read. Events that are no longer kept are
 * left out.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct session;

struct oh_page {
	int64_t first; /* ids, both inclusive */
	int64_t last;
	bool is_reverse;  /* the last one comes first */
	int64_t began_us; /* when the conversation began: the time of id 0 */
};

/* The most events of one page. */
#define OH_PAGE_MAX 100

/* Returns the id of the newest event; 0: the conversation only began. */
int64_t oh_page_newest(const struct session *s);

/* Append the events, with commas between them. first is not negative. */
void oh_page_put(
    struct buf *out, const struct session *s, const struct oh_page *page);

#endif
