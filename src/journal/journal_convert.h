/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_JOURNAL_CONVERT_H
#define JOURNAL_JOURNAL_CONVERT_H

/*
 * Journals that an earlier version wrote: its events have no views
 * (core/views.h).
 */
struct store;

/*
 * Number the views of all events that have none. For the first keeper, before
 * other processes write; it blocks. A session that fails is logged and left as
 * it is.
 */
void journal_convert(struct store *s);

#endif
