/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_RENDER_H
#define WRAPPER_RENDER_H

/*
 * Events of co-agent(7) for servers that know only terminals: as text with
 * colours, and back, from what a person types. Pure functions.
 */
#include <stddef.h>

struct buf;
struct json;

/* What an event asks of the user. */
enum render_question { RENDER_NOTHING, RENDER_APPROVAL, RENDER_QUESTION };

/* Append the text of an event. Returns what it asks. */
enum render_question render_event(struct buf *out, const struct json *event);

/*
 * Append the answer, a line of co-agent(7), that a text means. An approval is
 * given by yes, y, ok or allow; all else refuses, and the agent is told it.
 */
void render_answer(
    struct buf *out, enum render_question question, const char *text);

#endif
