/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_STIMULUS_LINE_H
#define CORE_STIMULUS_LINE_H

/*
 * A stimulus of a turn as the line that co-agent(7) has for it: what the user
 * answered, said besides, or that he wants it to stop. For agents in processes
 * of ours, and for those that have dialed in.
 */
#include "core/event.h"

#include <stdbool.h>

struct buf;

/* The line of EV_INTERRUPT. */
#define STIMULUS_INTERRUPT "{\"type\":\"INTERRUPT\"}\n"

/*
 * Append the line for a stimulus. Returns false, with nothing appended, if it
 * has none.
 */
bool stimulus_line(struct buf *out, const struct event *ev);

#endif
