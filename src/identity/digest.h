/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_DIGEST_H
#define IDENTITY_DIGEST_H

/*
 * Short digests (BLAKE2b-128), by which places, sessions and callers are known
 * where their names are too long, or nobody's business. Pure.
 */
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 16

/* The digest of n bytes. */
void digest_of(uint8_t out[DIGEST_SIZE], const void *p, size_t n);

/* One that nobody can make without our secret key (identity/ident_key.h). */
void digest_keyed(uint8_t out[DIGEST_SIZE], const uint8_t *secret_key,
    const void *p, size_t n);

#endif
