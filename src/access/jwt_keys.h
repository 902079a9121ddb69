/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_JWT_KEYS_H
#define ACCESS_JWT_KEYS_H

/*
 * The keys that sign tokens (access/jwt.h), with OpenSSL. A key has one
 * algorithm, which follows from what it is, never from a token: a secret makes
 * HS256, and a public key verifies RS256 (RSA of at least 2048 bits), ES256
 * (P-256) or EdDSA (Ed25519). So a token cannot have its signature checked in
 * another way than the operator meant (RFC 8725 section 3.1).
 *
 * A set is filled in once and then only read, from any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct jwt_keys;

/* The shortest secret (RFC 7518 section 3.2). */
#define JWT_SECRET_MIN 32

/* The maximum number of public keys in a set. */
#define JWT_KEYS_MAX 16

/* The longest signature: that of an RSA key of 8192 bits. */
#define JWT_SIGNATURE_MAX 1024

/* The size of a signature by a secret. */
#define JWT_MAC_SIZE 32

/* Returns an empty set. */
struct jwt_keys *jwt_keys_new(void);

/* Free the set, wipe its secret, and null *keys; NULL is accepted. */
void jwt_keys_free(struct jwt_keys **keys);

/* Whether no token can be good. */
bool jwt_keys_are_none(const struct jwt_keys *keys);

/* Whether the set has a secret, and so can sign. */
bool jwt_keys_can_sign(const struct jwt_keys *keys);

/*
 * Set the secret. Returns 0, or -1 with ERR_CONFIG: it is shorter than
 * JWT_SECRET_MIN, or it is a key in PEM form, which belongs to the others.
 */
int jwt_keys_set_secret(
    struct jwt_keys *keys, const char *secret, size_t len, struct err *err);

/*
 * Add the public keys in a text in PEM form ("BEGIN PUBLIC KEY", one or more).
 * Returns 0, or -1 with ERR_CONFIG: there is none, one is of another kind or
 * too small, or the set is full.
 */
int jwt_keys_add_public(
    struct jwt_keys *keys, const char *pem, size_t len, struct err *err);

/*
 * Whether a key of this algorithm ("HS256") made the signature of the text.
 * *is_known says whether there is such a key.
 */
bool jwt_keys_verify(const struct jwt_keys *keys, const char *algorithm,
    const char *text, size_t len, const uint8_t *signature,
    size_t signature_len, bool *is_known);

/* Sign a text with the secret, which the set must have. */
void jwt_keys_sign(const struct jwt_keys *keys, const char *text, size_t len,
    uint8_t mac[JWT_MAC_SIZE]);

#endif
