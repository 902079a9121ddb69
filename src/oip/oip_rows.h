/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_ROWS_H
#define OIP_OIP_ROWS_H

/*
 * Sockets that are sent rows in place of events (doc/oip.txt 15), and pages of
 * rows as the answer to a command. What follows the cursor is read by
 * oip_conn.c, as for other clients.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct json;
struct oip_conn;

/* Where a client wants its rows to begin. */
struct oip_rows {
	bool is_asked;	 /* it wants rows */
	bool has_cursor; /* after pos in epoch; else only new ones */
	uint64_t epoch;
	uint64_t pos;
};

/* Read "rows" of a CONNECT. Returns NULL, or the complaint for the client. */
const char *oip_rows_read(struct oip_rows *rows, const struct json *frame);

/*
 * Whether what the client knows is of another journal: it must be told so, and
 * gets all that there is.
 */
bool oip_rows_are_void(
    const struct oip_rows *rows, const struct oip_conn *c, uint64_t head);

/*
 * Append what CONNECTED has for such a client: ,"epoch": and so on. head must
 * have been read before anything else of the session, so that the rows after it
 * tell what has changed since.
 */
void oip_rows_put_state(struct buf *out, struct oip_conn *c, uint64_t head);

/* Let a client that was greeted read its rows. */
void oip_rows_attach(
    struct oip_conn *c, const struct oip_rows *rows, uint64_t head);

/* ROWS. */
void oip_rows_page(struct oip_conn *c, const struct json *frame);

#endif
