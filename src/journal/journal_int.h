/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef JOURNAL_JOURNAL_INT_H
#define JOURNAL_JOURNAL_INT_H

/*
 * Private to the journal: what its committer threads (lanes.c) do with a batch
 * of commits. They write its facts, then its events, and then publish them.
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

/* Record the result of a commit in the registry. */
void journal_publish(const struct journal_setup *s, const struct commit *c);

#endif
