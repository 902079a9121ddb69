/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/clock.h"
#include "mux/hands.h"
#include "mux/lock.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A thread that does one thing after another when it is told to. */
struct worker {
	pthread_t thread;
	sem_t go, done;
	void (*work)(struct worker *w);
	struct hand *hand;
	bool result;
};

static void *run(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		(void)sem_wait(&w->go);
		if (!w->work)
			return NULL;
		w->work(w);
		(void)sem_post(&w->done);
	}
}

static void begin(struct worker *w, void (*work)(struct worker *w))
{
	w->work = work;
	(void)sem_post(&w->go);
}

static bool finish(struct worker *w)
{
	(void)sem_wait(&w->done);
	return w->result;
}

static bool tell(struct worker *w, void (*work)(struct worker *w))
{
	begin(w, work);
	return finish(w);
}

static void start(struct worker *w)
{
	(void)sem_init(&w->go, 0, 0);
	(void)sem_init(&w->done, 0, 0);
	if (pthread_create(&w->thread, NULL, run, w) != 0)
		abort();
}

static void stop(struct worker *w)
{
	begin(w, NULL);
	(void)pthread_join(w->thread, NULL);
}

static void open_hand(struct worker *w)
{
	lock_enter();
	w->result = hands_open(HAND_TURNS);
	w->hand = hands_self();
	lock_leave();
}

static void open_helper(struct worker *w)
{
	lock_enter();
	w->result = hands_open(HAND_STEPS);
	w->hand = hands_self();
	lock_leave();
}

static void close_hand(struct worker *w)
{
	(void)w;
	lock_enter();
	hands_close();
	lock_leave();
}

static void rest(struct worker *w)
{
	lock_enter();
	hands_rest(w->hand);
	lock_leave();
}

static void sleep_long(struct worker *w)
{
	w->result = hands_sleep(w->hand, 60000);
}

static void sleep_shortly(struct worker *w)
{
	w->result = hands_sleep(w->hand, 1);
}

static void go_away(struct worker *w)
{
	(void)umask(0777);
	w->result = chdir("/") == 0;
}

static void enter_seven(struct worker *w)
{
	lock_enter();
	hands_enter(w->hand, 7);
	lock_leave();
	w->result = hands_turn() == 7;
}

static void touch(struct worker *w)
{
	const size_t size = 64 * 4096;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)w;
	if (p == MAP_FAILED)
		abort();
	(void)madvise(p, size, MADV_NOHUGEPAGE);
	(void)madvise(p, size, MADV_DONTNEED);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	(void)munmap(p, size);
}

static void work_long(struct worker *w)
{
	struct timespec t = {0};

	(void)w;
	while (t.tv_nsec < 50000000 && t.tv_sec == 0)
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
}

static bool is_seven(uint64_t turn)
{
	return turn == 7;
}

static bool is_none(uint64_t turn)
{
	(void)turn;
	return false;
}

int main(void)
{
	struct worker a = {0}, b = {0}, c = {0};
	char before[4096], after[4096];

	start(&a);
	start(&b);
	start(&c);
	ok(hands_needed(), "a first hand is needed");
	ok(!hands_needed(), "a hand that was asked for is not needed again");
	ok(tell(&a, open_hand), "a hand has its own current directory");
	ok(hands_needed(), "a hand at work makes another one needed");
	hands_missing();
	ok(hands_are_short(), "hands are short when one cannot be started");
	ok(hands_needed(), "a hand that could not be started is needed again");
	ok(!hands_are_short(), "hands are not short while one is starting");
	(void)tell(&b, open_hand);
	ok(!hands_are_short(), "hands are not short when one has started");

	mode_t mask = umask(022);
	(void)tell(&a, go_away);
	ok(getcwd(before, sizeof before) && strcmp(before, "/") != 0,
	    "chdir() of a hand moves no other thread");
	is_int((intmax_t)umask(mask), 022,
	    "umask() of a hand changes no other thread");
	(void)tell(&c, open_helper);
	(void)tell(&c, go_away);
	ok(getcwd(after, sizeof after) && strcmp(after, "/") == 0,
	    "a helper shares the current directory of who has started it");
	if (chdir(before) != 0)
		abort();
	(void)umask(mask);

	/* a rests first, so b is called first. */
	(void)tell(&a, rest);
	(void)tell(&b, rest);
	ok(!hands_needed(), "no hand is needed while some wait");
	ok(!tell(&b, sleep_shortly), "a hand that nobody calls sleeps on");
	lock_enter();
	hands_call();
	ok(hands_leads(b.hand), "the hand that rests last is called first");
	hands_call();
	ok(!hands_leads(a.hand), "only one hand is called at a time");
	lock_leave();
	ok(tell(&b, sleep_long), "a hand that was called wakes up");
	lock_enter();
	hands_yield(b.hand);
	hands_call();
	lock_leave();
	ok(tell(&a, sleep_long),
	    "the next hand is called when one has yielded");
	lock_enter();
	hands_yield(a.hand);
	hands_rest(a.hand);
	ok(!hands_leave(a.hand), "the last hand that waits stays");
	hands_rest(b.hand);
	ok(hands_leave(a.hand), "a hand may leave while another one waits");
	ok(!hands_leave(a.hand), "a hand that has left does not wait");
	lock_leave();

	ok(tell(&c, enter_seven), "a hand knows its turn");
	is_int(
	    (intmax_t)hands_turn(), 0, "a thread that is no hand has no turn");
	(void)tell(&c, touch);
	lock_enter();
	uint64_t faults = hands_faults_of(7);
	ok(faults >= 64 && faults < 10000,
	    "pages that a hand touches are counted for its turn");
	is_int((intmax_t)hands_faults_of(8), 0,
	    "a turn without hands has no page faults");
	for (int i = 0; i < 16; i++)
		hands_note(a.hand);
	ok(!hands_are_many(), "one hand at work is not many");
	hands_note(c.hand);
	ok(!hands_are_many(), "a helper at work is no other hand");
	hands_note(b.hand);
	ok(hands_are_many(), "two hands at work are many");
	lock_leave();
	int64_t begin_us = clock_steady_us();
	struct hands_strays strays = hands_find_strays(is_none, begin_us, 1);
	ok(!strays.n, "work for turns that have not ended is no stray");
	strays = hands_find_strays(is_seven, begin_us, 1);
	ok(strays.n == 1 && !strays.percent,
	    "work for a turn that has ended is a stray from then on");
	(void)tell(&c, work_long);
	strays = hands_find_strays(is_seven, begin_us + 100000, 200000);
	ok(!strays.percent, "a stray does not count before its time");
	strays = hands_find_strays(is_seven, begin_us + 100000, 100000);
	ok(strays.percent >= 30, "what a stray uses of a processor counts");
	(void)tell(&c, rest);
	strays = hands_find_strays(is_seven, begin_us, 1);
	ok(!strays.n, "a thread that waits is no stray");
	(void)tell(&c, close_hand);
	stop(&a);
	stop(&b);
	stop(&c);
	return done();
}
