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
static bool bearer_is_same(const char *a, const char *b)
{
	unsigned char x[crypto_hash_sha256_BYTES], y[sizeof x];

	/* These cannot fail. */
	(void)crypto_hash_sha256(x, (const unsigned char *)a, strlen(a));
	(void)crypto_hash_sha256(y, (const unsigned char *)b, strlen(b));
	return sodium_memcmp(x, y, sizeof x) == 0;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

bool bearer_is_good(const char *authorization, bool is_api_key_taken)
{
	static const char scheme[] = "Bearer ";
	const char *own = variable("CONNECTONION_ADMIN_TOKEN");
	const char *key = variable("OPENONION_API_KEY");
	size_t n = sizeof scheme - 1;

	if (!authorization || strncasecmp(authorization, scheme, n) != 0)
		return false;
	const char *token = authorization + n;
	bool is_own =
	    bearer_is_same(token, own) && *own && !bearer_is_same(own, key);
	bool is_key =
	    bearer_is_same(token, key) && *key && !*own && is_api_key_taken;
	return is_own || is_key;
}
