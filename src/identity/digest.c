/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/digest.h"

#include <sodium.h>

void digest_of(uint8_t out[DIGEST_SIZE], const void *p, size_t n)
{
	(void)crypto_generichash(out, DIGEST_SIZE, p, n, NULL, 0);
}

void digest_keyed(uint8_t out[DIGEST_SIZE], const uint8_t *secret_key,
    const void *p, size_t n)
{
	(void)crypto_generichash(
	    out, DIGEST_SIZE, p, n, secret_key, crypto_generichash_KEYBYTES);
}
