/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/loop_crew.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "runner/remains.h"
#include "net/loop.h"
#include "proc/pids.h"

static struct loop *loop;
static struct crew *crew;
static unsigned n_answers;
static bool was_empty;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(struct crew_job *job)
{
	(void)job;
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
}

static void do_nothing(struct crew_job *job)
{
	(void)job;
}

static struct crew_job blocker = {.run = wait_at_gate, .done = do_nothing};

static void on_cleared(void *arg, bool is_empty)
{
	(void)arg;
	n_answers++;
	was_empty = is_empty;
	loop_stop(loop);
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)fork();
		for (;;)
			(void)pause();
	}
	return pid;
}

static bool is_ours(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	       0;
}

/* How many children it has. */
static size_t below(pid_t pid)
{
	struct pids p = {0};

	pids_add_children(&p, pid);
	size_t n = p.n;
	pids_fini(&p);
	return n;
}

static void wait_below(pid_t pid)
{
	while (below(pid) == 0)
		(void)usleep(1000);
}

static bool clear(void)
{
	return remains_clear(crew, getpid(), on_cleared, NULL);
}

/* Search until nothing is left. */
static void clear_all(void)
{
	was_empty = false;
	for (int i = 0; i < 1000 && !was_empty; i++) {
		if (clear())
			loop_run(loop);
		(void)usleep(1000);
	}
}

static void test_elsewhere(void)
{
	pid_t stranger = child();

	wait_below(stranger);
	pthread_mutex_lock(&gate);
	(void)crew_run(crew, &blocker);
	ok(clear(), "a search is begun");
	ok(!clear(), "there is one search at a time");
	is_int(n_answers, 0, "the caller waits for nothing");
	pthread_mutex_unlock(&gate);
	loop_run(loop);
	is_int(n_answers, 1, "the answer of a search comes later");
	ok(!was_empty, "an inherited process is found");
	clear_all();
	ok(was_empty, "no process is left after the last search");
	ok(!is_ours(stranger), "an inherited process is killed and reaped");
	is_int(below(getpid()), 0,
	    "the children of an inherited process are killed and reaped");
}

static void test_known(void)
{
	pid_t known = child(), stranger = child(), late;

	wait_below(known);
	remains_add_co_turn(known);
	pthread_mutex_lock(&gate);
	(void)crew_run(crew, &blocker);
	(void)clear();
	late = child();
	remains_add_co_turn(late);
	pthread_mutex_unlock(&gate);
	loop_run(loop);
	clear_all();
	ok(!is_ours(stranger), "a stranger is killed");
	ok(is_ours(known) && below(known) == 1, "a co-turn is left alone");
	ok(is_ours(late),
	    "a co-turn that is started during a search is left alone");
	remains_remove_co_turn(known);
	remains_remove_co_turn(late);
	clear_all();
	is_int(below(getpid()), 0,
	    "a co-turn that was removed from the list is killed");
}

static void test_forget(void)
{
	n_answers = 0;
	pthread_mutex_lock(&gate);
	(void)crew_run(crew, &blocker);
	(void)clear();
	remains_forget(NULL);
	pthread_mutex_unlock(&gate);
	loop_crew_close(&crew);
	is_int(n_answers, 0, "a caller that has left is not called");
}

int main(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 4);
	test_elsewhere();
	test_known();
	test_forget();
	return done();
}
