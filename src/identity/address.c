/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/address.h"

#include "base/enc.h"

#include <string.h>

#define KEY_SIZE 32
#define N_DIGITS ((size_t)2 * KEY_SIZE)

/* Both cases are accepted, so the spelling is derived from the bytes. */
bool address_parse(const char *s, size_t len, char out[ADDRESS_SIZE])
{
	uint8_t key[KEY_SIZE];

	out[0] = '\0';
	if (len == 2 + N_DIGITS && memcmp(s, "0x", 2) == 0) {
		s += 2;
		len -= 2;
	}
	if (len != N_DIGITS || !enc_unhex(key, s, KEY_SIZE))
		return false;
	memcpy(out, "0x", 2);
	enc_hex(out + 2, key, KEY_SIZE);
	return true;
}

void address_key(const char *address, uint8_t key[KEY_SIZE])
{
	/* cannot fail: a canonical address has these digits */
	(void)enc_unhex(key, address + 2, KEY_SIZE);
}
