/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_REMOVAL_H
#define SESSION_REMOVAL_H

/*
 * Deletions of sessions by clients (session_delete()). A deletion waits until
 * no turn runs, and then begins one itself, as a change of the mode does: so no
 * other can begin while the rows are deleted, and if this process dies, the
 * next owner of that turn finds that nothing was accepted.
 */
struct sessions;

/* Continue the deletions that wait. Called with each tick. */
void removal_tick(struct sessions *all);

/* Drop those that still wait, when the worker leaves; they do not happen. */
void removal_free_all(struct sessions *all);

#endif
