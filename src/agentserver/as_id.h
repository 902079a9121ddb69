/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_ID_H
#define AGENTSERVER_AS_ID_H

/*
 * Ids of conversations and of events, which are UUIDs for these clients.
 *
 * A conversation is the session whose id is the UUID in lower case with dashes,
 * the form in which the server makes ids itself. A session whose id is the same
 * UUID as 32 digits is found as well.
 *
 * The id of an event contains its position in the journal, and a salt made of
 * the session, its number and the epoch of the journal. So it needs no table,
 * and the id of an event of another conversation, of a deleted one with the same
 * UUID, or of a journal that is lost, is recognized as such. Pure functions.
 */
#include "base/enc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the 32 digits of a UUID with a NUL. */
#define AS_ID_DIGITS 33

/*
 * Read a UUID, with or without dashes, and write it with dashes. Returns false
 * if the text is none.
 */
bool as_id_read(char out[ENC_UUID_SIZE], const char *text, size_t len);

/* Write a UUID without its dashes. */
void as_id_digits(char out[AS_ID_DIGITS], const char *uuid);

/*
 * Returns the salt of the events of a session. Sessions of one id have different
 * numbers (session_number()), and thus different salts.
 */
uint64_t as_id_salt(const char *session, uint64_t number, uint64_t epoch);

/* Write the id of the event at a position. */
void as_id_event(char out[ENC_UUID_SIZE], uint64_t salt, uint64_t seq);

/* Read the position from the id of an event. Returns false if it has none. */
bool as_id_event_read(
    uint64_t *seq, uint64_t salt, const char *text, size_t len);

#endif
