/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "bench/announcer.h"

#include "base/buf.h"
#include "bench/peer.h"

#include <string.h>
#include <time.h>

void announcer_init(struct announcer *a)
{
	unsigned char key[crypto_sign_PUBLICKEYBYTES];
	if (sodium_init() < 0)
		die("libsodium does not start");
	(void)crypto_sign_keypair(key, a->secret);
	memcpy(a->address, "0x", 2);
	(void)sodium_bin2hex(a->address + 2, 65, key, sizeof key);
	a->nonce = 0;
}

/* Python's default dump: sorted keys, and spaces behind commas and colons. */
void announcer_put(struct buf *out, struct announcer *a)
{
	unsigned char raw[crypto_sign_BYTES];
	char signature[2 * crypto_sign_BYTES + 1];
	size_t from = out->len;
	buf_printf(out,
	    "{\"address\": \"%s\", "
	    "\"endpoints\": [\"http://192.168.1.5:8000\"], "
	    "\"nonce\": %u, \"relay_features\": [\"conn_id\"], "
	    "\"summary\": \"an agent\", \"timestamp\": %lld, "
	    "\"type\": \"ANNOUNCE\"}",
	    a->address, ++a->nonce, (long long)time(NULL));
	(void)crypto_sign_detached(raw, NULL,
	    (const unsigned char *)out->data + from, out->len - from,
	    a->secret);
	(void)sodium_bin2hex(signature, sizeof signature, raw, sizeof raw);
	out->len--; /* the brace */
	buf_printf(out, ", \"signature\": \"%s\"}", signature);
}
