/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_PAGE_H
#define AGENTSERVER_AS_PAGE_H

/* Pages of the events of a conversation. */
#include <stddef.h>
#include <stdint.h>

struct as_talk;
struct buf;

/* The largest number of events in a page. */
#define AS_PAGE_MOST 100

/*
 * Append {"items": [...], "next_page_id": ID or null}: up to 'most' events from
 * position 'from' on; fewer if they are large.
 */
void as_page_put(
    struct buf *out, const struct as_talk *t, uint64_t from, unsigned most);

#endif
