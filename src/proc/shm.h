/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_SHM_H
#define PROC_SHM_H

/*
 * Memory that several processes share, as a descriptor that children inherit,
 * and a lock in it that survives the death of its holder.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Create a zero-filled segment of size bytes (memfd, CLOEXEC). Returns its
 * descriptor, or -1 with errno.
 */
int shm_create(const char *name, size_t size);

/*
 * Map the whole segment read-write and set *size to its size in bytes. Returns
 * NULL with errno on failure. The mapping lasts until the process ends.
 */
void *shm_map(int fd, size_t *size);

/* A robust mutex in shared memory. */
struct shm_lock {
	pthread_mutex_t mutex;
};

/* Initialise a lock in shared memory, once, before other processes see it. */
void shm_lock_init(struct shm_lock *l);

/*
 * Take the lock. Returns 0, or 1 if its last holder died while holding it: then
 * the caller must repair the data that the lock guards before it unlocks; the
 * lock itself is sound.
 */
int shm_lock_take(struct shm_lock *l);

/*
 * As shm_lock_take(), but returns -1 if the lock is still held after wait_us
 * microseconds.
 */
int shm_lock_try(struct shm_lock *l, int64_t wait_us);

/* Release the lock. */
void shm_lock_give(struct shm_lock *l);

#endif
