/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_FRAME_H
#define DOOR_FRAME_H

/*
 * The ConnectOnion door, outwards: an event becomes a frame (doc/oip.txt 5 and
 * 9). Pure: no socket, no session call; goldens in t/golden/oip check its bytes.
 */
#include "base/buf.h"
#include "core/event.h"

#include <stdbool.h>

struct session_record;

/*
 * Append the frame of a STREAM event; false, with nothing appended, for an
 * event that has no frame of its own here (CONTROL and TERMINAL ones).
 */
bool frame_event(
    struct buf *out, const struct event *ev, const char *session_id);

/*
 * Append the OUTPUT or ERROR of a TERMINAL event. record is the session's
 * record, or NULL when it is gone; input_id is NULL when the event has it, or
 * nobody does. An OUTPUT carries
 * result, duration_ms, session and chat_items.
 */
void frame_end(struct buf *out, const struct event *ev, const char *session_id,
    const struct session_record *record, const char *input_id);

/*
 * Append a conversation (a JSON object), with the word of its continuation
 * where there is one.
 */
void frame_conversation(struct buf *out, const char *conversation, size_t len,
    const char *continuation);

/*
 * Append skills (a JSON array as text, NULL: none) as an array: all, or those
 * alone that may be published.
 */
void frame_skills(struct buf *out, const char *skills, bool published_only);

#endif
