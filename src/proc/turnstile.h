/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef PROC_TURNSTILE_H
#define PROC_TURNSTILE_H

/*
 * A turnstile is in a program and all that comes of it: each new process and
 * thread waits there until we let it in. So a tree cannot grow faster than we
 * count it, without control groups, and for root, whom RLIMIT_NPROC does not
 * bind; and while nobody is let in, those who wait do nothing. It is a seccomp
 * filter whose supervisor we are. There can be one in a tree: programs inside
 * that supervise others in this way cannot do so. Programs that change the user
 * (sudo) do nothing behind it, unless we have CAP_SYS_ADMIN. A program that
 * forks without a C library gets past it, and has to be counted.
 *
 *	turnstile_open();  fork
 *	  child:  turnstile_enter();  exec
 *	  parent: turnstile_take();  poll listener: turnstile_let_in()
 *
 * Needs the C library alone.
 */
#include <stdbool.h>

struct turnstile {
	int listener; /* readable when somebody waits; -1: there is none */
	int pair[2];  /* how the listener comes to us */
};

/* One that is closed. */
#define TURNSTILE_CLOSED       \
	{                      \
		-1,            \
		{              \
			-1, -1 \
		}              \
	}

/* Prepare one before the fork. False when the system refuses. */
bool turnstile_open(struct turnstile *s);

/* In the child: from here on all pass it. False where the kernel has none. */
bool turnstile_enter(struct turnstile *s);

/* In the parent: wait until the child has entered. False if it could not. */
bool turnstile_take(struct turnstile *s);

/*
 * Let one in who waits. False when nobody is left who could come.
 */
bool turnstile_let_in(struct turnstile *s);

/* Close our side: who waits goes on, and nobody waits any more. */
void turnstile_close(struct turnstile *s);

/* Whether one can be set up here; asks a child. */
bool turnstile_works(void);

#endif
