/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/write_all.h"

#define SIZE ((size_t)4 << 20)

static char sent[SIZE], got[SIZE];
static volatile sig_atomic_t n_signals;

static void on_signal(int sig)
{
	(void)sig;
	n_signals++;
}

static void *read_slowly(void *arg)
{
	int fd = *(const int *)arg;
	size_t n = 0;
	ssize_t more;
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (n < SIZE && (more = read(fd, got + n, 4096)) > 0)
		n += (size_t)more;
	return NULL;
}

static void test_interrupted(void)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct itimerval often = {{0, 200}, {0, 200}}, never = {0};
	int fds[2];
	pthread_t reader;

	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (char)(i * 31 + i / 4096);
	(void)sigaction(SIGALRM, &act, NULL); /* no SA_RESTART */
	ok(pipe(fds) == 0 &&
		pthread_create(&reader, NULL, read_slowly, &fds[0]) == 0,
	    "a pipe has a slow reader");
	(void)setitimer(ITIMER_REAL, &often, NULL);
	ok(write_all(fds[1], sent, SIZE), "4 MiB are written into it");
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)close(fds[1]);
	(void)pthread_join(reader, NULL);
	(void)close(fds[0]);
	ok(n_signals > 0, "signals interrupted the writing");
	ok(memcmp(sent, got, SIZE) == 0, "all bytes arrive in order");
}

static void test_failures(void)
{
	int fds[2];
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)signal(SIGPIPE, SIG_IGN);
	ok(!write_all(full, "x", 1) && errno == ENOSPC,
	    "a full disk is reported with errno");
	(void)close(full);
	ok(pipe(fds) == 0 && close(fds[0]) == 0 && !write_all(fds[1], "x", 1) &&
		errno == EPIPE,
	    "a pipe without a reader is reported with errno");
	ok(write_all(fds[1], "", 0), "writing nothing succeeds");
	(void)close(fds[1]);
}

int main(void)
{
	test_interrupted();
	test_failures();
	return done();
}
