/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_HOLD_H
#define SESSION_HOLD_H

/*
 * Who holds a session that is nobody's (session.h): what its record keeps of
 * that. Its home is the digest of the place from which a holder spoke last.
 */
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct session_call;

/* The digest of a place. */
void hold_digest(uint8_t home[16], const char *place);

/*
 * Decide what is the home of the session from c's turn on: c's own place if it
 * holds the session or nobody did, else what the stored record says.
 */
void hold_settle(struct session_call *c, struct store_txn *facts);

#endif
