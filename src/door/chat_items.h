/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_CHAT_ITEMS_H
#define DOOR_CHAT_ITEMS_H

/*
 * The items that a client displays of a conversation: its messages, and between
 * them what the trace says of thoughts, tools, files and evals (doc/oip.txt
 * 11). A pure function.
 */
#include <stddef.h>

struct buf;

/*
 * Append the chat items, a JSON array, of a conversation, a JSON object of len
 * bytes. A conversation that cannot be parsed has none.
 */
void chat_items_put(struct buf *out, const char *conversation, size_t len);

#endif
