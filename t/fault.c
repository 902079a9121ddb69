/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A disk that fails, for tests: a library that is loaded before others
 * (LD_PRELOAD) and lets writes to one file of a store fail. What fails, and how
 * often, is in the file that FAULT_FILE names, which the test writes at any
 * time (t/lib/Fault.pm).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

/* The two meta pages of LMDB. */
#define META_BYTES (2 * 4096)

struct fault {
	_Atomic int32_t left;	 /* calls that fail yet; below 0: all */
	_Atomic int32_t meta;	 /* errno of writes to meta pages, or 0 */
	_Atomic int32_t data;	 /* of other writes */
	_Atomic int32_t sync;	 /* of fdatasync() */
	_Atomic int32_t is_done; /* they write all the same */
	char name[44];		 /* how the file's path ends */
};

static struct fault *fault;

static __attribute__((constructor)) void open_fault(void)
{
	const char *path = getenv("FAULT_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *p = mmap(
	    NULL, sizeof *fault, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		fault = p;
}

static bool is_file(int fd)
{
	char link[64], path[4096];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	size_t len = strnlen(fault->name, sizeof fault->name);
	return n >= (ssize_t)len &&
	       memcmp(path + n - len, fault->name, len) == 0;
}

/* Whether this call fails: errno is set then. */
static bool fails(int fd, const _Atomic int32_t *why)
{
	if (!fault || !*why || !fault->left || !is_file(fd))
		return false;
	int32_t left = fault->left;
	while (left > 0 &&
	       !atomic_compare_exchange_weak(&fault->left, &left, left - 1))
		;
	errno = *why;
	return left != 0;
}

static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);
	if (!p)
		abort();
	return p;
}

static ssize_t write_at(
    const char *name, int fd, const void *buf, size_t n, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t);
	*(void **)&real = next(name);
	if (!fault || !fails(fd, at < META_BYTES ? &fault->meta : &fault->data))
		return real(fd, buf, n, at);
	int why = errno;
	if (fault->is_done)
		(void)real(fd, buf, n, at);
	errno = why;
	return -1;
}

SEEN ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return write_at("pwrite", fd, buf, n, at);
}

/* What SQLite calls. */
SEEN ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	return write_at("pwrite64", fd, buf, n, at);
}

SEEN ssize_t writev(int fd, const struct iovec *v, int n)
{
	ssize_t (*real)(int, const struct iovec *, int);
	*(void **)&real = next("writev");
	return fault && fails(fd, &fault->data) ? -1 : real(fd, v, n);
}

SEEN int fdatasync(int fd)
{
	int (*real)(int);
	*(void **)&real = next("fdatasync");
	return fault && fails(fd, &fault->sync) ? -1 : real(fd);
}
