/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/loop.h"

#include "base/clock.h"
#include "base/lines.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop_int.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The longest sleep without a timer, and with a clock that tests may move. */
#define LONGEST_WAIT_MS 60000
#define FOLLOWED_WAIT_MS 50

/* The maximum number of rounds of deferred calls in one tick. */
#define LATER_ROUNDS 16

struct loop {
	h2o_loop_t *h2o;
	struct list laters;
	/* A binary heap by due_us in timers[1..n_timers]. */
	struct loop_timer **timers;
	unsigned n_timers;
	unsigned cap_timers;
	uint64_t tick;
	bool is_stopped;
	bool is_in_tick;
};

struct loop_watch {
	h2o_socket_t *sock;
	void (*on_readable)(void *arg);
	void *arg;
};

struct loop_wake {
	struct loop_watch *watch;
	int fd;
	atomic_bool is_asked;
	void (*on_wake)(void *arg);
	void *arg;
};

struct signal_watch {
	struct loop_watch *watch;
	int fd;
	void (*on_signal)(int signo, void *arg);
	void *arg;
};

/* Put t at position i of the heap. */
static void heap_place(struct loop *l, unsigned i, struct loop_timer *t)
{
	l->timers[i] = t;
	t->heap_at = i;
}

static void heap_up(struct loop *l, unsigned i, struct loop_timer *t)
{
	while (i > 1 && l->timers[i / 2]->due_us > t->due_us) {
		heap_place(l, i, l->timers[i / 2]);
		i /= 2;
	}
	heap_place(l, i, t);
}

static void heap_down(struct loop *l, unsigned i, struct loop_timer *t)
{
	for (;;) {
		unsigned child = i * 2;
		if (child > l->n_timers)
			break;
		if (child < l->n_timers &&
		    l->timers[child + 1]->due_us < l->timers[child]->due_us)
			child++;
		if (l->timers[child]->due_us >= t->due_us)
			break;
		heap_place(l, i, l->timers[child]);
		i = child;
	}
	heap_place(l, i, t);
}

static void heap_add(struct loop *l, struct loop_timer *t)
{
	if (l->n_timers + 1 >= l->cap_timers) {
		l->cap_timers = l->cap_timers ? l->cap_timers * 2 : 64;
		l->timers = mem_realloc(
		    l->timers, l->cap_timers * sizeof(struct loop_timer *));
	}
	heap_up(l, ++l->n_timers, t);
}

static void heap_take(struct loop *l, struct loop_timer *t)
{
	unsigned i = t->heap_at;
	struct loop_timer *last = l->timers[l->n_timers--];
	t->heap_at = 0;
	if (last == t)
		return;
	if (i > 1 && l->timers[i / 2]->due_us > last->due_us)
		heap_up(l, i, last);
	else
		heap_down(l, i, last);
}

static void run_timers(struct loop *l)
{
	if (!l->n_timers)
		return;
	/* A timer that its callback sets again waits for the next tick. */
	int64_t now_us = clock_mono_us();
	while (l->n_timers && l->timers[1]->due_us <= now_us) {
		struct loop_timer *t = l->timers[1];
		heap_take(l, t);
		t->on_time(t->arg);
	}
}

static void run_laters(struct loop *l)
{
	for (int round = 0; round < LATER_ROUNDS; round++) {
		if (list_is_empty(&l->laters))
			return;
		struct list now;
		list_init(&now);
		list_append(&l->laters, &now);
		/* Everything before our mark belongs to this round. */
		while (l->laters.next != &now) {
			struct loop_later *d =
			    list_entry(l->laters.next, struct loop_later, link);
			list_remove(&d->link);
			d->run(d->arg);
		}
		list_remove(&now);
	}
}

/* Returns how many milliseconds the next poll may sleep. */
static int32_t wait_ms(const struct loop *l)
{
	/* Work done outside the poll may have left callbacks to run. */
	if (l->h2o->_pending_as_server || l->h2o->_pending_as_client ||
	    !list_is_empty(&l->laters))
		return 0;
	if (!l->n_timers)
		return LONGEST_WAIT_MS;
	int64_t left_us = l->timers[1]->due_us - clock_mono_us();
	if (left_us <= 0)
		return 0;
	/* Round up, so that we do not wake up early and spin. */
	int64_t ms = (left_us + 999) / 1000;
	int64_t most = clock_is_followed() ? FOLLOWED_WAIT_MS : LONGEST_WAIT_MS;
	return (int32_t)(ms < most ? ms : most);
}

static void tick(struct loop *l, int32_t most_ms)
{
	l->is_in_tick = true;
	l->tick++;
	if (h2o_evloop_run(l->h2o, most_ms) != 0 && errno != EINTR)
		fatal("event loop: %m");
	run_timers(l);
	run_laters(l);
	lines_flush();
	l->is_in_tick = false;
}

