/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_LIST_H
#define AGENTSERVER_AS_LIST_H

/* Lists of conversations. */
#include <stddef.h>
#include <stdint.h>

struct buf;
struct door_setup;
struct err;

/*
 * Append {"items": [...], "next_page_id": PLACE or null}: up to 'most'
 * conversations that belong to nobody and whose ids are UUIDs, the newest
 * first, from place 'before' on (0: the newest of all). Returns 0, or -1 with
 * ERR_STORE.
 */
int as_list_put(struct buf *out, const struct door_setup *setup,
    uint64_t before, unsigned most, struct err *err);

/*
 * Append an array with the conversation of each id in a text like
 * "ID,ID&ids=ID", null where there is none. Returns 0, or -1 with
 * ERR_BAD_REQUEST if one is no UUID or there are too many.
 */
int as_list_put_some(struct buf *out, const struct door_setup *setup,
    const char *query, struct err *err);

#endif
