/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_FRAME_H
#define DOOR_FRAME_H

/*
 * Frames of the ConnectOnion protocol that are made from events (doc/oip.txt 5,
 * 9 and 15). Pure functions: no socket, no session call; the goldens in
 * t/golden/oip check the bytes.
 */
#include "base/buf.h"
#include "core/event.h"

#include <stdbool.h>

struct session_record;

/*
 * Append the frame of a STREAM event. Returns false, with nothing appended, for
 * an event that has no frame of its own (CONTROL and TERMINAL events).
 */
bool frame_event(
    struct buf *out, const struct event *ev, const char *session_id);

/*
 * Append any event as a row (doc/oip.txt 15). A body with other members of the
 * names pos, turn, type, id, ts and session_id loses them.
 */
void frame_row(struct buf *out, const struct event *ev);

/*
 * Append the OUTPUT or ERROR of a TERMINAL event. record is the session's
 * record, or NULL if it no longer exists. input_id is used if the event has
 * none, and may be NULL. An OUTPUT carries result, duration_ms, session and
 * chat_items.
 */
void frame_end(struct buf *out, const struct event *ev, const char *session_id,
    const struct session_record *record, const char *input_id);

/*
 * Append a conversation (a JSON object), with the continuation token unless
 * that is NULL.
 */
void frame_conversation(struct buf *out, const char *conversation, size_t len,
    const char *continuation);

/*
 * Append skills (a JSON array as text, NULL: none) as an array: all of them, or
 * only those that may be published.
 */
void frame_skills(struct buf *out, const char *skills, bool published_only);

#endif
