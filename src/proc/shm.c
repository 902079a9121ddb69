/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/shm.h"

#include "base/log.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int shm_create(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

void *shm_map(int fd, size_t *size)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return NULL;
	*size = (size_t)st.st_size;
	void *p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void shm_lock_init(struct shm_lock *l)
{
	pthread_mutexattr_t attr;
	if (pthread_mutexattr_init(&attr) ||
	    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) ||
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) ||
	    pthread_mutex_init(&l->mutex, &attr))
		fatal("shm: this system has no robust shared locks");
	(void)pthread_mutexattr_destroy(&attr);
}

/* Handle the result of pthread_mutex_*lock(), which is not a timeout. */
static int shm_take_up(struct shm_lock *l, int rc)
{
	if (rc == 0)
		return 0;
	if (rc != EOWNERDEAD)
		panic("shm: lock: error %d", rc);
	/* This must precede the unlock, or the lock would be lost for ever. */
	rc = pthread_mutex_consistent(&l->mutex);
	if (rc)
		panic("shm: lock cannot be made consistent: error %d", rc);
	return 1;
}

int shm_lock_take(struct shm_lock *l)
{
	return shm_take_up(l, pthread_mutex_lock(&l->mutex));
}

int shm_lock_try(struct shm_lock *l, int64_t wait_us)
{
	struct timespec end;
	int rc = pthread_mutex_trylock(&l->mutex);
	if (rc != EBUSY)
		return shm_take_up(l, rc);
	if (wait_us <= 0)
		return -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &end); /* cannot fail */
	int64_t ns = end.tv_nsec + wait_us % 1000000 * 1000;
	end.tv_sec += wait_us / 1000000 + ns / 1000000000;
	end.tv_nsec = ns % 1000000000;
	rc = pthread_mutex_clocklock(&l->mutex, CLOCK_MONOTONIC, &end);
	return rc == ETIMEDOUT ? -1 : shm_take_up(l, rc);
}

void shm_lock_give(struct shm_lock *l)
{
	int rc = pthread_mutex_unlock(&l->mutex);
	if (rc)
		panic("shm: unlock: error %d", rc);
}
