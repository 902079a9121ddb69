/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_SESSION_ID_H
#define CORE_SESSION_ID_H

/*
 * The id of a session: a text chosen by a client or the server. It is an opaque
 * key; only its length and bytes are checked (doc/oip.txt, 2).
 */
#include <stdbool.h>
#include <stddef.h>

/* The maximum length of a session id in bytes. */
#define SESSION_ID_MAX 256

/*
 * Whether an id is UTF-8, has a permitted length and no control characters.
 */
bool session_id_is_valid(const char *id, size_t len);

#endif
