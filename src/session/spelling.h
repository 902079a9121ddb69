/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_SPELLING_H
#define SESSION_SPELLING_H

/*
 * A UUID as id of a session is written with dashes, as this server does, or as
 * 32 digits, as OpenHands does. A conversation that was begun in one spelling
 * must not get a twin from a client that uses the other one. Pure functions.
 */
#include "base/enc.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Write the other spelling of a UUID, with its digits as they are. Returns false
 * if the id is none.
 */
bool spelling_other(char other[ENC_UUID_SIZE], const char *id, size_t len);

#endif
