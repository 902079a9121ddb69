/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_CHANGE_H
#define SESSION_CHANGE_H

/*
 * A change of a session by a client that is neither input nor answer: its title
 * (title.c) or its deletion (removal.c). It has a reference to the session from
 * change_new() to change_end().
 */
#include "base/list.h"
#include "session/session.h"

struct session_change {
	struct list link; /* in all->removals; else empty */
	struct session *session;
	session_change_fn *fn; /* NULL: cancelled */
	void *arg;
	int64_t give_up_ms;   /* of a deletion that waits for the turn */
	uint32_t interrupted; /* the turn that it has interrupted */
	bool is_written;      /* the rows are gone */
};

/* Begin one. */
struct session_change *change_new(
    struct session *s, session_change_fn *fn, void *arg);

/* Report the result (NULL: success), release the session, free, and null *c. */
void change_end(struct session_change **c, const struct err *err);

#endif
