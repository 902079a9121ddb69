/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/loop.h"

#include "base/clock.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct loop *loop;
static char order[64];
static size_t n_order;

static void note(char c)
{
	if (n_order + 1 < sizeof(order))
		order[n_order++] = c;
	order[n_order] = '\0';
}

static void reset(void)
{
	n_order = 0;
	order[0] = '\0';
}

static bool is_order(const char *want)
{
	if (strcmp(order, want) == 0)
		return true;
	printf("# got \"%s\", expected \"%s\"\n", order, want);
	return false;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Run the loop for so long. */
static void run_ms(int64_t ms)
{
	struct loop_timer end;
	loop_timer_init(&end, stop, NULL);
	loop_timer_set(loop, &end, ms);
	loop_run(loop);
}

/* Run until so many were noted, which takes a moment, or far too long. */
static void run_until(size_t n)
{
	for (int i = 0; i < 1000 && strlen(order) < n; i++)
		run_ms(20);
}

/* ---- timers ---- */

struct named {
	struct loop_timer timer;
	struct loop_timer *other;
	int64_t set_ms;
	int64_t fired_ms;
	int again;
	char name;
};

static void on_named(void *arg)
{
	struct named *t = arg;
	note(t->name);
	t->fired_ms = clock_mono_ms();
	if (t->other)
		loop_timer_stop(loop, t->other);
	if (t->again-- > 0)
		loop_timer_set(loop, &t->timer, 5);
}

static void arm(struct named *t, char name, int64_t delay_ms)
{
	*t = (struct named){.name = name, .set_ms = clock_mono_ms()};
	loop_timer_init(&t->timer, on_named, t);
	loop_timer_set(loop, &t->timer, delay_ms);
}

static void test_timers(void)
{
	struct named a, b, c, d;
	reset();
	arm(&a, 'a', 30);
	arm(&b, 'b', 10);
	arm(&c, 'c', 20);
	arm(&d, 'd', 0);
	run_ms(60);
	ok(is_order("dbca"), "timers fire in the order of their times");
	ok(a.fired_ms - a.set_ms >= 30,
	    "a timer of 30 ms does not fire before (it took %d ms)",
	    (int)(a.fired_ms - a.set_ms));
	reset();
	arm(&a, 'a', 10);
	arm(&b, 'b', 20);
	arm(&c, 'c', 5);
	loop_timer_stop(loop, &b.timer);
	loop_timer_stop(loop, &b.timer);
	c.other = &a.timer;
	run_ms(40);
	ok(is_order("c"), "stopped timers do not fire, also from a callback");
	reset();
	arm(&a, 'a', 5);
	a.again = 3;
	run_until(4);
	ok(is_order("aaaa"), "a timer can be set again in its callback");
	reset();
	arm(&a, 'a', 30);
	loop_timer_set(loop, &a.timer, 5);
	run_ms(50);
	ok(is_order("a"), "setting a timer replaces the earlier setting");
	loop_timer_stop(loop, &a.timer);
	ok(true, "stopping a timer that is not set is harmless");
}

static int64_t last_us;
static int n_fired;
static bool is_sorted;

static void on_many(void *arg)
{
	struct loop_timer *t = arg;
	n_fired++;
	if (t->due_us < last_us)
		is_sorted = false;
	last_us = t->due_us;
}

static void test_many_timers(void)
{
	enum { MANY = 5000 };
	static struct loop_timer timers[MANY];
	unsigned seed = 1;
	last_us = 0;
	n_fired = 0;
	is_sorted = true;
	for (int i = 0; i < MANY; i++) {
		loop_timer_init(&timers[i], on_many, &timers[i]);
		seed = seed * 1103515245u + 12345u;
		loop_timer_set(loop, &timers[i], (seed >> 16) % 40);
	}
	int stopped = 0;
	for (int i = 0; i < MANY; i += 3, stopped++)
		loop_timer_stop(loop, &timers[i]);
	run_ms(80);
	ok(n_fired == MANY - stopped && is_sorted,
	    "thousands of timers fire in order, less the stopped ones");
}

/* ---- deferred calls ---- */

struct call {
	struct loop_later later;
	struct loop_later *then;
	char name;
};

static void on_call(void *arg)
{
	struct call *c = arg;
	note(c->name);
	if (c->then)
		loop_later_ask(loop, c->then);
}

static void prepare(struct call *c, char name, struct loop_later *then)
{
	c->name = name;
	c->then = then;
	loop_later_init(&c->later, on_call, c);
}

static struct call calls[3];

static void ask_all(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		loop_later_ask(loop, &calls[i].later);
	loop_later_ask(loop, &calls[0].later);
	note('(');
}

static void note_end(void *arg)
{
	(void)arg;
	note(')');
}

/* The end is for a tick after this one, however late this one is. */
static void ask_all_and_end(void *arg)
{
	ask_all(NULL);
	loop_timer_set(loop, arg, 5);
}

static void test_laters(void)
{
	struct loop_timer ask, end;
	loop_timer_init(&ask, ask_all_and_end, &end);
	loop_timer_init(&end, note_end, NULL);
	prepare(&calls[0], 'a', NULL);
	prepare(&calls[1], 'b', NULL);
	prepare(&calls[2], 'c', &calls[0].later);
	reset();
	loop_timer_set(loop, &ask, 1);
	run_until(6);
	ok(is_order("(abca)"),
	    "deferred calls run once, in order, at the end of the tick");
	reset();
	ask_all(NULL);
	loop_later_cancel(&calls[1].later);
	loop_later_cancel(&calls[1].later);
	prepare(&calls[2], 'c', NULL);
	loop_later_ask(loop, &calls[2].later);
	loop_later_cancel(&calls[2].later);
	run_ms(10);
	ok(strchr(order, 'a') && !strchr(order, 'b'),
	    "a call that was taken back does not run");
	/* One that asks for itself must not keep the loop from its timers. */
	prepare(&calls[0], '.', &calls[0].later);
	reset();
	loop_later_ask(loop, &calls[0].later);
	run_ms(5);
	loop_later_cancel(&calls[0].later);
	ok(n_order > 16, "a call that asks for itself does not stop time");
}

/* ---- descriptors, threads, signals ---- */

static struct loop_watch *watch;
static int watched_fd;

static void on_watched(void *arg)
{
	uint64_t n;
	note(*(const char *)arg);
	if (read(watched_fd, &n, sizeof(n)) == (ssize_t)sizeof(n) && n == 7)
		loop_watch_close(&watch);
}

static void poke(uint64_t n)
{
	if (write(watched_fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		abort();
}

static void test_watch(void)
{
	static char name = 'w';
	watched_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	watch = loop_watch_open(loop, watched_fd, on_watched, &name);
	reset();
	poke(1);
	run_ms(10);
	ok(is_order("w"), "a readable descriptor is told");
	poke(7);
	run_ms(10);
	ok(is_order("ww") && !watch, "a watch may close itself");
	run_ms(10);
	ok(is_order("ww"), "a closed watch is silent");
}

static struct loop_wake *wake;
static int n_woken;

static void on_wake(void *arg)
{
	(void)arg;
	n_woken++;
}

static void *wake_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++)
		loop_wake_up(wake);
	usleep(20000);
	loop_wake_up(wake);
	return NULL;
}

static void test_wake(void)
{
	wake = loop_wake_open(loop, on_wake, NULL);
	n_woken = 0;
	for (int i = 0; i < 5; i++)
		loop_wake_up(wake);
	run_ms(10);
	ok(n_woken == 1, "many wake-ups before the loop runs are one call");
	pthread_t thread;
	n_woken = 0;
	if (pthread_create(&thread, NULL, wake_often, NULL) != 0)
		abort();
	for (int i = 0; i < 1000 && n_woken < 2; i++)
		run_ms(20);
	pthread_join(thread, NULL);
	ok(n_woken >= 2, "a thread wakes the loop, and can do so again");
	loop_wake_close(&wake);
	ok(!wake, "a wake can be closed");
}

static void on_signal(int signo, void *arg)
{
	(void)arg;
	note(signo == SIGUSR1 ? '1' : '2');
}

static void test_signals(void)
{
	static const int signals[] = {SIGUSR1, SIGUSR2, 0};
	loop_signals(loop, signals, on_signal, NULL);
	reset();
	raise(SIGUSR2);
	run_ms(10);
	raise(SIGUSR1);
	run_ms(10);
	ok(is_order("21"), "signals arrive as calls on the loop");
}

int main(void)
{
	loop = loop_new();
	test_timers();
	test_many_timers();
	test_laters();
	test_watch();
	test_wake();
	test_signals();
	return done();
}
