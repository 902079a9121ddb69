/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_TITLE_H
#define SESSION_TITLE_H

/*
 * The title of a session, and when the session began. They have a row of their
 * own (TABLE_TITLES), since each turn replaces the record. It is written with
 * the first turn, or when a client sets a title before. A session from before
 * this row existed, or imported from a file, has none until its next turn.
 */
#include "base/buf.h"
#include "store/store.h"

#include <stddef.h>
#include <stdint.h>

struct commit;
struct session;

/* The longest default title, in bytes. */
#define TITLE_DEFAULT 80

/* A title as it is stored; the text is a view. */
struct title {
	int64_t began_ms;	/* 0: unknown */
	struct store_span text; /* len 0: none */
};

/*
 * Append a prompt as one line of at most TITLE_DEFAULT bytes: control
 * characters and runs of spaces become one space, and "..." replaces what does
 * not fit.
 */
void title_shorten(struct buf *out, const char *prompt, size_t len);

/*
 * Add the row to a commit: the prompt, shortened, unless the session has a
 * title.
 */
void title_put_default(
    struct commit *c, const struct session *s, const char *prompt, size_t len);

/* Add the row to a commit, with this text in place of what the session has. */
void title_put(
    struct commit *c, const struct session *s, const char *text, size_t len);

/* Read the row of a session's number, in an open transaction on facts. */
void title_read(struct store_txn *t, uint64_t number, struct title *title);

#endif
