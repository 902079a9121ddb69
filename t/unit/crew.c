/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/loop_crew.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "net/loop.h"

#define N_JOBS 40

struct job {
	struct crew_job job;
	pthread_t runner;
	bool is_run;
	bool is_done;
	bool takes_signals;
};

static struct loop *loop;
static struct crew *crew;
static struct job jobs[N_JOBS];
static pthread_t loop_thread;
static unsigned n_done, n_wanted, n_right, n_closing;
static atomic_uint n_begun;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static struct job *job_of(struct crew_job *j)
{
	return list_entry(j, struct job, job);
}

static void run(struct crew_job *j)
{
	atomic_fetch_add(&n_begun, 1);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	sigset_t blocked;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	job_of(j)->takes_signals = !sigismember(&blocked, SIGTERM);
	job_of(j)->runner = pthread_self();
	job_of(j)->is_run = true;
}

static void done_one(struct crew_job *j)
{
	n_closing += crew_is_closing(crew);
	job_of(j)->is_done = true;
	n_right += job_of(j)->is_run &&
		   !pthread_equal(job_of(j)->runner, loop_thread) &&
		   pthread_equal(pthread_self(), loop_thread);
	if (++n_done == n_wanted)
		loop_stop(loop);
}

static unsigned give(unsigned n)
{
	unsigned taken = 0;
	n_done = n_right = n_closing = 0;
	atomic_store(&n_begun, 0);
	for (unsigned i = 0; i < n; i++) {
		jobs[i] = (struct job){.job = {.run = run, .done = done_one}};
		taken += crew_run(crew, &jobs[i].job);
	}
	return taken;
}

static void test_jobs(void)
{
	loop_crew_open(&crew, loop, 2, N_JOBS);
	n_wanted = give(N_JOBS);
	is_int(n_wanted, N_JOBS, "jobs are taken on");
	loop_run(loop);
	is_int(n_done, N_JOBS, "each job is done once");
	is_int(n_right, N_JOBS, "run on a thread, and done on the loop");
	unsigned n_taking = 0;
	for (int i = 0; i < N_JOBS; i++)
		n_taking += jobs[i].takes_signals;
	is_int(n_taking, 0, "a thread of a crew takes no signals");
	loop_crew_close(&crew);
	ok(!crew, "the crew is gone");
}

static void test_full(void)
{
	loop_crew_open(&crew, loop, 1, 3);
	pthread_mutex_lock(&gate);
	n_wanted = give(5);
	is_int(n_wanted, 3, "jobs above the size of the crew are refused");
	pthread_mutex_unlock(&gate);
	loop_run(loop);
	is_int(n_done, 3, "jobs within the size of the crew are done");
	n_wanted = give(1);
	is_int(n_wanted, 1, "a crew has room again when jobs are done");
	loop_run(loop);
	loop_crew_close(&crew);
}

static void wait_begun(void)
{
	while (!atomic_load(&n_begun))
		(void)usleep(1000);
}

static void test_cancel(void)
{
	loop_crew_open(&crew, loop, 1, 3);
	pthread_mutex_lock(&gate);
	(void)give(3);
	wait_begun();
	ok(!crew_cancel(crew, &jobs[0].job),
	    "a job that runs is not taken back");
	ok(crew_cancel(crew, &jobs[1].job), "a job that waits is taken back");
	ok(crew_run(crew, &jobs[1].job),
	    "a job that was taken back leaves room for another");
	ok(crew_cancel(crew, &jobs[1].job),
	    "a job may be taken back a second time");
	n_wanted = 2;
	pthread_mutex_unlock(&gate);
	loop_run(loop);
	ok(jobs[2].is_done && !jobs[1].is_run && !jobs[1].is_done,
	    "a job that was taken back is neither run nor done");
	ok(!crew_cancel(crew, &jobs[2].job),
	    "a job that is done is not taken back");
	loop_crew_close(&crew);
}

static void test_close(void)
{
	unsigned n_run = 0;
	loop_crew_open(&crew, loop, 1, N_JOBS);
	pthread_mutex_lock(&gate);
	n_wanted = give(10) + 1;
	pthread_mutex_unlock(&gate);
	loop_crew_close(&crew);
	is_int(n_done, 10, "closing a crew finishes every job");
	is_int(n_closing, 10, "a job can see that its crew is closing");
	for (int i = 0; i < 10; i++)
		n_run += jobs[i].is_run;
	ok(n_run <= 10 && jobs[9].is_done,
	    "closing a crew finishes jobs that were never begun");
	loop_crew_close(&crew);
	ok(!crew, "closing a closed crew is harmless");
}

int main(void)
{
	(void)alarm(60);
	loop_thread = pthread_self();
	loop = loop_new();
	test_jobs();
	test_full();
	test_cancel();
	test_close();
	return done();
}
