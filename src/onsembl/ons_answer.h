/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_ANSWER_H
#define ONSEMBL_ONS_ANSWER_H

/*
 * Answers to the questions of agents. Onsembl has no message for them: the text
 * of a command answers an earlier command that waits, and "yes" or "y" approves.
 */
#include "base/span.h"

#include <stdbool.h>

struct session;

/*
 * Answer the question of a session with this text. Returns false if it does not
 * wait for an answer.
 */
bool ons_answer_give(struct session *s, struct span text);

#endif
