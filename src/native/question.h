/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_QUESTION_H
#define NATIVE_QUESTION_H

/*
 * The questions of an agent in C to its user: each is an event, and waits for
 * its answer. One is open at a time, since answers do not say what they answer.
 * co_agent.h says what the calls return.
 */
#include "native/task.h"

#include <co_agent.h>

/* Ask for a text, or for some of the options. */
int question_ask(struct task *t, const char *question,
    const char *const *options, bool is_several, const struct json **answer);

/* Ask for approval. */
int question_approve(struct task *t, const char *tool, const char *args,
    const char *description, struct co_approval *approval);

/* Ask what the user says of a plan. */
int question_review(struct task *t, const char *plan, const char **message);

#endif
