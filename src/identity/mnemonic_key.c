/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * From a phrase to a key. Each step follows a standard: any change here would
 * change every address.
 */
#include "identity/mnemonic.h"

#include "core/err.h"

#include <sodium.h>

#include <string.h>

/* An input of the derivation, not a location: no setting changes it. */
#define ACCOUNT_URI "https://oo.openonion.ai"

#define ROUNDS 2048
#define HASH_SIZE crypto_auth_hmacsha512_BYTES
#define PURPOSE 13u
#define HARDENED 0x80000000u

typedef crypto_auth_hmacsha512_state hmac_state;

static void hmac(
    uint8_t out[HASH_SIZE], const hmac_state *keyed, const void *data, size_t n)
{
	hmac_state state = *keyed;
	(void)crypto_auth_hmacsha512_update(&state, data, n);
	(void)crypto_auth_hmacsha512_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

static void key_hmac(hmac_state *state, const void *key, size_t n)
{
	(void)crypto_auth_hmacsha512_init(state, key, n);
}

/* PBKDF2-HMAC-SHA512 (RFC 8018 section 5.2), its one block of 64 bytes. */
static void stretch(uint8_t seed[HASH_SIZE], const char *phrase)
{
	/* The salt without a passphrase, followed by the block number. */
	static const uint8_t salt[] = "mnemonic\0\0\0\1";
	uint8_t u[HASH_SIZE];
	hmac_state keyed;
	key_hmac(&keyed, phrase, strlen(phrase));
	hmac(u, &keyed, salt, sizeof salt - 1);
	memcpy(seed, u, HASH_SIZE);
	for (int round = 1; round < ROUNDS; round++) {
		hmac(u, &keyed, u, sizeof u);
		for (size_t i = 0; i < HASH_SIZE; i++)
			seed[i] ^= u[i];
	}
	sodium_memzero(u, sizeof u);
	sodium_memzero(&keyed, sizeof keyed);
}

/* ---- the tree: 32 bytes of key, 32 bytes of chain code ---- */

static void go_to_root(uint8_t node[HASH_SIZE], const uint8_t seed[HASH_SIZE])
{
	static const char curve[] = "ed25519 seed";
	hmac_state keyed;
	key_hmac(&keyed, curve, sizeof curve - 1);
	hmac(node, &keyed, seed, HASH_SIZE);
	sodium_memzero(&keyed, sizeof keyed);
}

static void go_to_child(uint8_t node[HASH_SIZE], uint32_t index)
{
	uint8_t data[1 + 32 + 4] = {0};
	hmac_state keyed;
	memcpy(data + 1, node, 32);
	index |= HARDENED;
	for (size_t i = 0; i < 4; i++)
		data[33 + i] = (uint8_t)(index >> (24 - 8 * i));
	key_hmac(&keyed, node + 32, 32);
	hmac(node, &keyed, data, sizeof data);
	sodium_memzero(data, sizeof data);
	sodium_memzero(&keyed, sizeof keyed);
}

/*
 * m/13'/A'/B'/C'/D', where A to D come from the hash of the index, 0, and URI.
 */
static void go_to_account(uint8_t node[HASH_SIZE])
{
	static const uint8_t name[] = "\0\0\0\0" ACCOUNT_URI;
	uint8_t hash[crypto_hash_sha256_BYTES];
	(void)crypto_hash_sha256(hash, name, sizeof name - 1);
	go_to_child(node, PURPOSE);
	for (size_t i = 0; i < 4; i++) {
		const uint8_t *p = hash + 4 * i;
		go_to_child(node, (uint32_t)p[0] | (uint32_t)p[1] << 8 |
				      (uint32_t)p[2] << 16 |
				      (uint32_t)p[3] << 24);
	}
}

int mnemonic_key(uint8_t key[32], const char *phrase, struct err *err)
{
	uint8_t seed[HASH_SIZE], node[HASH_SIZE];
	if (!mnemonic_is_valid(phrase))
		return err_set(err, ERR_CONFIG, "Invalid recovery phrase");
	stretch(seed, phrase);
	go_to_root(node, seed);
	go_to_account(node);
	memcpy(key, node, 32);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(node, sizeof node);
	return 0;
}
