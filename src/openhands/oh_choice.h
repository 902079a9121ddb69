/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_CHOICE_H
#define OPENHANDS_OH_CHOICE_H

/*
 * Answers by number. Clients of OpenHands show a question of the agent as text,
 * with its options as numbered lines, so their users answer "2".
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct session;

/*
 * If the session waits for an answer to a question (ask_user), and the text is
 * the number of one of its options but not itself one of them, append that
 * option to *out and return true.
 */
bool oh_choice_find(
    struct buf *out, const struct session *s, const char *text, size_t len);

#endif
