/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MASTER_CHILDREN_H
#define MASTER_CHILDREN_H

/*
 * The processes that the master runs: a table of slots, each with a mailbox.
 * Starting, reaping, readiness and throttling are here; master.c decides when
 * to do what. Used only by the master's loop. No call blocks.
 */
#include "core/heritage.h"
#include "core/msg.h"
#include "core/process.h"
#include "proc/mailbox.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: the slot is empty */
	unsigned kind;
	uint32_t epoch; /* generation of settings it was started with */
	int ready_fd;	/* -1: it has reported that it is ready */
	bool is_ready;
	bool is_leaving; /* it was told to leave */
	uint32_t met; /* generation of the process it was given to; 0: none */
	int64_t born_ms;
	int64_t leave_by_ms; /* killed at that time; 0: it may stay */
};

/* The processes that are started with the same settings. */
struct generation {
	uint32_t epoch;		      /* its number; 0: there is none */
	int conf_fd;		      /* the settings */
	unsigned want[PROCESS_KINDS]; /* how many processes of each kind */
	int64_t not_before_ms[PROCESS_KINDS]; /* throttled until then */
	int64_t delay_ms[PROCESS_KINDS];
};

struct children {
	struct heritage *heritage;
	int segment_fd;
	int window_fd; /* 0: there is none */
	struct generation newest;
	struct generation serving; /* the newest that was ever complete */
	int listen_fd;
	int lifeline_read;
	int lock_fd;	     /* a lock file that they hold open */
	const char *program; /* what to execute */
	const char *name;    /* what to call it: its argv[0] */
	const struct process *kinds;
	unsigned n_kinds;
	unsigned n_slots;
	struct mailbox_ends mailboxes[HERITAGE_SLOTS];
	struct child child[HERITAGE_SLOTS];
};

/* There are n_slots slots, none of which is ours yet. */
void children_init(struct children *c, unsigned n_slots);

/* Create a mailbox for each slot. Returns 0, or -1 with errno. */
int children_open_mailboxes(struct children *c);

/*
 * Start a process of a generation in a free slot. Returns false if it is
 * throttled, no slot is free, or starting fails (which is logged).
 */
bool children_start(struct children *c, struct generation *g, unsigned kind);

/*
 * Account for a reaped pid: *out gets the child's entry before it is cleared.
 * Returns false if it is not one of ours.
 */
bool children_reap(struct children *c, pid_t pid, int status, struct child *out,
    struct msg *died);

/*
 * Call this when the ready pipe of a slot is readable. Returns whether the
 * child has become ready.
 */
bool children_hear_ready(struct children *c, unsigned slot);

/*
 * Returns how many processes of a kind and epoch (0: any) are alive and were
 * not told to leave; with only_ready, how many of them serve.
 */
unsigned children_count(
    const struct children *c, unsigned kind, uint32_t epoch, bool only_ready);

/*
 * Send a message to the processes of all slots, those of another master
 * included.
 */
void children_mail_all(struct children *c, const struct msg *m);

/*
 * Free the slots of another master that has died, as its processes end. Returns
 * false when there is none left.
 */
bool children_sweep(struct children *c);

/*
 * Give each process that meets others a stream to each of those that it has not
 * met. Call it often.
 */
void children_introduce(struct children *c);

/*
 * Tell a live child to finish its work and leave, either because all leave or
 * only those of its generation. It is killed after grace_ms.
 */
void children_drain(
    struct children *c, unsigned slot, bool all_leave, int64_t grace_ms);

/* Tell every live child to leave at once. They are killed after grace_ms. */
void children_end(struct children *c, int64_t grace_ms);

/*
 * Kill those that should have left by now, and those whose start takes too
 * long.
 */
void children_kill_late(struct children *c);

#endif
