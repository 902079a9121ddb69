/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_TURNSTILE_H
#define PROC_TURNSTILE_H

/*
 * A turnstile stops each new process and thread of a program until the
 * supervisor lets it in. So a tree cannot grow faster than we count it, even
 * without control groups and even for root, whom RLIMIT_NPROC does not bind;
 * and while nobody is let in, the waiting processes do nothing. It is a seccomp
 * filter with user notification, and we are its supervisor. A tree can have
 * only one: programs in it cannot supervise others in this way. Programs that
 * change the user (sudo) do not gain privileges behind it unless we have
 * CAP_SYS_ADMIN. A program that forks without a C library gets past it and has
 * to be counted.
 *
 *	turnstile_open();  fork
 *	  child:  turnstile_enter();  exec
 *	  parent: turnstile_take();  poll listener: turnstile_let_in()
 *
 * Needs only the C library.
 */
#include <stdbool.h>

struct turnstile {
	int listener; /* readable when a process waits; -1: closed */
	int pair[2];  /* on which the child passes us the listener */
};

/* A turnstile that is closed. */
#define TURNSTILE_CLOSED       \
	{                      \
		-1,            \
		{              \
			-1, -1 \
		}              \
	}

/* Prepare a turnstile before the fork. Returns false if the system refuses. */
bool turnstile_open(struct turnstile *s);

/*
 * In the child: from here on, all new processes pass it. Returns false if the
 * kernel does not support it.
 */
bool turnstile_enter(struct turnstile *s);

/*
 * In the parent: wait until the child has entered. Returns false if it failed.
 */
bool turnstile_take(struct turnstile *s);

/*
 * Let one waiting process in. Returns false when no process is left that could
 * come.
 */
bool turnstile_let_in(struct turnstile *s);

/* The same, but there are too many: it is killed, unless it is a thread. */
bool turnstile_refuse(struct turnstile *s);

/* Close our side: processes that wait go on, and no new ones wait. */
void turnstile_close(struct turnstile *s);

/* Whether a turnstile can be set up here; tests it in a child process. */
bool turnstile_works(void);

#endif
