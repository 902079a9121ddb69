/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/seal.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/ident_key.h"
#include "identity/signed.h"

#include <sodium.h>

#include <math.h>
#include <string.h>

#define KEY_SIZE 32
#define N(a) (sizeof a / sizeof(*(a)))

_Static_assert(
    sizeof((struct seal *)0)->key == crypto_box_BEFORENMBYTES &&
	KEY_SIZE == crypto_box_PUBLICKEYBYTES &&
	KEY_SIZE == crypto_box_SECRETKEYBYTES &&
	sizeof((struct seal_hello *)0)->signature == crypto_sign_BYTES,
    "the sizes of X25519 and Ed25519");

static int seal_refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_UNAUTHORIZED, "seal refused: %s", why);
}

/* ---- what a SEAL says ---- */

/* Read a string of at most size - 1 bytes without NUL. */
static bool seal_read_text(const struct json *v, char *out, size_t size)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);
	bool fits = text && len < size && !memchr(text, '\0', len);

	memcpy(out, fits ? text : "", fits ? len : 0);
	out[fits ? len : 0] = '\0';
	buf_fini(&scratch);
	return fits;
}

static int check_members(const struct json *frame, struct err *err)
{
	static const char *const names[] = {
	    "to", "from", "ephemeral", "timestamp", "signature"};

	for (size_t i = 0; i < N(names); i++)
		if (!json_get(frame, names[i]))
			return err_set(err, ERR_UNAUTHORIZED,
			    "seal refused: SEAL is missing %s", names[i]);
	return 0;
}

static bool read_signature(const struct json *v, uint8_t out[crypto_sign_BYTES])
{
	char text[2 * crypto_sign_BYTES + 1];

	return seal_read_text(v, text, sizeof text) &&
	       strlen(text) == sizeof text - 1 &&
	       enc_unhex(out, text, crypto_sign_BYTES);
}

/* Append what was signed: all members except the signature, as they came. */
static void put_payload(struct buf *out, const struct json *frame)
{
	static const char *const names[] = {
	    "type", "to", "from", "ephemeral", "timestamp"};

	for (size_t i = 0; i < N(names); i++) {
		size_t len = 0;
		const char *text = json_text(json_get(frame, names[i]), &len);
		buf_printf(out, "%s\"%s\":", i ? "," : "{", names[i]);
		buf_append(out, text, len);
	}
	buf_char(out, '}');
}

int seal_read(struct seal_hello *h, struct buf *payload,
    const struct json *frame, const char *address, double now, struct err *err)
{
	double timestamp = 0;

	*h = (struct seal_hello){.from = ""};
	if (!json_str_is(json_get(frame, "type"), "SEAL"))
		return seal_refuse(err, "not a SEAL frame");
	if (check_members(frame, err) != 0)
		return -1;
	if (!json_str_is(json_get(frame, "to"), address))
		return seal_refuse(err, "SEAL is addressed to another host");
	if (!json_double(json_get(frame, "timestamp"), &timestamp))
		return seal_refuse(err, "SEAL timestamp is not a number");
	if (!(fabs(now - timestamp) <= SIGNED_WINDOW))
		return seal_refuse(err, "SEAL is stale");
	if (!seal_read_text(
		json_get(frame, "from"), h->from_text, sizeof h->from_text) ||
	    !address_parse(h->from_text, strlen(h->from_text), h->from) ||
	    !read_signature(json_get(frame, "signature"), h->signature))
		return seal_refuse(err, "SEAL signature does not verify");
	/* An invalid key is reported once the signature is known to be good. */
	(void)seal_read_text(json_get(frame, "ephemeral"), h->ephemeral_text,
	    sizeof h->ephemeral_text);
	address_key(h->from, h->key);
	put_payload(payload, frame);
	return 0;
}

/* ---- the answer ---- */

/*
 * Write the members in the order in which they are signed, the signature last.
 * Values that are repeated have been checked to be hex digits.
 */
static void seal_answer(struct buf *reply, const struct seal_hello *h,
    const struct seal_host *host, const uint8_t public_key[KEY_SIZE])
{
	char ours[2 * KEY_SIZE + 1], text[IDENT_KEY_SIGNATURE_SIZE];
	size_t at = reply->len;

	enc_hex(ours, public_key, KEY_SIZE);
	buf_printf(reply,
	    "{\"client_ephemeral\":\"%s\",\"ephemeral\":\"%s\",\"from\":\"%s\","
	    "\"to\":\"%s\",\"type\":\"SEALED_OK\"}",
	    h->ephemeral_text, ours, host->address, h->from_text);
	ident_key_sign(
	    text, host->secret_key, reply->data + at, reply->len - at);
	reply->len--;
	buf_printf(reply, ",\"signature\":\"%s\"}", text);
}

int seal_accept(struct seal *s, const struct seal_hello *h,
    const struct seal_host *host, struct buf *reply, struct err *err)
{
	uint8_t theirs[KEY_SIZE], public_key[KEY_SIZE], secret_key[KEY_SIZE];

	*s = (struct seal){.sent = 0};
	if (strlen(h->ephemeral_text) != (size_t)2 * KEY_SIZE ||
	    !enc_unhex(theirs, h->ephemeral_text, KEY_SIZE))
		return seal_refuse(err, "SEAL ephemeral is not a key");
	(void)crypto_box_keypair(public_key, secret_key); /* cannot fail */
	/* Fails for points that would give everybody the same key. */
	int rc = crypto_box_beforenm(s->key, theirs, secret_key);
	sodium_memzero(secret_key, sizeof secret_key);
	if (rc != 0)
		return seal_refuse(err, "SEAL ephemeral is not a key");
	memcpy(s->peer, h->from, sizeof s->peer);
	seal_answer(reply, h, host, public_key);
	return 0;
}

void seal_fini(struct seal *s)
{
	sodium_memzero(s, sizeof *s);
}
