/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_RECORD_PUT_H
#define SESSION_RECORD_PUT_H

/*
 * The rows by which a commit stores what is known about a session: its number
 * under its id, and its record.
 */
struct commit;
struct record;
struct session;

/*
 * Add the row that maps the id of a session to its number. It is written once.
 */
void record_put_id(struct commit *c, const struct session *s);

/* Add the record of session s, and a row in the feed (store/feed.h). */
void record_put(
    struct commit *c, const struct session *s, const struct record *r);

#endif