static void on_watch(h2o_socket_t *sock, const char *err)
{
	(void)err; /* the library sets none with DONT_READ */
	struct loop_watch *w = sock->data;
	w->on_readable(w->arg);
}

static void on_wake_readable(void *arg)
{
	struct loop_wake *w = arg;
	uint64_t n;
	if (read(w->fd, &n, sizeof n) < 0)
		return;
	/* Clear before the call: a later wake-up needs a new call. */
	atomic_store(&w->is_asked, false);
	w->on_wake(w->arg);
}

static void on_signal_readable(void *arg)
{
	struct signal_watch *s = arg;
	struct signalfd_siginfo si;
	while (read(s->fd, &si, sizeof si) == (ssize_t)sizeof si)
		s->on_signal((int)si.ssi_signo, s->arg);
}

struct loop *loop_new(void)
{
	/* The library writes with writev(), which would raise SIGPIPE. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("event loop: ignore SIGPIPE: %m");
	struct loop *l = mem_zero(sizeof *l);
	l->h2o = h2o_evloop_create();
	list_init(&l->laters);
	return l;
}

void loop_run(struct loop *l)
{
	l->is_stopped = false;
	while (!l->is_stopped)
		tick(l, wait_ms(l));
}

uint64_t loop_tick(const struct loop *l)
{
	return l->tick;
}

void loop_stop(struct loop *l)
{
	l->is_stopped = true;
}

h2o_loop_t *loop_h2o(struct loop *l)
{
	return l->h2o;
}

void loop_turn(struct loop *l)
{
	/* The library frees closed sockets at the start of a turn. */
	if (l->is_in_tick)
		panic("event loop: a turn inside a turn");
	tick(l, 0);
}

void loop_timer_init(struct loop_timer *t, void (*on_time)(void *), void *arg)
{
	*t = (struct loop_timer){.on_time = on_time, .arg = arg};
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t delay_ms)
{
	if (t->heap_at)
		heap_take(l, t);
	t->due_us = clock_mono_us() + delay_ms * 1000;
	heap_add(l, t);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	if (t->heap_at)
		heap_take(l, t);
}

void loop_later_init(struct loop_later *d, void (*run)(void *arg), void *arg)
{
	d->run = run;
	d->arg = arg;
	list_init(&d->link);
}

void loop_later_ask(struct loop *l, struct loop_later *d)
{
	if (list_is_empty(&d->link))
		list_append(&l->laters, &d->link);
}

void loop_later_cancel(struct loop_later *d)
{
	list_remove(&d->link);
}

struct loop_watch *loop_watch_open(
    struct loop *l, int fd, void (*on_readable)(void *arg), void *arg)
{
	struct loop_watch *w = mem_zero(sizeof *w);
	w->on_readable = on_readable;
	w->arg = arg;
	w->sock =
	    h2o_evloop_socket_create(l->h2o, fd, H2O_SOCKET_FLAG_DONT_READ);
	w->sock->data = w;
	h2o_socket_read_start(w->sock, on_watch);
	return w;
}

void loop_watch_close(struct loop_watch **w)
{
	if (!*w)
		return;
	h2o_socket_close((*w)->sock);
	free(*w);
	*w = NULL;
}

struct loop_wake *loop_wake_open(
    struct loop *l, void (*on_wake)(void *arg), void *arg)
{
	struct loop_wake *w = mem_zero(sizeof *w);
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0)
		fatal("event loop: eventfd: %m");
	w->on_wake = on_wake;
	w->arg = arg;
	w->watch = loop_watch_open(l, w->fd, on_wake_readable, w);
	return w;
}

void loop_wake_up(struct loop_wake *w)
{
	if (atomic_exchange(&w->is_asked, true))
		return;
	uint64_t one = 1;
	if (write(w->fd, &one, sizeof one) != (ssize_t)sizeof one)
		panic("event loop: eventfd refused a count of one: %m");
}

void loop_wake_close(struct loop_wake **w)
{
	if (!*w)
		return;
	loop_watch_close(&(*w)->watch);
	free(*w);
	*w = NULL;
}

void loop_signals(struct loop *l, const int *signals,
    void (*on_signal)(int signo, void *arg), void *arg)
{
	/* Lives as long as the process, like the signals it watches. */
	static struct signal_watch s;
	sigset_t set;
	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		fatal("event loop: block signals: %m");
	s.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s.fd < 0)
		fatal("event loop: signalfd: %m");
	s.on_signal = on_signal;
	s.arg = arg;
	s.watch = loop_watch_open(l, s.fd, on_signal_readable, &s);
}
