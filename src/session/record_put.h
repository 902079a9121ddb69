/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_RECORD_PUT_H
#define SESSION_RECORD_PUT_H

/*
 * The rows by which a commit stores what is known about a session: its number
 * under its id, and its record. And their removal.
 */
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commit;
struct commit_put;
struct record;
struct session;

/*
 * Add the row that maps the id of a session to its number. It is written once.
 */
void record_put_id(struct commit *c, const struct session *s);

/*
 * Add the record of session s, and a row in the feed (store/feed.h). Returns
 * the row, which the commit owns.
 */
struct commit_put *record_put(
    struct commit *c, const struct session *s, const struct record *r);

/*
 * Add a record for a session in which nothing was said, which belongs to this
 * caller. If there is one already, it is replaced only if may_replace.
 */
void record_put_idle(struct commit *c, const struct session *s,
    const char *caller, bool may_replace);

/*
 * In a transaction on facts: delete the rows of a session, which has no turn
 * and no waiting input. Claims of its inputs stay until they expire, so that
 * one that is repeated does not run again.
 */
void record_remove(
    struct store_txn *t, uint64_t number, const char *id, size_t id_len);

#endif
