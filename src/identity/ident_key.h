/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_IDENT_KEY_H
#define IDENTITY_IDENT_KEY_H

/*
 * The secret key of this agent, for processes that sign. It is read from the
 * file that identity/ident.h describes, and kept in memory that is locked,
 * excluded from core dumps, and erased on close.
 */
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Open the key that has this address, found in co_dir or else in home/.co (home
 * may be NULL). Returns Ed25519's 64 bytes, the seed and the public key, to be
 * closed by ident_key_close(), or NULL with ERR_CONFIG if it cannot be read or
 * is a different key by now.
 */
const uint8_t *ident_key_open(
    const char *co_dir, const char *home, const char *address, struct err *err);

/*
 * Open the key that lies there, whatever its address, which is written to
 * address (67 bytes). Returns NULL with ERR_NOT_FOUND if there is none, or with
 * ERR_CONFIG.
 */
const uint8_t *ident_key_find(
    const char *co_dir, const char *home, char *address, struct err *err);

/*
 * Make a key from a seed, or a new one (NULL), to be closed in the same way; its
 * address is written to address (67 bytes).
 */
const uint8_t *ident_key_make(const uint8_t *seed, char *address);

/* Room for a signature: 64 bytes as hex digits, NUL. */
#define IDENT_KEY_SIGNATURE_SIZE 129

/* Sign n bytes. */
void ident_key_sign(char signature[IDENT_KEY_SIGNATURE_SIZE],
    const uint8_t *key, const void *p, size_t n);

/* Erase it and set *key to NULL. */
void ident_key_close(const uint8_t **key);

#endif
