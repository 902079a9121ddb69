/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_BRIEF_H
#define DOOR_BRIEF_H

/*
 * Sessions as entries of a list for people (doc/oip.txt 12): what an entry
 * says, and which ones are wanted. Pure functions.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct session_record;

/* Append the entry of a session. */
void brief_put(struct buf *out, const struct session_record *r);

/* Which sessions are wanted. */
struct brief_filter {
	struct buf text; /* in small letters (base/fold.h); "": any */
	const char *status;
	bool is_plain; /* text is ASCII that JSON does not escape */
};

/* Begin a filter for sessions that contain a text in any spelling. */
void brief_filter_init(struct brief_filter *f, const char *text, size_t len);

/* Free its memory. */
void brief_filter_fini(struct brief_filter *f);

/*
 * Whether a session has the text in its title, in what was said in it, or in
 * its latest result. filter is a struct brief_filter. Reads the conversation.
 */
bool brief_is_wanted(const struct session_record *r, void *filter);

#endif
