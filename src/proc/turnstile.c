/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/turnstile.h"

#include "proc/rights.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The kernel's messages may be larger than those in our headers. */
#define MESSAGE_BYTES 512

/* ---- the filter ---- */

#define LOAD(member) \
	BPF_STMT(    \
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

/* Skip this many instructions unless the value matches. */
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

/* Jump this many instructions ahead, to the question, for this system call. */
#define ASK_IF(number, ahead) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, ahead, 0)

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define ARCH_32 AUDIT_ARCH_I386
#define SET_ROBUST_LIST_32 311
#define SET_TID_ADDRESS_32 258
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define ARCH_32 AUDIT_ARCH_ARM
#define SET_ROBUST_LIST_32 338
#define SET_TID_ADDRESS_32 256
#endif

#ifdef ARCH
/*
 * We do not trap the call that forks: it would fail with EINTR if a child with
 * a handler ended at that moment, which no program expects. These two are the
 * first calls that a new process or thread makes in glibc and in musl, and the
 * first of a program that was executed; programs ignore their results.
 */
static struct sock_filter filter[] = {
    LOAD(arch),
    UNLESS(ARCH, 4),
    LOAD(nr),
    ASK_IF(__NR_set_robust_list, 7),
    ASK_IF(__NR_set_tid_address, 6),
    RETURN(SECCOMP_RET_ALLOW),
    UNLESS(ARCH_32, 3),
    LOAD(nr),
    ASK_IF(SET_ROBUST_LIST_32, 2),
    ASK_IF(SET_TID_ADDRESS_32, 1),
    RETURN(SECCOMP_RET_ALLOW),
    RETURN(SECCOMP_RET_USER_NOTIF),
};

static int install(unsigned flags)
{
	const struct sock_fprog program = {
	    .len = sizeof filter / sizeof *filter,
	    .filter = filter,
	};

	return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}

/*
 * Only privileged processes may install a filter that could mislead programs
 * which change the user; others must promise that there will be no such
 * program.
 */
static int set_up(void)
{
	const unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW |
			       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int fd = install(flags);

	if (fd < 0 && errno == EACCES &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = install(flags);
	return fd;
}
#else
static int set_up(void)
{
	errno = ENOSYS;
	return -1;
}
#endif

/* ---- life ---- */

bool turnstile_open(struct turnstile *s)
{
	s->listener = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->pair) == 0)
		return true;
	s->pair[0] = s->pair[1] = -1;
	return false;
}

bool turnstile_enter(struct turnstile *s)
{
	int fd = set_up();
	bool is_set = fd >= 0;

	/* If it fails, the parent sees an end of file. */
	(void)rights_send(s->pair[1], "t", 1, &fd, is_set, 0);
	rights_close(&fd, 1);
	rights_close(s->pair, 2);
	return is_set;
}

bool turnstile_take(struct turnstile *s)
{
	char byte;
	size_t room = 1;

	rights_close(&s->pair[1], 1); /* the child's; else no end of file */
	(void)rights_receive(s->pair[0], &byte, 1, &s->listener, &room, 0);
	rights_close(&s->pair[0], 1);
	return s->listener >= 0;
}

void turnstile_close(struct turnstile *s)
{
	rights_close(&s->listener, 1);
	rights_close(s->pair, 2);
}

/* ---- who comes ---- */

static bool is_left(const struct turnstile *s)
{
	struct pollfd p = {.fd = s->listener, .events = POLLIN};

	return poll(&p, 1, 0) <= 0 || !(p.revents & POLLHUP);
}

/*
 * Kill what waits, unless it is a thread: then its process would die with it.
 * Without an answer it stays where it is until then.
 */
static bool kill_process(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* fails for a thread */

	if (fd < 0)
		return false;
	bool is_killed =
	    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	(void)close(fd);
	return is_killed;
}

static bool answer(struct turnstile *s, bool may_enter)
{
	union {
		struct seccomp_notif ask;
		struct seccomp_notif_resp answer;
		char bytes[MESSAGE_BYTES];
	} m;

	memset(&m, 0, sizeof m);
	/* The process may have died. */
	if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &m.ask) != 0)
		return is_left(s);
	if (!may_enter && kill_process((pid_t)m.ask.pid))
		return true;
	uint64_t id = m.ask.id;
	memset(&m, 0, sizeof m);
	m.answer.id = id;
	m.answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	(void)ioctl(s->listener, SECCOMP_IOCTL_NOTIF_SEND, &m.answer);
	return true;
}

bool turnstile_let_in(struct turnstile *s)
{
	return answer(s, true);
}

bool turnstile_refuse(struct turnstile *s)
{
	return answer(s, false);
}

bool turnstile_works(void)
{
	struct turnstile s;
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(turnstile_open(&s) && turnstile_enter(&s) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}
