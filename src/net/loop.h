/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LOOP_H
#define NET_LOOP_H

/*
 * The event loop of one process: h2o's loop plus what it lacks (exact monotonic
 * timers, an end-of-tick hook, wake-ups from other threads). All calls except
 * loop_wake_up() are for the loop's thread. Callbacks run on that thread, one
 * at a time, and may make any of these calls, including those that stop or
 * close what called them. Nothing may block in a callback.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Create a loop, after fork and exec, and only one in a process. */
struct loop *loop_new(void);

/* Run until loop_stop(). */
void loop_run(struct loop *l);

/* Returns the number of the current tick, from 1; 0 before the first. */
uint64_t loop_tick(const struct loop *l);

/* Let loop_run() return at the end of the current tick. */
void loop_stop(struct loop *l);

/*
 * A timer lives in its owner's memory; call loop_timer_init() first. It fires
 * once for each time it is set, never early, by clock_mono_ms() (a clock moved
 * by a test makes it fire within 50 ms).
 */
struct loop_timer {
	void (*on_time)(void *arg);
	void *arg;
	int64_t due_us;
	unsigned heap_at; /* 0: not set */
};

/* Initialise a timer; it is not set. */
void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg);

/* Fire delay_ms (>= 0) milliseconds from now; replaces an earlier setting. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms);

/* Cancel the timer; harmless if it is not set. */
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/*
 * A deferred call, run once at the end of the tick in which it was requested,
 * after all callbacks of the tick. If a deferred call requests one, it runs in
 * the same tick, for up to 16 rounds, then in the next.
 */
struct loop_later {
	void (*run)(void *arg);
	void *arg;
	struct list link;
};

/* Initialise a deferred call; it is not pending. */
void loop_later_init(struct loop_later *d, void (*run)(void *), void *arg);

/* Request the call; harmless if it is already pending. */
void loop_later_ask(struct loop *l, struct loop_later *d);

/* Cancel the request; harmless if it is not pending. */
void loop_later_cancel(struct loop_later *d);

/*
 * Call on_readable(arg) whenever fd (a socket, pipe or eventfd, never a regular
 * file) is readable; it must drain the descriptor. The loop takes ownership of
 * the descriptor.
 */
struct loop_watch *loop_watch_open(
    struct loop *l, int fd, void (*on_readable)(void *arg), void *arg);

/* Stop watching, close the descriptor, and set *w to NULL. */
void loop_watch_close(struct loop_watch **w);

/* Create a way for other threads to have a callback run on the loop. */
struct loop_wake *loop_wake_open(
    struct loop *l, void (*on_wake)(void *arg), void *arg);

/*
 * From any thread: have on_wake called soon, once for all wake-ups that happen
 * before it is called.
 */
void loop_wake_up(struct loop_wake *w);

/* Close it and set *w to NULL; no thread may call loop_wake_up() any more. */
void loop_wake_close(struct loop_wake **w);

/*
 * Call on_signal(signo) on the loop for each of these signals (a 0-terminated
 * list), which are blocked from ordinary delivery. Call it once in a process,
 * before threads are started.
 */
void loop_signals(struct loop *l, const int *signals,
    void (*on_signal)(int signo, void *arg), void *arg);

#endif
