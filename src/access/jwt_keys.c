/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/jwt_keys.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>

/* OpenSSL fails so for want of memory only. */
#define NO_MEMORY "out of memory"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define P256_HALF 32 /* bytes of each number of an ES256 signature */
#define P256_DER_MAX 80

struct public_key {
	const char *algorithm;
	EVP_PKEY *key;
};

struct jwt_keys {
	char *secret; /* NULL: none */
	size_t secret_len;
	struct public_key public[JWT_KEYS_MAX];
	size_t n_public;
};

struct jwt_keys *jwt_keys_new(void)
{
	return mem_zero(sizeof(struct jwt_keys));
}

static void wipe_secret(struct jwt_keys *keys)
{
	if (keys->secret)
		OPENSSL_cleanse(keys->secret, keys->secret_len);
	free(keys->secret);
	keys->secret = NULL;
}

void jwt_keys_free(struct jwt_keys **keys)
{
	struct jwt_keys *k = *keys;
	if (!k)
		return;
	wipe_secret(k);
	for (size_t i = 0; i < k->n_public; i++)
		EVP_PKEY_free(k->public[i].key);
	free(k);
	*keys = NULL;
}

bool jwt_keys_are_none(const struct jwt_keys *keys)
{
	return !keys->secret && keys->n_public == 0;
}

bool jwt_keys_can_sign(const struct jwt_keys *keys)
{
	return keys->secret;
}

/* ---- the secret ---- */

int jwt_keys_set_secret(
    struct jwt_keys *keys, const char *secret, size_t len, struct err *err)
{
	static const char pem[] = "-----BEGIN ";
	if (len < JWT_SECRET_MIN)
		return err_set(err, ERR_CONFIG,
		    "the secret has %zu bytes; HS256 needs at least %d", len,
		    JWT_SECRET_MIN);
	if (memcmp(secret, pem, sizeof pem - 1) == 0)
		return err_set(err, ERR_CONFIG,
		    "the secret is a key in PEM form; public keys belong into "
		    "the file onsembl_keys");
	wipe_secret(keys);
	keys->secret = mem_strndup(secret, len);
	keys->secret_len = len;
	return 0;
}

void jwt_keys_sign(const struct jwt_keys *keys, const char *text, size_t len,
    uint8_t mac[JWT_MAC_SIZE])
{
	unsigned n = 0;
	if (!HMAC(EVP_sha256(), keys->secret, (int)keys->secret_len,
		(const unsigned char *)text, len, mac, &n) ||
	    n != JWT_MAC_SIZE)
		fatal(NO_MEMORY);
}

static bool is_mac(const struct jwt_keys *keys, const char *text, size_t len,
    const uint8_t *signature, size_t signature_len)
{
	uint8_t mac[JWT_MAC_SIZE];
	jwt_keys_sign(keys, text, len, mac);
	return signature_len == sizeof mac &&
	       CRYPTO_memcmp(mac, signature, sizeof mac) == 0;
}

/* ---- public keys ---- */

static bool is_p256(const EVP_PKEY *key)
{
	char group[64];
	return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		   group, sizeof group, NULL) &&
	       strcmp(group, "prime256v1") == 0;
}

/* Returns the one algorithm of a key, or NULL. */
static const char *algorithm_of(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? "RS256"
								    : NULL;
	case EVP_PKEY_EC:
		return is_p256(key) ? "ES256" : NULL;
	case EVP_PKEY_ED25519:
		return "EdDSA";
	default:
		return NULL;
	}
}

/* Takes the key. */
static int add_key(struct jwt_keys *keys, EVP_PKEY *key, struct err *err)
{
	const char *algorithm = algorithm_of(key);
	if (algorithm && keys->n_public < JWT_KEYS_MAX) {
		keys->public[keys->n_public++] =
		    (struct public_key){algorithm, key};
		return 0;
	}
	EVP_PKEY_free(key);
	if (algorithm)
		return err_set(
		    err, ERR_CONFIG, "more than %d public keys", JWT_KEYS_MAX);
	return err_set(err, ERR_CONFIG,
	    "public key %zu is neither RSA of %d to %d bits, nor P-256, nor "
	    "Ed25519",
	    keys->n_public + 1, RSA_BITS_MIN, RSA_BITS_MAX);
}

