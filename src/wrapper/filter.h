/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_FILTER_H
#define WRAPPER_FILTER_H

/*
 * What of a program's output goes to dashboards: text, colors, movements and
 * titles. Questions to the terminal are left out, since each dashboard would
 * answer them, and so is what reaches beyond the screen, such as the clipboard.
 * A pure function.
 */
#include "wrapper/ansi.h"

#include <stddef.h>

struct buf;

/* Append a part of the output if dashboards may have it. */
void filter_put(
    struct buf *out, enum ansi_kind kind, const char *text, size_t len);

#endif
