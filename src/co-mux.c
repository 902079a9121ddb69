/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * co-mux.so is loaded by co_agent_python. It carries many turns over the one
 * socket of a process: a thread of its own (mux/link.h) reads and writes frames,
 * and threads of the interpreter take turns, write, and listen.
 *
 * Functions that may wait are called without the interpreter's lock, all others
 * with it: these take microseconds, so that a busy process goes from turn to
 * turn without handing the lock over. A call is first tried in the short way.
 */
#include "base/clock.h"
#include "mux/hands.h"
#include "mux/link.h"
#include "mux/lock.h"
#include "mux/recycle.h"
#include "mux/sender.h"
#include "mux/turns.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* How long the last words of a turn may take. */
#define LAST_WORDS_MS 1000

/*
 * A thread that was called leaves the interpreter to others while they are at
 * work: they take the next turns as well, and each change of threads costs more
 * than many a turn. It looks again after a while, the longer the more turns end
 * meanwhile, and is put off for up to PUT_OFF_US_MAX while none ends. It goes
 * ahead when it has found nobody at work a few times in a row.
 */
#define PAUSE_US 100
#define PAUSE_US_MAX 1600
#define PUT_OFF_US_MAX 10000
#define QUIET_US 40
#define QUIET_MAX 2

/* What a thread that was called has seen of the others. */
struct look {
	uint64_t ended;	    /* turns, at the last look */
	int64_t pause_us;   /* until the next look, while they are at work */
	int64_t put_off_us; /* since a turn has ended */
	int quiet;	    /* looks in a row that found nobody at work */
};

/* As in co_agent_python/mux.py. */
struct mux_plan {
	int sock;
	uint64_t recycle_turns;
	int64_t recycle_memory, memory; /* bytes */
	int64_t grace_ms;		/* interrupt_grace */
	/* PyBytes_FromStringAndSize() */
	void *(*make_bytes)(const char *text, ssize_t len);
};

/* What came: the JSON of a frame is the result of the call. */
struct mux_frame {
	uint64_t turn; /* 0: none */
	int is_closed; /* nobody listens to the turn any more */
	int grow;      /* start another thread before it begins */
};

enum mux_wait {
	MUX_TURN, /* try to take a turn */
	MUX_IDLE, /* the thread is not needed */
};

EXPORT int mux_open(const struct mux_plan *plan);
EXPORT int mux_hand(int kind);
EXPORT void mux_leave(void);
EXPORT void mux_missing(void);
EXPORT void mux_crowded(void);
EXPORT void mux_enter(uint64_t turn);
EXPORT void *mux_take(struct mux_frame *f);
EXPORT int mux_wait(int idle_ms);
EXPORT int mux_write(uint64_t turn, const char *json, size_t len, unsigned how);
EXPORT int mux_last_words(uint64_t turn, const char *json, size_t len);
EXPORT void mux_listen(uint64_t turn);
EXPORT void mux_await_news(void);
EXPORT void *mux_hear(struct mux_frame *f);
EXPORT int mux_is_drained(void);
EXPORT int mux_is_cut(void);

static void *(*make_bytes)(const char *text, ssize_t len);
static int home = -1; /* the directory in which turns begin */
static mode_t home_umask;

/* Returns 0, or an errno. */
int mux_open(const struct mux_plan *plan)
{
	const struct recycle_limits limits = {
	    .turns = plan->recycle_turns,
	    .memory_soft = plan->recycle_memory,
	    .memory_hard = plan->memory,
	    .grace_us = plan->grace_ms * 1000,
	};

	make_bytes = plan->make_bytes;
	home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	home_umask = umask(0);
	(void)umask(home_umask);
	recycle_open(&limits);
	/* Threads that compete for one lock gain nothing by more arenas. */
	(void)mallopt(M_ARENA_MAX, 2);
	return link_open(plan->sock) == 0 ? 0 : errno;
}

/* ---- threads ---- */

/*
 * This thread is one of ours, of an enum hand_kind. Returns 0, or an errno if it
 * should have a current directory of its own and has none.
 */
int mux_hand(int kind)
{
	lock_enter();
	bool is_whole = hands_open((enum hand_kind)kind);
	int why = errno;
	lock_leave();
	return is_whole ? 0 : why;
}

/* This thread is about to end. */
void mux_leave(void)
{
	if (link_is_cut())
		return;
	lock_enter();
	hands_close();
	lock_leave();
}

/* The thread that was asked for, to take turns, cannot be started. */
void mux_missing(void)
{
	lock_enter();
	hands_missing();
	recycle_crowded();
	link_return_turns();
	lock_leave();
}

/* A thread cannot be started. */
void mux_crowded(void)
{
	if (link_is_cut())
		return;
	lock_enter();
	recycle_crowded();
	lock_leave();
}

/* This thread works for another turn now; 0: for none. */
void mux_enter(uint64_t turn)
{
	struct hand *h = hands_self();

	if (!h || link_is_cut())
		return;
	lock_enter();
	struct turn *before = turns_find(hands_turn());
	if (before)
		before->faults += hands_faults(h);
	hands_enter(h, turn);
	lock_leave();
}

