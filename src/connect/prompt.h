/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_PROMPT_H
#define CONNECT_PROMPT_H

/* An input as the members of an INPUT. Pure function. */
#include <co_connect.h>

#include <stddef.h>

struct buf;

/*
 * Append prompt, images, files and input_id, each with a comma before it, and a
 * NUL that the length omits. Returns 0, or -1 with a text in why (size bytes)
 * about what cannot be sent.
 */
int prompt_write(struct buf *out, const struct co_prompt *prompt,
    const char *input_id, char *why, size_t size);

#endif
