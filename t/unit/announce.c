/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* ANNOUNCE: its members, and signatures that a relay can verify. */
#include "identity/announce.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "identity/signed.h"
#include "t/unit/tap.h"

#include <sodium.h>
#include <string.h>

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

/* Whether a hex signature is that of our key over these bytes. */
static bool is_signed(const struct json *signature, const struct buf *bytes)
{
	uint8_t raw[crypto_sign_BYTES];
	char *hex = json_strdup(signature);
	bool is_good =
	    hex && strlen(hex) == 2 * sizeof raw &&
	    enc_unhex(raw, hex, sizeof raw) &&
	    crypto_sign_verify_detached(
		raw, (const uint8_t *)bytes->data, bytes->len, public_key) == 0;

	free(hex);
	return is_good;
}

/* Take a member out of the text of an object: the last one. */
static void cut_last(struct buf *text, const char *name)
{
	struct buf key = {0};

	buf_printf(&key, ",\"%s\":", name);
	char *at = strstr(buf_cstr(text), buf_cstr(&key));
	if (at)
		text->len = (size_t)(at - text->data);
	buf_char(text, '}');
	buf_fini(&key);
}

static void test_signed(const char *profile, const char *what)
{
	struct announce a = {
	    .address = "0xabc",
	    .timestamp_s = 1702234567,
	    .summary = "translator \"agent\": \xe7\xbf\xbb",
	    .endpoints = "[\"http://10.0.0.1:8000\",\"ws://10.0.0.1:8000/ws\"]",
	    .relay = "ws://relay",
	    .profile = profile,
	};
	struct buf text = {0}, bytes = {0};
	struct json_doc doc = {0};
	struct json_error why;

	buf_str(&text, "before");
	announce_write(&text, &a, secret_key);
	buf_consume(&text, 6);
	const struct json *v = json_parse(&doc, text.data, text.len, 0, &why);
	ok(json_str_is(json_get(v, "type"), "ANNOUNCE") &&
		json_str_is(json_get(v, "address"), "0xabc") &&
		json_str_is(json_get(v, "summary"), a.summary) &&
		json_str_is(json_get(v, "relay"), "ws://relay") &&
		json_count(json_get(v, "endpoints")) == 2 &&
		json_str_is(
		    json_first(json_get(v, "relay_features")), "conn_id"),
	    "%s has its members", what);
	const struct json *profile_v = json_get(v, "profile");
	is_int(profile_v != NULL, profile != NULL,
	    "%s has a profile if there is one", what);
	if (profile) {
		(void)json_canonical(
		    &bytes, profile_v, JSON_ASCII | JSON_PYTHON);
		ok(is_signed(json_get(v, "profile_signature"), &bytes),
		    "the profile of %s has a signature of its own", what);
	}
	const struct json *signature = json_get(v, "signature");
	struct json_doc rest = {0};
	struct buf unsigned_text = {0};
	buf_append(&unsigned_text, text.data, text.len);
	cut_last(&unsigned_text, "signature");
	buf_reset(&bytes);
	ok(signed_announce(&bytes, json_parse(&rest, unsigned_text.data,
				       unsigned_text.len, 0, &why)) &&
		is_signed(signature, &bytes),
	    "%s is signed as a whole", what);
	json_fini(&doc);
	json_fini(&rest);
	buf_fini(&text);
	buf_fini(&unsigned_text);
	buf_fini(&bytes);
}

int main(void)
{
	if (sodium_init() < 0 ||
	    crypto_sign_keypair(public_key, secret_key) != 0)
		return 1;
	test_signed(NULL, "an ANNOUNCE without a profile");
	test_signed("{\"alias\":\"\xc3\xa9\",\"tools\":[\"b\",\"a\"],\"model\":"
		    "\"m\",\"skills\":[]}",
	    "an ANNOUNCE with a profile");
	return done();
}
