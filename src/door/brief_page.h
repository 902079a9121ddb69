/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_BRIEF_PAGE_H
#define DOOR_BRIEF_PAGE_H

/*
 * A page of the list of sessions for people (doc/oip.txt 12): from what a client
 * asks for to a query of door/listing.h, whose arg the page then is.
 */
#include "door/brief.h"
#include "identity/address.h"
#include "session/session.h"

struct caller;
struct err;

/* Entries of one page, unless a query says otherwise, and at most. */
#define BRIEF_PAGE_PRESET 50
#define BRIEF_PAGE_MAX 200

/* The longest text to search for, in bytes. */
#define BRIEF_PAGE_TEXT_MAX 200

/* A search examines so many ticks at most, and then tells where to go on. */
#define BRIEF_PAGE_TICKS 32

/* What a client asks for. A text is "" if it is absent. */
struct brief_ask {
	struct buf text;
	struct buf status;
	struct buf owner; /* an address, or "*" */
	int64_t before;	  /* 0: from the newest on */
	int64_t limit;
	bool is_here; /* the client is on this machine */
};

/* Free its memory. */
void brief_ask_fini(struct brief_ask *ask);

struct brief_page {
	struct session_query query;
	struct brief_filter filter;
	char owner[ADDRESS_SIZE];
	bool is_of_all;
};

/*
 * Create a page. who is borrowed until the list has begun. Returns NULL with
 * ERR_BAD_REQUEST or ERR_FORBIDDEN.
 */
struct brief_page *brief_page_new(
    const struct brief_ask *ask, const struct caller *who, struct err *err);

/* Free a struct brief_page. */
void brief_page_free(void *page);

/* Append what follows the entries: ],"before":.. with the place in quotes. */
void brief_page_put_end(struct buf *out, uint64_t next);

#endif
