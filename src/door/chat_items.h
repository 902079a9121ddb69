/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_CHAT_ITEMS_H
#define DOOR_CHAT_ITEMS_H

/*
 * What a client shows of a conversation: its messages, and beside them what the
 * trace tells of thoughts, tools, files and evals (doc/oip.txt 11). A pure
 * function.
 */
#include <stddef.h>

struct buf;

/*
 * Append the chat items, a JSON array, of a conversation, a JSON object. What
 * cannot be read as one has none.
 */
void chat_items_put(struct buf *out, const char *conversation, size_t len);

#endif
