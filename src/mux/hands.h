/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_HANDS_H
#define MUX_HANDS_H

/*
 * A hand is a thread of the interpreter that takes turns, or that helps with
 * one. Those that wait are called one at a time: the one that was called is the
 * leader until it has taken a turn, and only then is the next one called. So no
 * more threads compete for the interpreter than there is use for.
 *
 * The hand that has waited for the shortest time is called first, so that those
 * of a burst become idle and leave. One at least waits or leads at any time;
 * when a turn takes the last one, the interpreter is asked to start another.
 *
 * Callers hold the lock of the process where nothing else is said.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hand;

/* What a thread is there for. */
enum hand_kind {
	HAND_OWN,   /* for what its turn has started it for */
	HAND_TURNS, /* to take turns */
	HAND_STEPS, /* to take steps of turns */
};

/*
 * Make a hand of this thread, with a stack of its own for signals. One that
 * takes turns also gets its own current directory and umask where the kernel
 * allows it; returns false where it does not.
 */
bool hands_open(enum hand_kind kind);

/* This thread is no hand any more. */
void hands_close(void);

/* Returns the hand of this thread, or NULL. Needs no lock. */
struct hand *hands_self(void);

/* Returns the turn for which this thread works; 0 if none. For handlers, too. */
uint64_t hands_turn(void);

/* This thread is at work: it takes a turn, or writes for one. */
void hands_note(const struct hand *h);

/* Whether several have been at work lately, and not one after another. */
bool hands_are_many(void);

/* This thread works for this turn now, or for none (0). */
void hands_enter(struct hand *h, uint64_t turn);

/*
 * Returns the pages that this thread has touched for the first time since it
 * entered its turn.
 */
uint64_t hands_faults(const struct hand *h);

/* Returns the same for all threads that work for a turn at present. */
uint64_t hands_faults_of(uint64_t turn);

/* Work that goes on although its turn has ended. */
struct hands_strays {
	size_t n;	  /* threads */
	unsigned percent; /* of a processor, used by those past grace_us */
};

/*
 * Find the threads at such work: those whose turn has_ended(), except what a
 * turn has started itself, which may go on. Their time begins with the first
 * call that finds them, so call it often; until grace_us have passed, what they
 * use does not count.
 */
struct hands_strays hands_find_strays(
    bool (*has_ended)(uint64_t turn), int64_t now_us, int64_t grace_us);

/*
 * Whether one of the threads that were last seen at work is running, or waits
 * for a processor only. May read some files of /proc.
 */
bool hands_are_busy(void);

/* ---- waiting ---- */

/* Wait for a call from now on, and work for no turn. */
void hands_rest(struct hand *h);

/* Sleep until called; false if that took longer. Hold no lock. */
bool hands_sleep(struct hand *h, int64_t ms);

/* Stop waiting, unless called or the last one: returns whether it did. */
bool hands_leave(struct hand *h);

/* Call a hand, unless one leads already. */
void hands_call(void);

/* It has taken a turn, or found none: it does not lead any more. */
void hands_yield(struct hand *h);

/* Whether this one leads. */
bool hands_leads(const struct hand *h);

/*
 * Whether the interpreter should start another hand: none waits, leads, or has
 * been asked for. It counts as asked for until hands_open(), or until
 * hands_missing() says that it could not be started.
 */
bool hands_needed(void);
void hands_missing(void);

/* Whether none waits or leads, and none could be started. */
bool hands_are_short(void);

#endif
