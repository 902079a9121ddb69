/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_HEIR_H
#define MASTER_HEIR_H

/*
 * An upgrade seen by the new master (handover.h): it starts a generation beside
 * the processes of the old master, with the same segment and mailboxes, and is
 * the master when all of them serve.
 */
struct master;

/*
 * Map the segment that we take over, and use its mailboxes. Ends the process if
 * this program needs another layout.
 */
void heir_segment(struct master *m);

/* All our processes serve: tell the old master, which answers. */
void heir_offer(struct master *m);

/* Read the answer; call it when m->bridge is readable. */
void heir_hear(struct master *m);

#endif
