/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * Stops a process of the server at the worst moment, for tests: preloaded, it
 * looks for the file $STOPPER/KIND.LOCK each time it has got a lock, and whoever
 * removes it stops itself by SIGSTOP with the lock in its hands. KIND is the
 * process (worker, keeper), LOCK is writer (of LMDB) or registry. The file
 * KIND.LOCK.stopped gets its pid before.
 */
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

static void stop_here(const char *lock)
{
	char path[512], told[560];
	const char *dir = getenv("STOPPER");
	if (!dir || !*kind())
		return;
	(void)snprintf(path, sizeof path, "%s/%s.%s", dir, kind(), lock);
	if (access(path, F_OK) != 0 || unlink(path) != 0)
		return;
	(void)snprintf(told, sizeof told, "%s.stopped", path);
	FILE *f = fopen(told, "we");
	if (f && fprintf(f, "%d\n", (int)getpid()) > 0)
		(void)fclose(f);
	(void)kill(getpid(), SIGSTOP);
}

struct MDB_env;
struct MDB_txn;
SEEN int mdb_txn_begin(struct MDB_env *env, struct MDB_txn *parent,
    unsigned flags, struct MDB_txn **txn);

int mdb_txn_begin(struct MDB_env *env, struct MDB_txn *parent, unsigned flags,
    struct MDB_txn **txn)
{
	static int (*real)(
	    struct MDB_env *, struct MDB_txn *, unsigned, struct MDB_txn **);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "mdb_txn_begin");
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
