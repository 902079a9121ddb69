/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_QUERY_H
#define CONNECT_QUERY_H

/*
 * A question of the agent, as the caller sees it (struct co_question), made from
 * its event. Pure functions.
 */
#include "base/buf.h"

#include <co_connect.h>

#include <stdbool.h>

struct json;

/* A question that owns its texts; {0} is none. */
struct query {
	struct co_question question;
	struct buf texts; /* all of them, each with its NUL */
	const char **options;
};

/* Returns what kind of question an event of this type is, or CO_NO_QUESTION. */
enum co_question_kind query_kind(const struct json *type);

/* Make *q the question of this event (a copy, in place of an earlier one). */
void query_read(
    struct query *q, enum co_question_kind kind, const struct json *event);

/* Free what it owns; it is then {0}. */
void query_fini(struct query *q);

#endif
