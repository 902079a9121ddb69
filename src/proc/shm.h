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

/* A new zero-filled segment of size bytes (memfd, CLOEXEC); -1 with errno. */
int shm_create(const char *name, size_t size);

/* Map the whole segment, *size bytes, read-write; NULL with errno. */
void *shm_map(int fd, size_t *size);

/* A robust mutex in shared memory. */
struct shm_lock {
	pthread_mutex_t mutex;
};

/* Make a lock in shared memory, once, before others see it. */
void shm_lock_init(struct shm_lock *l);

/*
 * Take the lock. Returns 0, or 1 when its last holder died inside: the caller
 * then repairs what the lock guards before it unlocks; the lock itself is
 * sound.
 */
int shm_lock_take(struct shm_lock *l);

/* As shm_lock_take(), or -1 when it cannot be had within so many microseconds.
 */
int shm_lock_try(struct shm_lock *l, int64_t wait_us);

/* Give the lock back. */
void shm_lock_give(struct shm_lock *l);

#endif
