/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/mnemonic.h"

#include "identity/words.h"

#include <sodium.h>

#include <string.h>

#define MAX_WORDS 24
#define MAX_BYTES (MAX_WORDS * WORDS_BITS / 8)

/* ---- bits, the highest of a byte first ---- */

static unsigned get_bits(const uint8_t *bytes, size_t at, size_t n)
{
	unsigned v = 0;
	for (size_t i = at; i < at + n; i++)
		v = v << 1 | (bytes[i / 8] >> (7 - i % 8) & 1u);
	return v;
}

static void put_bits(uint8_t *bytes, size_t at, size_t n, unsigned v)
{
	for (size_t i = 0; i < n; i++)
		if (v >> (n - 1 - i) & 1u)
			bytes[(at + i) / 8] |= (uint8_t)(0x80 >> (at + i) % 8);
}

/* ---- words ---- */

void mnemonic_encode(char phrase[MNEMONIC_SIZE], const uint8_t entropy[16])
{
	uint8_t bytes[16 + 1], hash[crypto_hash_sha256_BYTES];
	char *p = phrase;
	(void)crypto_hash_sha256(hash, entropy, 16); /* cannot fail */
	memcpy(bytes, entropy, 16);
	bytes[16] = hash[0]; /* of which four bits are used */
	for (size_t i = 0; i < 12; i++) {
		const char *word =
		    words_at(get_bits(bytes, i * WORDS_BITS, WORDS_BITS));
		size_t n = strlen(word);
		if (i)
			*p++ = ' ';
		memcpy(p, word, n);
		p += n;
	}
	*p = '\0';
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(hash, sizeof hash);
}

void mnemonic_make(char phrase[MNEMONIC_SIZE])
{
	uint8_t entropy[16];
	randombytes_buf(entropy, sizeof entropy);
	mnemonic_encode(phrase, entropy);
	sodium_memzero(entropy, sizeof entropy);
}

/*
 * Put the bits of the words into bytes, which must be zeroed. Returns the
 * number of words; 0 if there are too many or one is not in the list.
 */
static size_t mnemonic_decode(uint8_t bytes[MAX_BYTES], const char *phrase)
{
	size_t n = 0;
	for (const char *p = phrase; n < MAX_WORDS; n++) {
		size_t len = strcspn(p, " ");
		int word = words_find(p, len);
		if (word < 0)
			return 0;
		put_bits(bytes, n * WORDS_BITS, WORDS_BITS, (unsigned)word);
		if (!p[len])
			return n + 1;
		p += len + 1;
	}
	return 0;
}

/* One bit of checksum for each three words; the rest is whole bytes. */
static bool has_checksum(const uint8_t *bytes, size_t n_words)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	size_t n_check = n_words / 3;
	size_t n_bits = n_words * WORDS_BITS - n_check;
	(void)crypto_hash_sha256(hash, bytes, n_bits / 8); /* cannot fail */
	bool is_right =
	    get_bits(hash, 0, n_check) == get_bits(bytes, n_bits, n_check);
	sodium_memzero(hash, sizeof hash);
	return is_right;
}

bool mnemonic_is_valid(const char *phrase)
{
	uint8_t bytes[MAX_BYTES] = {0};
	size_t n = mnemonic_decode(bytes, phrase);
	bool is_valid = n >= 12 && n % 3 == 0 && has_checksum(bytes, n);
	sodium_memzero(bytes, sizeof bytes);
	return is_valid;
}

void mnemonic_wipe(void *secret, size_t n)
{
	sodium_memzero(secret, n);
}
