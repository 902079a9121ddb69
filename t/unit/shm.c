/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "proc/shm.h"

#define SEGMENT 10000
#define N_PROCESSES 4
#define N_STEPS 20000

struct shared {
	struct shm_lock lock;
	int count;
};

static struct shared *open_shared(size_t *size)
{
	int fd = shm_create("test", sizeof(struct shared));
	void *p = fd < 0 ? NULL : shm_map(fd, size);

	if (fd >= 0)
		(void)close(fd); /* the map holds on */
	return p;
}

static void test_segment(void)
{
	size_t size = 0, size_again = 0;
	int fd = shm_create("test", SEGMENT);

	if (!ok(fd >= 0, "a segment is made"))
		return;
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC,
	    "the descriptor of a segment is closed on exec");
	char *a = shm_map(fd, &size);
	char *b = shm_map(fd, &size_again);
	if (!ok(a && b, "a segment can be mapped more than once"))
		return;
	is_int((int64_t)size, SEGMENT, "a segment is mapped in its whole size");
	ok(!a[0] && !a[SEGMENT - 1], "a new segment is zero");
	a[SEGMENT - 1] = 'x';
	ok(b[SEGMENT - 1] == 'x',
	    "a byte written in one mapping is read in the other");
	(void)munmap(a, size);	     /* cannot fail for what was mapped */
	(void)munmap(b, size_again); /* as above */
	(void)close(fd);	     /* as above */
	ok(!shm_map(fd, &size), "a descriptor that is closed is refused");
	ok(shm_create("test", (size_t)1 << 63) < 0,
	    "a size that cannot be is refused");
}

static pid_t start(void (*run)(struct shared *s), struct shared *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		run(s);
		_exit(0);
	}
	return pid;
}

static void count_up(struct shared *s)
{
	for (int i = 0; i < N_STEPS; i++) {
		(void)shm_lock_take(&s->lock);
		s->count++;
		shm_lock_give(&s->lock);
	}
}

static void test_lock(struct shared *s)
{
	pid_t pids[N_PROCESSES];

	for (int i = 0; i < N_PROCESSES; i++)
		pids[i] = start(count_up, s);
	for (int i = 0; i < N_PROCESSES; i++)
		(void)waitpid(pids[i], NULL, 0);
	is_int(s->count, (int64_t)N_PROCESSES * N_STEPS,
	    "the lock keeps processes apart");
}

static void die_inside(struct shared *s)
{
	(void)shm_lock_take(&s->lock);
	(void)raise(SIGKILL);
}

static void stop_inside(struct shared *s)
{
	(void)shm_lock_take(&s->lock);
	(void)raise(SIGSTOP);
}

static void test_death(struct shared *s)
{
	for (int i = 0; i < 2; i++) {
		(void)waitpid(start(die_inside, s), NULL, 0);
		is_int(shm_lock_take(&s->lock), 1,
		    "the next holder is told that the last one died");
		shm_lock_give(&s->lock);
	}
	is_int(shm_lock_take(&s->lock), 0,
	    "a lock taken from a dead holder tells of the death once");
	shm_lock_give(&s->lock);
}

static void test_try(struct shared *s)
{
	is_int(shm_lock_try(&s->lock, 0), 0, "a free lock needs no waiting");
	shm_lock_give(&s->lock);
	pid_t pid = start(stop_inside, s);
	(void)waitpid(pid, NULL, WUNTRACED);
	is_int(
	    shm_lock_try(&s->lock, 0), -1, "a lock that is held is not taken");
	int64_t began = clock_steady_us();
	is_int(shm_lock_try(&s->lock, 30000), -1,
	    "a lock that is held is not taken within 30 ms");
	int64_t took = clock_steady_us() - began;
	ok(took >= 30000, "waiting for a lock that is held has an end");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	is_int(shm_lock_try(&s->lock, 0), 1,
	    "trying the lock of a dead holder tells of the death");
	shm_lock_give(&s->lock);
}

static void give_foreign(void *arg)
{
	shm_lock_give(arg);
}

int main(void)
{
	size_t size = 0;
	struct shared *s = open_shared(&size);

	test_segment();
	if (!ok(s, "there is shared memory"))
		return done();
	shm_lock_init(&s->lock);
	test_lock(s);
	test_death(s);
	test_try(s);
	expect_panic(give_foreign, &s->lock,
	    "giving a lock that one does not hold is our bug");
	(void)munmap(s, size); /* the end */
	return done();
}
