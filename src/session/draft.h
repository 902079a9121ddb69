/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_DRAFT_H
#define SESSION_DRAFT_H

/*
 * The rows of drafts (session.h): what clients said without asking for a turn.
 * A session that is deleted takes them with it.
 */
#include <stdint.h>

struct store_txn;

/* Delete the drafts of a session up to a place, in a transaction on facts. */
void draft_delete(struct store_txn *t, uint64_t number, uint64_t upto);

#endif
