/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_ENC_H
#define BASE_ENC_H

/*
 * Encodings of bytes as text, random identifiers, and a checksum. Pure
 * functions, except for the random ones; safe from any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for a UUID with its NUL. */
#define ENC_UUID_SIZE 37

/* Write 2*n lower-case hex digits and a NUL to out. */
void enc_hex(char *out, const void *p, size_t n);

/*
 * Decode exactly 2*n hex digits of either case into n bytes. Returns false if
 * one of the characters is not a hex digit.
 */
bool enc_unhex(void *out, const char *hex, size_t n);

/*
 * Returns how many bytes n base64 characters decode to (RFC 4648 section 4),
 * taking padding into account.
 */
size_t enc_base64_size(const char *s, size_t n);

/*
 * Decode n base64 characters into out (room for enc_base64_size() bytes; it may
 * be s) and set *out_len. Strict: the length must be a multiple of 4, padding
 * may only be at the end, and no other characters are allowed. Returns whether
 * it was valid.
 */
bool enc_unbase64(void *out, size_t *out_len, const char *s, size_t n);

/* The number of base64 characters for n bytes. */
#define ENC_BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Write the ENC_BASE64_SIZE(n) characters, padded and without a NUL. */
void enc_base64(char *out, const void *p, size_t n);

/* The maximum number of bytes in n base64url characters. */
#define ENC_BASE64URL_BYTES(n) ((n) / 4 * 3 + 2)

/*
 * Decode n base64url characters without padding (RFC 4648 section 5, RFC 7515
 * section 2) into out (room for ENC_BASE64URL_BYTES(n) bytes) and set *out_len.
 * Strict: bytes have one spelling. Returns whether it was valid.
 */
bool enc_unbase64url(void *out, size_t *out_len, const char *s, size_t n);

/* Room for n bytes in base64url, with a NUL. */
#define ENC_BASE64URL_SIZE(n) (ENC_BASE64_SIZE(n) + 1)

/* Write n bytes in base64url, without padding, and a NUL. */
void enc_base64url(char *out, const void *p, size_t n);

/* Fill p with n bytes from the kernel's random source. */
void enc_random(void *p, size_t n);

/*
 * Write a new UUID (RFC 9562 version 7): 48 bits of wall clock first, so that
 * identifiers made at about the same time are neighbours in the store, then 74
 * random bits.
 */
void enc_uuid(char out[ENC_UUID_SIZE]);

/* Whether a UUID has a dash at this place of its text. */
static inline bool enc_uuid_has_dash(size_t at)
{
	return at == 8 || at == 13 || at == 18 || at == 23;
}

/* Whether a text is a UUID with dashes, its digits in upper or lower case. */
bool enc_is_uuid(const char *text, size_t len);

/* Returns the CRC-32C of n bytes, continued from crc (0 to begin). */
uint32_t enc_crc32c(uint32_t crc, const void *p, size_t n);

#endif