/* ---- taking turns ---- */

static void *give(struct mux_frame *f, struct line *line)
{
	f->turn = line ? line->turn : 0;
	void *bytes =
	    make_bytes(line ? line->text : "", line ? (ssize_t)line->len : 0);
	free(line);
	return bytes;
}

/* A turn begins where the process did, whatever the one before has done. */
static void go_home(void)
{
	if (home >= 0)
		(void)!fchdir(home);
	(void)umask(home_umask);
}

/* Take the next turn, without waiting. */
void *mux_take(struct mux_frame *f)
{
	struct hand *h = hands_self();
	struct turn *t;

	f->grow = 0;
	f->is_closed = 0;
	if (link_is_cut())
		return give(f, NULL);
	lock_enter();
	/* If others are at work, they take the next turn as well. */
	bool may_take =
	    hands_leads(h) || !hands_are_many() || !hands_are_busy();
	hands_yield(h);
	struct line *line = may_take ? turns_take(&t) : NULL;
	if (line) {
		f->is_closed = t->is_closed;
		if (turns_waiting())
			hands_call();
		f->grow = hands_needed();
		hands_enter(h, line->turn);
	}
	lock_leave();
	if (line)
		go_home();
	return give(f, line);
}

/*
 * A thread was called. Returns how long it leaves the interpreter to others, in
 * us; -1 if it is not needed any more.
 */
static int64_t patience(struct hand *h, struct look *l)
{
	if (!turns_waiting()) { /* others were faster */
		hands_yield(h);
		hands_rest(h);
		return -1;
	}
	if (!turns_running())
		return 0;
	if (!hands_are_busy())
		return ++l->quiet > QUIET_MAX ? 0 : QUIET_US;
	l->quiet = 0;
	l->put_off_us += l->pause_us;
	l->pause_us = PAUSE_US;
	if (sender_ended() != l->ended) {
		l->pause_us = l->put_off_us * 2;
		l->put_off_us = 0;
	}
	if (l->pause_us > PAUSE_US_MAX)
		l->pause_us = PAUSE_US_MAX;
	l->ended = sender_ended();
	return l->put_off_us > PUT_OFF_US_MAX ? 0 : l->pause_us;
}

/* Returns whether the thread, which was called, should try to take a turn. */
static bool lead(struct hand *h)
{
	struct look l = {.pause_us = PAUSE_US};

	for (;;) {
		lock_enter();
		int64_t us = patience(h, &l);
		lock_leave();
		if (us <= 0)
			return us == 0;
		const struct timespec pause = {0, us * 1000};
		(void)nanosleep(&pause, NULL);
	}
}

/* Wait until there may be a turn. The thread then has to try to take one. */
int mux_wait(int idle_ms)
{
	struct hand *h = hands_self();

	lock_enter();
	hands_rest(h);
	if (turns_waiting())
		hands_call();
	lock_leave();
	for (;;) {
		if (hands_sleep(h, idle_ms)) {
			if (lead(h))
				return MUX_TURN;
			continue;
		}
		lock_enter();
		bool is_idle = hands_leave(h);
		lock_leave();
		if (is_idle)
			return MUX_IDLE;
	}
}

/* ---- writing and listening ---- */

/* See sender_write(). With SENDER_WAIT, call it without the interpreter's lock. */
int mux_write(uint64_t turn, const char *json, size_t len, unsigned how)
{
	if (link_is_cut())
		return SENDER_OVER;
	lock_enter();
	if (hands_self())
		hands_note(hands_self());
	uint64_t ended = sender_ended();
	enum sender_result r = sender_write(turn, json, len, how);
	if (how & SENDER_LAST && sender_ended() != ended)
		link_note_end();
	lock_leave();
	return (int)r;
}

/* The process is about to end, and this is why. Returns whether it is sent. */
int mux_last_words(uint64_t turn, const char *json, size_t len)
{
	if (link_is_cut())
		return 0;
	lock_enter();
	if (len)
		(void)sender_write(turn, json, len, SENDER_ALONE);
	bool is_sent = sender_finish(LAST_WORDS_MS);
	lock_leave();
	return is_sent;
}

/* Later frames of this turn can be heard from now on. */
void mux_listen(uint64_t turn)
{
	if (link_is_cut())
		return;
	lock_enter();
	struct turn *t = turns_find(turn);
	if (t)
		turns_listen(t);
	bool has_news = turns_have_news();
	lock_leave();
	if (has_news)
		link_tell_news();
}

void mux_await_news(void)
{
	link_await_news();
}

/* Take a later frame, without waiting. */
void *mux_hear(struct mux_frame *f)
{
	lock_enter();
	struct line *line = turns_hear();
	lock_leave();
	return give(f, line);
}

int mux_is_drained(void)
{
	lock_enter();
	bool is_drained = link_is_drained();
	lock_leave();
	return is_drained;
}

int mux_is_cut(void)
{
	return link_is_cut();
}
