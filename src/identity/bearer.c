/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/bearer.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Compare digests, so that timing does not even reveal the length of a token.
 */
bool bearer_is_same(const char *text, size_t len, const char *token)
{
	unsigned char x[crypto_hash_sha256_BYTES], y[sizeof x];

	/* These cannot fail. */
	(void)crypto_hash_sha256(x, (const unsigned char *)text, len);
	(void)crypto_hash_sha256(
	    y, (const unsigned char *)token, strlen(token));
	return sodium_memcmp(x, y, sizeof x) == 0;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

const char *bearer_token(const char *authorization)
{
	static const char scheme[] = "Bearer ";
	const size_t n = sizeof scheme - 1;

	if (!authorization || strncasecmp(authorization, scheme, n) != 0)
		return NULL;
	return authorization + n;
}

bool bearer_is_good(const char *authorization, bool is_api_key_taken)
{
	const char *own = variable("CONNECTONION_ADMIN_TOKEN");
	const char *key = variable("OPENONION_API_KEY");
	const char *token = bearer_token(authorization);

	if (!token)
		return false;
	size_t n = strlen(token);
	bool is_own = bearer_is_same(token, n, own) && *own &&
		      !bearer_is_same(own, strlen(own), key);
	bool is_key =
	    bearer_is_same(token, n, key) && *key && !*own && is_api_key_taken;
	return is_own || is_key;
}
