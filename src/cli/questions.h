/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_QUESTIONS_H
#define CLI_QUESTIONS_H

/*
 * Questions of an agent in the middle of a turn: what it wants to know, whether
 * it may use a tool, whether its plan is good. They are answered by --approve
 * and --answer, or else by the user at the terminal.
 */
#include <co_connect.h>

struct cli;

enum questions_end {
	QUESTION_ANSWERED, /* or it is none any more */
	QUESTION_OPEN,	   /* nobody is there to answer */
	QUESTION_STOPPED,  /* Ctrl-C: the turn is to be interrupted */
	QUESTION_LEFT	   /* the user is gone */
};

/* Answer the open question of this client. */
enum questions_end questions_answer(struct cli *cli, struct co_client *c);

#endif
