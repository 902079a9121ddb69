/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * Stops a process of the server at the worst moment, for tests: preloaded, it
 * looks for the file $STOPPER/KIND.PLACE each time it comes by there, and whoever
 * removes it stops. KIND is the process (worker, keeper), PLACE is ahead (before
 * it takes LMDB's writer lock), between (when it has committed facts, before it
 * takes the lock for their events), writer (with that in its hands) or registry
 * (with the registry's). The file KIND.PLACE.stopped gets its pid before.
 *
 * It stops by SIGSTOP; or, if there is a file $STOPPER/ice, all its threads sleep
 * until that is removed: the kernel wakes what was stopped by a signal when its
 * parent dies.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

/* As glibc has them in the kind of a mutex. */
#define ROBUST_AND_SHARED (16 | 128)

/* "worker" or "keeper"; "" in any other process. */
static const char *kind(void)
{
	static char found[16], text[256];
	if (*found)
		return strcmp(found, "none") ? found : "";
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	const char *at = n > 0 ? memmem(text, (size_t)n, "--child", 8) : NULL;
	(void)snprintf(found, sizeof found, "%s", at ? at + 8 : "none");
	return kind();
}

static char ice[512];

static void sleep_on_ice(int signo)
{
	(void)signo;
	while (access(ice, F_OK) == 0)
		(void)usleep(1000);
}

static void freeze(void)
{
	struct sigaction sa = {
	    .sa_handler = sleep_on_ice, .sa_flags = SA_RESTART};
	DIR *d = opendir("/proc/self/task");
	(void)sigaction(SIGRTMIN + 5, &sa, NULL);
	for (struct dirent *e; d && (e = readdir(d)) != NULL;)
		if (atoi(e->d_name) > 0 && atoi(e->d_name) != gettid())
			(void)tgkill(getpid(), atoi(e->d_name), SIGRTMIN + 5);
	(void)(d && closedir(d));
	sleep_on_ice(0);
}

/*
 * A signal to the process may be taken by another thread, until which this one
 * would go on, and give back what it should be stopped with.
 */
static void stop(void)
{
	(void)tgkill(getpid(), gettid(), SIGSTOP);
}

static void stop_here(const char *place)
{
	char path[512], told[560];
	const char *dir = getenv("STOPPER");
	if (!dir || !*kind())
		return;
	(void)snprintf(path, sizeof path, "%s/%s.%s", dir, kind(), place);
	if (access(path, F_OK) != 0 || unlink(path) != 0)
		return;
	(void)snprintf(told, sizeof told, "%s.stopped", path);
	FILE *f = fopen(told, "we");
	if (f && fprintf(f, "%d\n", (int)getpid()) > 0)
		(void)fclose(f);
	(void)snprintf(ice, sizeof ice, "%s/ice", dir);
	if (access(ice, F_OK) == 0)
		freeze();
	else
		stop();
}

struct MDB_env;
struct MDB_txn;
SEEN int mdb_txn_begin(struct MDB_env *env, struct MDB_txn *parent,
    unsigned flags, struct MDB_txn **txn);

static int is_journal(struct MDB_env *env)
{
	static int (*get_path)(struct MDB_env *, const char **);
	const char *path = NULL;
	if (!get_path)
		*(void **)&get_path = dlsym(RTLD_NEXT, "mdb_env_get_path");
	return get_path(env, &path) == 0 && path &&
	       strstr(path, "journal.mdb") != NULL;
}

static void stop_ahead(struct MDB_env *env)
{
	static _Thread_local int had_facts;
	stop_here("ahead");
	if (!is_journal(env)) {
		had_facts = 1;
	} else if (had_facts) {
		had_facts = 0;
		stop_here("between");
	}
}

int mdb_txn_begin(struct MDB_env *env, struct MDB_txn *parent, unsigned flags,
    struct MDB_txn **txn)
{
	static int (*real)(
	    struct MDB_env *, struct MDB_txn *, unsigned, struct MDB_txn **);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_begin");
	if (flags == 0)
		stop_ahead(env);
	int rc = real(env, parent, flags, txn);
	if (rc == 0 && flags == 0)
		stop_here("writer");
	return rc;
}

/* Only our own robust lock: LMDB's are given back by LMDB. */
static int is_registry(const pthread_mutex_t *m, const void *caller)
{
	Dl_info info;
	return (m->__data.__kind & ROBUST_AND_SHARED) == ROBUST_AND_SHARED &&
	       dladdr(caller, &info) && !strstr(info.dli_fname, "lmdb");
}

SEEN int pthread_mutex_unlock(pthread_mutex_t *m)
{
	static int (*real)(pthread_mutex_t *);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	if (is_registry(m, __builtin_return_address(0)))
		stop_here("registry");
	return real(m);
}
