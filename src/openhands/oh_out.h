/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_OUT_H
#define OPENHANDS_OH_OUT_H

/*
 * Events of a conversation on their way to a client: a cursor over the journal
 * (session.h), which is kept in the state of the client.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct engine_side;
struct oh_cursor;
struct session;

/*
 * Begin at what the client has seen (last_id); everything there is now is a
 * replay. An id that no event has yet is of a journal that was lost: then all
 * is new to the client.
 */
void oh_out_begin(struct oh_cursor *cursor, const struct session *s);

/* fill() of struct engine_user. */
bool oh_out_fill(struct engine_side *side, struct buf *out, size_t most);

#endif
