/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * Signed requests for the load generator, made before the time is taken, and
 * what the signatures cost at least.
 *
 *   sign connect HOST_ADDRESS N     N frames CONNECT, one a line
 *   sign post HOST_ADDRESS N PROMPT N bodies for POST /input
 *   sign verify SECONDS             rate of bare verification on this core
 *
 * All are signed by one new key, and no two are alike. They are fresh for five
 * minutes.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_BYTES 2048

static unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
static unsigned char secret_key[crypto_sign_SECRETKEYBYTES];

static double now(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The canonical text of a payload: its keys are written in order. */
static int put_payload(char text[TEXT_BYTES], const char *host,
    const char *prompt, unsigned long number)
{
	char said[TEXT_BYTES / 2] = "";
	if (prompt)
		(void)snprintf(said, sizeof said, "\"prompt\":\"%s\",", prompt);
	int n = snprintf(text, TEXT_BYTES,
	    "{\"nonce\":\"n%lu\",%s\"timestamp\":%lld,\"to\":\"%s\"}", number,
	    said, (long long)time(NULL), host);
	if (n < 0 || n >= TEXT_BYTES) {
		(void)fputs("sign: the prompt is too long\n", stderr);
		exit(1);
	}
	return n;
}

static void put_signed(const char *head, const char *host, const char *prompt,
    unsigned long number)
{
	char text[TEXT_BYTES], key[2 * sizeof public_key + 1];
	char signature[2 * crypto_sign_BYTES + 1];
	unsigned char raw[crypto_sign_BYTES];
	int n = put_payload(text, host, prompt, number);
	(void)crypto_sign_detached(raw, NULL, (const unsigned char *)text,
	    (unsigned long long)n, secret_key);
	(void)sodium_bin2hex(key, sizeof key, public_key, sizeof public_key);
	(void)sodium_bin2hex(signature, sizeof signature, raw, sizeof raw);
	printf("{%s\"payload\":%s,\"from\":\"0x%s\",\"signature\":\"%s\"}\n",
	    head, text, key, signature);
}

static int verify(double seconds)
{
	char text[TEXT_BYTES];
	unsigned char raw[crypto_sign_BYTES];
	char host[] = "0x0000000000000000000000000000000000000000"
		      "000000000000000000000000";
	int n = put_payload(text, host, NULL, 1);
	unsigned long done = 0;
	(void)crypto_sign_detached(raw, NULL, (const unsigned char *)text,
	    (unsigned long long)n, secret_key);
	double begin = now();
	while (now() - begin < seconds) {
		for (int i = 0; i < 100; i++, done++)
			if (crypto_sign_verify_detached(raw,
				(const unsigned char *)text,
				(unsigned long long)n, public_key) != 0)
				return 1;
	}
	printf("rate=%.0f n=%lu\n", (double)done / (now() - begin), done);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_post = argc == 5 && !strcmp(argv[1], "post");
	if (sodium_init() < 0 ||
	    crypto_sign_keypair(public_key, secret_key) != 0)
		return 1;
	if (argc == 3 && !strcmp(argv[1], "verify"))
		return verify(atof(argv[2]));
	if (!is_post && (argc != 4 || strcmp(argv[1], "connect") != 0)) {
		(void)fputs("see the head of bench/sign.c\n", stderr);
		return 1;
	}
	for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++)
		put_signed(is_post ? "" : "\"type\":\"CONNECT\",", argv[2],
		    is_post ? argv[4] : NULL, i);
	return 0;
}
