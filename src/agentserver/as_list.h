/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_LIST_H
#define AGENTSERVER_AS_LIST_H

/* Lists of conversations. */
#include <stdint.h>

struct buf;
struct door_setup;
struct err;
struct http_req;

/*
 * Reply {"items": [...], "next_page_id": PLACE or null}, now or later: up to
 * 'most' conversations that belong to nobody and whose ids are UUIDs, the newest
 * first, from place 'before' on (0: the newest of all).
 */
void as_list_answer(struct http_req *req, const struct door_setup *setup,
    uint64_t before, unsigned most);

/*
 * Append an array with the conversation of each id in a text like
 * "ID,ID&ids=ID", null where there is none. Returns 0, or -1 with
 * ERR_BAD_REQUEST if one is no UUID or there are too many.
 */
int as_list_put_some(struct buf *out, const struct door_setup *setup,
    const char *query, struct err *err);

#endif
