/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_KEY_H
#define IDENTITY_IDENT_KEY_H

/*
 * The secret key of this agent, for processes that sign. It is read from the
 * file that identity/ident.h describes and lies in memory that is locked, not
 * dumped, and erased when it is closed.
 */
#include <stdint.h>

struct err;

/*
 * The key whose address this is, found in co_dir, else in home/.co (home may be
 * NULL): Ed25519's 64 bytes, the seed and the public key. NULL with ERR_CONFIG:
 * it cannot be read, or is another key by now.
 */
const uint8_t *ident_key_open(
    const char *co_dir, const char *home, const char *address, struct err *err);

/* Erase it and null *key. */
void ident_key_close(const uint8_t **key);

#endif
