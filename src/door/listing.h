/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_LISTING_H
#define DOOR_LISTING_H

/*
 * Lists of sessions for HTTP requests. Most of the time of a list goes into the
 * checksums of rows, so it depends on how large these are. So a list is made
 * over several ticks of the event loop, each of which examines a bounded part,
 * and the loop serves others in between.
 */
#include "base/buf.h"

#include <stdint.h>

struct door_setup;
struct err;
struct listing_run;
struct http_req;
struct session_query;
struct session_record;

/* A list that is complete, or has failed. */
struct listing {
	struct http_req *req; /* NULL: none */
	const struct door_setup *setup;
	struct buf out; /* the head, and the records, separated by commas */
	uint64_t next;	/* place from which a further list goes on; 0: none */
	const struct err *err; /* NULL: success */
	void *arg;	       /* of listing_begin() */
};

/* What a list looks like. */
struct listing_form {
	const char *head; /* what is in front of the records */
	/* Append a record, or nothing. It must not call the session API. */
	void (*put)(struct buf *out, const struct session_record *r);
	/* Reply to the request, or go on with it. */
	void (*finish)(struct listing *l);
	/* After so many ticks the list ends, with 'next'; 0: any number. */
	unsigned most_ticks;
	/* The client left before that: free arg. NULL: nothing to free. */
	void (*forget)(void *arg);
};

/*
 * Make the list that the query asks for, in parts; query->most_seen limits the
 * rows of all parts together, and most_bytes and n_seen are set here. The query
 * is copied. form->finish is called once, now or later, unless the client leaves
 * before.
 */
void listing_begin(struct http_req *req, const struct door_setup *setup,
    const struct listing_form *form, const struct session_query *query,
    void *arg);

/*
 * The same for a client without a request: the caller must stop it when the
 * client leaves. Returns NULL if the list is finished already.
 */
struct listing_run *listing_start(const struct door_setup *setup,
    const struct listing_form *form, const struct session_query *query,
    void *arg);

/*
 * Stop a list that is not finished, with form->forget, and null *m; does nothing
 * if it is NULL.
 */
void listing_stop(struct listing_run **m);

#endif
