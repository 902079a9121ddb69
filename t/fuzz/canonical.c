/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as a signed payload. Each canonical form of it is the same value
 * and stays as it is when it is read again; two forms differ only where
 * json_traits() says that they may. What was signed in one of the forms
 * verifies, and nothing else does.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "identity/signed.h"

#define ALL_FORMS 32u
#define PYTHON (JSON_ASCII | JSON_PYTHON)

/* One input in so many is signed, which takes longest. */
#define SIGNED_ONE_IN 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret[crypto_sign_SECRETKEYBYTES];

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static bool is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void expect_form(
    const struct json *v, unsigned form, const struct buf *want)
{
	struct buf got = {0};

	expect(json_canonical(&got, v, form));
	expect(is_same(&got, want));
	buf_fini(&got);
}

/* Read again, it is written the same, and is the same value to Python. */
static void check_form(
    const struct json *v, unsigned form, const struct buf *python)
{
	struct buf text = {0};
	struct json_doc doc = {0};
	struct json_error error;

	expect(json_canonical(&text, v, form));
	const struct json *again =
	    json_parse(&doc, text.data, text.len, JSON_UNIQUE_KEYS, &error);
	expect(again);
	expect_form(again, form, &text);
	expect_form(again, PYTHON, python);
	for (size_t i = 0; i < text.len && (form & JSON_ASCII); i++)
		expect(text.data[i] >= ' ' && text.data[i] < 0x7f);
	json_fini(&doc);
	buf_fini(&text);
}

static void check_traits(const struct json *v, unsigned form)
{
	static const struct {
		unsigned trait;
		unsigned form;
	} differs[] = {
	    {JSON_HAS_HIGH, JSON_ASCII},
	    {JSON_HAS_ODD_NUMBER, JSON_PYTHON},
	    {JSON_HAS_ODD_KEY, JSON_SCRIPT},
	    {JSON_HAS_NESTED, JSON_TOP},
	};
	unsigned traits = json_traits(v);
	struct buf text = {0};

	expect(json_canonical(&text, v, form));
	for (size_t i = 0; i < sizeof(differs) / sizeof(*differs); i++) {
		if (!(traits & differs[i].trait))
			expect_form(v, form ^ differs[i].form, &text);
	}
	buf_fini(&text);
}

static bool verifies(
    const uint8_t *signature, const uint8_t *payload, size_t size)
{
	return signed_verify(key, signature, (const char *)payload, size);
}

static void check_signature(
    const struct buf *text, const uint8_t *data, size_t size)
{
	uint8_t signature[crypto_sign_BYTES];

	(void)crypto_sign_detached(signature, NULL,
	    (const unsigned char *)text->data, text->len, secret);
	expect(verifies(signature, data, size));
	signature[size % sizeof(signature)] ^= 4;
	expect(!verifies(signature, data, size));
}

static void check_forms(const struct json *v, const struct buf *python)
{
	for (unsigned form = 0; form < ALL_FORMS; form++)
		check_form(v, form, python);
	check_traits(v, 0);
	check_traits(v, ALL_FORMS - 1);
}

static void check_payload(
    const struct json *v, const uint8_t *data, size_t size)
{
	struct buf python = {0};
	bool is_finite = json_canonical(&python, v, PYTHON);

	expect(is_finite || python.len == 0);
	if (is_finite)
		check_forms(v, &python);
	if (is_finite && json_is(v, JSON_OBJECT) &&
	    data[size / 2] % SIGNED_ONE_IN == 0)
		check_signature(&python, data, size);
	buf_fini(&python);
}

static void make_key(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
	static bool is_made;

	if (is_made)
		return;
	expect(sodium_init() >= 0);
	(void)crypto_sign_seed_keypair(key, secret, seed);
	is_made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t garbage[crypto_sign_BYTES] = {7, 1};
	struct json_doc doc = {0};
	struct json_error error;
	/* A copy of the exact size lets the sanitizer see a read too far. */
	uint8_t *text = malloc(size ? size : 1);

	make_key();
	expect(text);
	memcpy(text, data, size);
	const struct json *v = json_parse(
	    &doc, (const char *)text, size, JSON_UNIQUE_KEYS, &error);
	if (v)
		check_payload(v, text, size);
	else
		expect(!verifies(garbage, text, size));
	json_fini(&doc);
	free(text);
	return 0;
}
