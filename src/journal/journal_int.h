/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_JOURNAL_INT_H
#define JOURNAL_JOURNAL_INT_H

/*
 * Private to the journal: what its committer threads (lanes.c) do with a batch
 * of commits. They write its facts, then its events, and then publish them. And
 * how events are numbered.
 */
#include "journal/journal.h"

/*
 * Write the facts of a batch in an open transaction, and end the transaction.
 */
void journal_write_facts(
    const struct journal_setup *s, struct store_txn *t, struct list *batch);

/*
 * Append the events of a batch in an open transaction, and end the transaction.
 */
void journal_write_events(
    const struct journal_setup *s, struct store_txn *t, struct list *batch);

/* Give the next event of a journal its views, and them their numbers. */
static inline void journal_number(struct journal_meta *m, struct event *ev)
{
	ev->views = views_of(ev, &m->memory);
	ev->first_view = m->n_views + 1;
	m->n_views = views_upto(ev);
}

/* Record the result of a commit in the registry. */
void journal_publish(const struct journal_setup *s, const struct commit *c);

#endif
