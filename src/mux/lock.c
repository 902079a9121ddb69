/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/lock.h"

#include <pthread.h>
#include <time.h>

/* It spins shortly: holders need less time than to fall asleep. */
static pthread_mutex_t mutex = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;

void lock_enter(void)
{
	(void)pthread_mutex_lock(&mutex);
}

void lock_leave(void)
{
	(void)pthread_mutex_unlock(&mutex);
}

bool lock_enter_within(int ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until) == 0;
}

void lock_wait(void)
{
	(void)pthread_cond_wait(&change, &mutex);
}

void lock_wake_all(void)
{
	(void)pthread_cond_broadcast(&change);
}
