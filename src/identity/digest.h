/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_DIGEST_H
#define IDENTITY_DIGEST_H

/*
 * Short digests (BLAKE2b-128) that stand for places, sessions and callers where
 * their names are too long or must not be disclosed. Pure functions.
 */
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 16

/* Compute the digest of n bytes. */
void digest_of(uint8_t out[DIGEST_SIZE], const void *p, size_t n);

/*
 * Compute a digest that nobody can compute without our secret key
 * (identity/ident_key.h).
 */
void digest_keyed(uint8_t out[DIGEST_SIZE], const uint8_t *secret_key,
    const void *p, size_t n);

#endif
