/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/pids.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The maximum number of passes over a tree that grows while it is stopped. */
#define STOP_PASSES 200

bool pids_has(const struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i] == pid)
			return true;
	return false;
}

void pids_add(struct pids *p, pid_t pid)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		pid_t *list = realloc(p->list, cap * sizeof *list);
		if (!list)
			return;
		p->list = list;
		p->cap = cap;
	}
	p->list[p->n++] = pid;
}

/* Add the children of one thread. */
static void add_children_of_thread(struct pids *p, const char *path)
{
	FILE *f = fopen(path, "re");
	long pid;

	if (!f)
		return;
	while (fscanf(f, "%ld", &pid) == 1)
		if (!pids_has(p, (pid_t)pid))
			pids_add(p, (pid_t)pid);
	(void)fclose(f);
}

void pids_add_children(struct pids *p, pid_t pid)
{
	char path[300];

	(void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	DIR *tasks = opendir(path);
	if (!tasks)
		return;
	for (struct dirent *e; (e = readdir(tasks));) {
		if (e->d_name[0] == '.')
			continue;
		p->n_threads++;
		(void)snprintf(path, sizeof path,
		    "/proc/%ld/task/%.20s/children", (long)pid, e->d_name);
		add_children_of_thread(p, path);
	}
	(void)closedir(tasks);
}

/* Add all descendants of the processes in the set. */
static void pids_add_below(struct pids *p)
{
	for (size_t i = 0; i < p->n; i++)
		pids_add_children(p, p->list[i]);
}

/* Whether there is a process that was not stopped before. */
static bool stop_new(const struct pids *now, struct pids *seen)
{
	bool is_new = false;

	for (size_t i = 0; i < now->n; i++) {
		if (pids_has(seen, now->list[i]))
			continue;
		is_new = true;
		(void)kill(now->list[i], SIGSTOP);
		pids_add(seen, now->list[i]);
	}
	return is_new;
}

void pids_stop_below(const struct pids *from, struct pids *seen)
{
	struct pids now = {0};

	for (int pass = 0; pass < STOP_PASSES; pass++) {
		now.n = 0;
		for (size_t i = 0; i < from->n; i++)
			pids_add_children(&now, from->list[i]);
		pids_add_below(&now);
		if (!stop_new(&now, seen))
			break;
	}
	pids_fini(&now);
}

void pids_kill_trees(const struct pids *roots)
{
	struct pids all = {0};

	(void)stop_new(roots, &all);
	pids_stop_below(roots, &all);
	for (size_t i = 0; i < all.n; i++)
		(void)kill(all.list[i], SIGKILL);
	pids_fini(&all);
}

size_t pids_kill_strangers(pids_known_fn *is_known, void *arg)
{
	struct pids children = {0}, strangers = {0};

	pids_add_children(&children, getpid());
	for (size_t i = 0; i < children.n; i++)
		if (!is_known(arg, children.list[i]))
			pids_add(&strangers, children.list[i]);
	pids_kill_trees(&strangers);
	size_t n = strangers.n;
	for (size_t i = 0; i < n; i++)
		(void)waitpid(strangers.list[i], NULL, WNOHANG);
	pids_fini(&children);
	pids_fini(&strangers);
	return n;
}

void pids_remove(struct pids *p, pid_t pid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i] == pid)
			p->list[i--] = p->list[--p->n];
}

void pids_fini(struct pids *p)
{
	free(p->list);
	*p = (struct pids){0};
}
