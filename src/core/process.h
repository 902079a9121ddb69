/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

/*
 * What the master knows about a kind of process of the program that it runs;
 * core/processes.tbl has the rows of co-hostd. What such a process does is in
 * worker/, which the master does not see.
 */
#include "core/heritage.h"

struct conf;

#define PROCESS_LISTENS 1u /* it gets the listener */
#define PROCESS_DRAINS 2u  /* it may finish its turns first */
/*
 * It is given a stream to each process of its generation that listens and
 * serves (MSG_MEET); there is at most one such process in a generation.
 */
#define PROCESS_MEETS 4u

/* The last stage; the first is 1. */
#define PROCESS_STAGES 2

/* The most kinds of a program, with kind 0, which stands for none. */
#define PROCESS_KINDS 8

struct process {
	const char *name;
	unsigned flags;
	unsigned stage; /* 0: there are no processes of this kind */
};

/* The rows of co-hostd by kind, KINDS of them. */
extern const struct process process_kinds[];

/* Returns how many processes of a kind there are with these settings. */
unsigned process_count(enum heritage_kind kind, const struct conf *c);

#endif
