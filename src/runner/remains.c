/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "runner/remains.h"

#include "proc/cgroup.h"
#include "proc/crew.h"
#include "proc/pids.h"

#include <sys/wait.h>
#include <unistd.h>

/* Co-turns that were started and not reaped yet. */
static struct pids co_turns;

/* The only search; while it runs, the thread owns the pids. */
static struct search {
	struct crew_job job;
	bool is_running;
	pid_t co_turn;
	struct pids strangers; /* found, and not reaped yet */
	struct pids children;  /* of ours, as seen by the thread */
	remains_fn *fn;	       /* NULL: cancelled */
	void *arg;
} search;

void remains_add_co_turn(pid_t pid)
{
	pids_add(&co_turns, pid);
}

void remains_remove_co_turn(pid_t pid)
{
	pids_remove(&co_turns, pid);
}

static void run(struct crew_job *job)
{
	(void)job;
	cgroup_clear(search.co_turn);
	pids_kill_trees(&search.strangers);
	search.children.n = 0;
	pids_add_children(&search.children, getpid());
}

/* True until the process is reaped, whether it has ended or not. */
static bool is_child(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	       0;
}

/*
 * A co-turn started meanwhile is registered, and one reaped meanwhile is no
 * longer a child.
 */
static void find_strangers(struct search *s)
{
	s->strangers.n = 0;
	for (size_t i = 0; i < s->children.n; i++) {
		pid_t pid = s->children.list[i];
		if (!pids_has(&co_turns, pid) && is_child(pid))
			pids_add(&s->strangers, pid);
	}
}

/* Backwards, since pids_remove() moves the last one into the gap. */
static void reap_strangers(struct search *s)
{
	for (size_t i = s->strangers.n; i-- > 0;) {
		pid_t pid = s->strangers.list[i];
		if (waitpid(pid, NULL, WNOHANG) == pid)
			pids_remove(&s->strangers, pid);
	}
}

static void done(struct crew_job *job)
{
	struct search *s = &search;
	remains_fn *fn = s->fn;

	(void)job;
	find_strangers(s);
	/*
	 * A process reaped now may have left us more children after the search.
	 */
	bool is_empty = s->strangers.n == 0;
	reap_strangers(s);
	s->is_running = false;
	s->fn = NULL;
	if (is_empty) {
		pids_fini(&s->strangers);
		pids_fini(&s->children);
	}
	if (fn)
		fn(s->arg, is_empty);
}

bool remains_clear(struct crew *crew, pid_t co_turn, remains_fn *fn, void *arg)
{
	struct search *s = &search;

	if (s->is_running)
		return false;
	s->job = (struct crew_job){.run = run, .done = done};
	s->co_turn = co_turn;
	s->is_running = crew_run(crew, &s->job);
	s->fn = s->is_running ? fn : NULL;
	s->arg = arg;
	return s->is_running;
}

void remains_forget(const void *arg)
{
	if (search.arg == arg)
		search.fn = NULL;
}
