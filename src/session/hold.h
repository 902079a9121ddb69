/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SESSION_HOLD_H
#define SESSION_HOLD_H

/*
 * The holder of a session without an owner (session.h), as kept in its record:
 * its home is the digest of the place from which a holder spoke last.
 */
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct session_call;

/* Compute the digest of a place. */
void hold_digest(uint8_t home[16], const char *place);

/*
 * Determine the home of the session from c's turn on: c's own place if it holds
 * the session or no home is known, otherwise that of the stored record.
 */
void hold_settle(struct session_call *c, struct store_txn *facts);

#endif
