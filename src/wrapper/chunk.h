/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_CHUNK_H
#define WRAPPER_CHUNK_H

/* Where the output of a program may be cut into messages. Pure functions. */
#include <stddef.h>

/* A longer escape sequence is cut like any other text. */
#define CHUNK_MAX_ESCAPE 4096

/*
 * Returns how many of n bytes may be sent now: all of them, without a UTF-8
 * character or a terminal's escape sequence (ECMA-48) that is incomplete at the
 * end.
 */
size_t chunk_whole(const char *s, size_t n);

#endif