/* Returns the next key in the text; *is_end: there is none, nor a part of one. */
static EVP_PKEY *next_key(BIO *pem, bool *is_end)
{
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n = 0;
	EVP_PKEY *key = NULL;
	*is_end = false;
	if (!PEM_read_bio(pem, &name, &header, &der, &n)) {
		*is_end = ERR_GET_REASON(ERR_peek_last_error()) ==
			  PEM_R_NO_START_LINE;
		return NULL;
	}
	const unsigned char *at = der;
	if (strcmp(name, PEM_STRING_PUBLIC) == 0)
		key = d2i_PUBKEY(NULL, &at, n);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(der, (size_t)n); /* it may be a private key */
	return key;
}

static int add_all(struct jwt_keys *keys, BIO *pem, struct err *err)
{
	EVP_PKEY *key;
	bool is_end;
	while ((key = next_key(pem, &is_end)))
		if (add_key(keys, key, err) != 0)
			return -1;
	if (!is_end)
		return err_set(err, ERR_CONFIG,
		    "key %zu is damaged, or no public key", keys->n_public + 1);
	if (keys->n_public == 0)
		return err_set(
		    err, ERR_CONFIG, "it has no public key in PEM form");
	return 0;
}

int jwt_keys_add_public(
    struct jwt_keys *keys, const char *pem, size_t len, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		fatal(NO_MEMORY);
	ERR_clear_error();
	int rc = add_all(keys, bio, err);
	ERR_clear_error();
	BIO_free(bio);
	return rc;
}

/*
 * ES256 has two numbers side by side (RFC 7518 section 3.4); OpenSSL wants them
 * in DER. Returns the length, or 0.
 */
static size_t put_der(
    uint8_t out[P256_DER_MAX], const uint8_t *signature, size_t len)
{
	uint8_t *at = out;
	if (len != 2 * P256_HALF)
		return 0;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(signature, P256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(signature + P256_HALF, P256_HALF, NULL);
	if (!pair || !r || !s || !ECDSA_SIG_set0(pair, r, s))
		fatal(NO_MEMORY);
	int n = i2d_ECDSA_SIG(pair, NULL);
	if (n > 0 && n <= P256_DER_MAX)
		n = i2d_ECDSA_SIG(pair, &at);
	else
		n = 0;
	ECDSA_SIG_free(pair);
	return n > 0 ? (size_t)n : 0;
}

static bool verify_bytes(const struct public_key *k, const char *text,
    size_t len, const uint8_t *signature, size_t signature_len)
{
	bool is_ed = strcmp(k->algorithm, "EdDSA") == 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx)
		fatal(NO_MEMORY);
	bool is_good = EVP_DigestVerifyInit(ctx, NULL,
			   is_ed ? NULL : EVP_sha256(), NULL, k->key) == 1 &&
		       EVP_DigestVerify(ctx, signature, signature_len,
			   (const unsigned char *)text, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return is_good;
}

static bool verify_public(const struct public_key *k, const char *text,
    size_t len, const uint8_t *signature, size_t signature_len)
{
	uint8_t der[P256_DER_MAX];
	if (strcmp(k->algorithm, "ES256") != 0)
		return verify_bytes(k, text, len, signature, signature_len);
	size_t n = put_der(der, signature, signature_len);
	return n > 0 && verify_bytes(k, text, len, der, n);
}

bool jwt_keys_verify(const struct jwt_keys *keys, const char *algorithm,
    const char *text, size_t len, const uint8_t *signature,
    size_t signature_len, bool *is_known)
{
	bool is_good = false;
	*is_known = false;
	if (strcmp(algorithm, "HS256") == 0) {
		*is_known = keys->secret;
		return keys->secret &&
		       is_mac(keys, text, len, signature, signature_len);
	}
	for (size_t i = 0; i < keys->n_public && !is_good; i++) {
		const struct public_key *k = &keys->public[i];
		if (strcmp(k->algorithm, algorithm) != 0)
			continue;
		*is_known = true;
		is_good = verify_public(k, text, len, signature, signature_len);
	}
	return is_good;
}
