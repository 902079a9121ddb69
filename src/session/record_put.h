/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_RECORD_PUT_H
#define SESSION_RECORD_PUT_H

/*
 * The rows by which a commit stores what is known about a session: its number
 * under its id, and its record.
 */
#include <stdbool.h>

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

#endif
