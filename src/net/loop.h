/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LOOP_H
#define NET_LOOP_H

/*
 * The event loop of one process (h2o's, with what it lacks: monotonic timers
 * that are exact, an end-of-tick hook, wake-ups from other threads). Everything
 * here is called on the loop's thread except loop_wake_up(). Callbacks run on
 * that thread, one at a time, and may call anything here. Nothing may block in
 * them.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A new loop; make it after fork and exec, one in a process. */
struct loop *loop_new(void);

/* Run until loop_stop(). */
void loop_run(struct loop *l);

/* Let loop_run() return at the end of this tick. */
void loop_stop(struct loop *l);

/*
 * A timer lives in its owner's memory; loop_timer_init() it before anything
 * else. It fires once per set, never early, by clock_mono_ms() (so a moved
 * clock fires it within 50 ms).
 */
struct loop_timer {
	void (*on_time)(void *arg);
	void *arg;
	int64_t due_us;
	unsigned heap_at; /* 0: not set */
};

/* Prepare a timer that is not set. */
void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg);

/*
 * Fire in delay_ms (>= 0) milliseconds from now; replaces an earlier setting.
 */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms);

/* Do not fire; harmless when not set. */
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/*
 * A deferred call, run once at the end of the tick in which it was asked for,
 * after all callbacks of the tick. One asked for by a deferred call runs in the
 * same tick, up to 16 rounds, then in the next.
 */
struct loop_later {
	void (*run)(void *arg);
	void *arg;
	struct list link;
};

/* Prepare a deferred call that is not pending. */
void loop_later_init(struct loop_later *d, void (*run)(void *), void *arg);

/* Ask for the call; harmless when already pending. */
void loop_later_ask(struct loop *l, struct loop_later *d);

/* Take the request back; harmless when not pending. */
void loop_later_cancel(struct loop_later *d);

/*
 * Call on_readable(arg) whenever fd (socket, pipe, eventfd,
 * never a regular file) is readable; it must drain the
 * descriptor. The loop takes the descriptor over.
 */
struct loop_watch *loop_watch_open(
    struct loop *l, int fd, void (*on_readable)(void *arg), void *arg);

/* Stop watching, close the descriptor and null *w. */
void loop_watch_close(struct loop_watch **w);

/* A way for other threads to get a callback run on the loop. */
struct loop_wake *loop_wake_open(
    struct loop *l, void (*on_wake)(void *arg), void *arg);

/*
 * From any thread: run on_wake soon, once
 * for any number of calls before it runs.
 */
void loop_wake_up(struct loop_wake *w);

/* Close and null *w; no thread may call loop_wake_up() any more. */
void loop_wake_close(struct loop_wake **w);

/*
 * Call on_signal(signo) on the loop for each of these
 * signals (0-terminated list), which it blocks for ordinary
 * delivery. Once in a process, before threads start.
 */
void loop_signals(struct loop *l, const int *signals,
    void (*on_signal)(int signo, void *arg), void *arg);

#endif
