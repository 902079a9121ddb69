/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Signs for tests. Each line of input is a key's seed in hex, a space and a
 * text; the signature of the text comes out in hex. A seed alone is answered
 * with the public key.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_DIGITS ((size_t)2 * crypto_sign_SEEDBYTES)

static void say(const unsigned char *bytes, size_t n)
{
	char hex[2 * crypto_sign_BYTES + 1];

	puts(sodium_bin2hex(hex, sizeof hex, bytes, n));
	(void)fflush(stdout);
}

/* Whether the line could be answered. */
static int answer(const char *line, size_t n)
{
	unsigned char seed[crypto_sign_SEEDBYTES];
	unsigned char key[crypto_sign_SECRETKEYBYTES];
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	unsigned char signature[crypto_sign_BYTES];

	if (n < SEED_DIGITS ||
	    sodium_hex2bin(
		seed, sizeof seed, line, SEED_DIGITS, NULL, NULL, NULL) != 0 ||
	    crypto_sign_seed_keypair(public, key, seed) != 0)
		return 0;
	if (n == SEED_DIGITS) {
		say(public, sizeof public);
		return 1;
	}
	const char *text = line + SEED_DIGITS + 1;
	(void)crypto_sign_detached(signature, NULL, (const unsigned char *)text,
	    n - SEED_DIGITS - 1, key);
	say(signature, sizeof signature);
	return 1;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = 0;
	int is_good = sodium_init() >= 0;

	while (is_good && (n = getline(&line, &cap, stdin)) > 0)
		is_good = answer(line, (size_t)n - (line[n - 1] == '\n'));
	free(line);
	return is_good ? 0 : 1;
}
