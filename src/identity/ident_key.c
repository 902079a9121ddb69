/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/ident_key.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/log.h"
#include "core/err.h"
#include "identity/address.h"
#include "identity/ident_file.h"

#include <sodium.h>

#include <string.h>

/*
 * Read the seed in a .co folder. Returns -1 if there is none, -2 with *err if
 * it is invalid.
 */
static int read_seed(
    uint8_t seed[crypto_sign_SEEDBYTES], const char *co_dir, struct err *err)
{
	uint8_t bytes[crypto_sign_SEEDBYTES + 1];
	struct buf path = {0};

	buf_printf(&path, "%s/keys/agent.key", co_dir);
	ssize_t n = ident_file_read(buf_cstr(&path), bytes, sizeof bytes, err);
	if (n >= 0 && n != crypto_sign_SEEDBYTES) {
		(void)err_set(err, ERR_CONFIG, "%s: this is no agent key",
		    buf_cstr(&path));
		n = -2;
	}
	if (n >= 0)
		memcpy(seed, bytes, crypto_sign_SEEDBYTES);
	sodium_memzero(bytes, sizeof bytes);
	buf_fini(&path);
	return n < 0 ? (int)n : 0;
}

/* Look into both folders; otherwise as read_seed(). */
static int find_seed(uint8_t seed[crypto_sign_SEEDBYTES], const char *co_dir,
    const char *home, struct err *err)
{
	struct buf users = {0};
	int rc = read_seed(seed, co_dir, err);

	if (rc == -1 && home) {
		buf_printf(&users, "%s/.co", home);
		rc = read_seed(seed, buf_cstr(&users), err);
		buf_fini(&users);
	}
	return rc;
}

static uint8_t *expand(
    const uint8_t seed[crypto_sign_SEEDBYTES], const char *address)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t wanted[crypto_sign_PUBLICKEYBYTES];
	uint8_t *key = sodium_malloc(crypto_sign_SECRETKEYBYTES);

	if (!key)
		fatal("no memory for the key");
	(void)crypto_sign_seed_keypair(public_key, key, seed);
	address_key(address, wanted);
	if (memcmp(public_key, wanted, sizeof wanted) == 0)
		return key;
	sodium_free(key);
	return NULL;
}

const uint8_t *ident_key_open(
    const char *co_dir, const char *home, const char *address, struct err *err)
{
	char canonical[ADDRESS_SIZE];
	uint8_t seed[crypto_sign_SEEDBYTES];
	uint8_t *key = NULL;

	if (sodium_init() < 0)
		fatal("cannot initialise libsodium");
	if (!address_parse(address, strlen(address), canonical)) {
		(void)err_set(err, ERR_CONFIG, "there is no address");
		return NULL;
	}
	int rc = find_seed(seed, co_dir, home, err);
	if (rc == -1)
		(void)err_set(err, ERR_CONFIG,
		    "%s/keys/agent.key is not there any more", co_dir);
	if (rc != 0)
		return NULL;
	key = expand(seed, canonical);
	sodium_memzero(seed, sizeof seed);
	if (!key)
		(void)err_set(err, ERR_CONFIG,
		    "%s/keys/agent.key: the key is not that of %s", co_dir,
		    address);
	else
		(void)sodium_mprotect_readonly(key); /* hardening only */
	return key;
}

const uint8_t *ident_key_find(
    const char *co_dir, const char *home, char *address, struct err *err)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	int rc = find_seed(seed, co_dir, home, err);

	if (rc == -1)
		(void)err_set(err, ERR_NOT_FOUND,
		    "%s/keys/agent.key is not there", co_dir);
	if (rc != 0)
		return NULL;
	const uint8_t *key = ident_key_make(seed, address);
	sodium_memzero(seed, sizeof seed);
	return key;
}

const uint8_t *ident_key_make(const uint8_t *seed, char *address)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t *key = NULL;

	if (sodium_init() < 0)
		fatal("cannot initialise libsodium");
	key = sodium_malloc(crypto_sign_SECRETKEYBYTES);
	if (!key)
		fatal("no memory for the key");
	if (seed)
		(void)crypto_sign_seed_keypair(public_key, key, seed);
	else
		(void)crypto_sign_keypair(public_key, key);
	memcpy(address, "0x", 2);
	enc_hex(address + 2, public_key, sizeof public_key);
	(void)sodium_mprotect_readonly(key); /* hardening only */
	return key;
}

void ident_key_sign(char signature[IDENT_KEY_SIGNATURE_SIZE],
    const uint8_t *key, const void *p, size_t n)
{
	uint8_t bytes[crypto_sign_BYTES];

	(void)crypto_sign_detached(bytes, NULL, p, n, key); /* cannot fail */
	enc_hex(signature, bytes, sizeof bytes);
}

void ident_key_close(const uint8_t **key)
{
	union {
		const uint8_t *p;
		void *memory;
	} u = {.p = *key};

	*key = NULL;
	sodium_free(u.memory); /* erases; takes NULL */
}
