/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_LINK_FRAME_H
#define LINK_LINK_FRAME_H

/*
 * Frames between a relay and a host. The relay adds to each frame of a client
 * the session id by which it was asked, and, if it knows how, the id of the
 * client's connection; a host repeats them in its answers. Pure functions.
 */
#include "base/json.h"

#include <stddef.h>

/* The longest id of a connection, in bytes. */
#define LINK_FRAME_CONN_MAX 200

enum link_frame_kind {
	LINK_FRAME_BAD,	   /* not a frame of this protocol */
	LINK_FRAME_CLIENT, /* from a client */
	LINK_FRAME_CLOSE,  /* the client is gone */
	LINK_FRAME_OK,	   /* the relay accepted our ANNOUNCE */
	LINK_FRAME_ERROR,  /* the relay refused something of ours */
	LINK_FRAME_ASIDE,  /* the relay's own, nothing to do */
};

/* A frame from the relay; {0} owns nothing. */
struct link_frame {
	enum link_frame_kind kind;
	struct buf session; /* of CLIENT and CLOSE; un-escaped, as the others */
	struct buf conn; /* empty: the relay tells clients apart by session */
	struct buf text; /* of ERROR */
};

/*
 * Read n bytes from the relay into *f, whose earlier contents are dropped. doc
 * is scratch memory of the caller.
 */
void link_frame_read(
    struct link_frame *f, struct json_doc *doc, const char *text, size_t len);

/*
 * Read the ids in the beginning of a frame whose rest has not come: f is CLIENT
 * with those that are there, or BAD if there is none.
 */
void link_frame_peek(struct link_frame *f, const char *text, size_t len);

/* Free what f owns. */
void link_frame_fini(struct link_frame *f);

/* Where the frames of one client go; conn is "" if the relay gave none. */
struct link_frame_place {
	const char *session;
	const char *conn;
};

/*
 * Append a frame of ours, valid JSON, with what routes it to its client: with
 * conn, beside the frame's own session id if it has one; without, the session
 * id is the route and replaces the frame's. Text that is no object is left out.
 */
void link_frame_stamp(struct buf *out, const struct link_frame_place *place,
    const char *text, size_t len);

/* Append the frame that ends the connection of a client. */
void link_frame_end(struct buf *out, const struct link_frame_place *place,
    int code, const char *reason);

#endif
