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

#include <string.h>

#define KEY_SIZE 32

void seal_ask(struct seal_question *q, struct buf *out, const char *to,
    const struct seal_host *client, int64_t now_s)
{
	uint8_t public_key[KEY_SIZE];
	char text[IDENT_KEY_SIGNATURE_SIZE];
	size_t at = out->len;

	memcpy(q->to, to, sizeof q->to);
	memcpy(q->from, client->address, sizeof q->from);
	(void)crypto_box_keypair(public_key, q->secret_key); /* cannot fail */
	enc_hex(q->ephemeral_text, public_key, KEY_SIZE);
	/* In the order in which the members are signed. */
	buf_printf(out,
	    "{\"ephemeral\":\"%s\",\"from\":\"%s\",\"timestamp\":%lld,"
	    "\"to\":\"%s\",\"type\":\"SEAL\"}",
	    q->ephemeral_text, q->from, (long long)now_s, q->to);
	ident_key_sign(text, client->secret_key, out->data + at, out->len - at);
	out->len--;
	buf_printf(out, ",\"signature\":\"%s\"}", text);
}

/* Read exactly n bytes of hex. */
static bool read_hex(const struct json *v, uint8_t *out, size_t n)
{
	struct buf scratch = {0};
	char text[2 * crypto_sign_BYTES + 1];
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);
	bool fits = s && len == 2 * n && len < sizeof text;

	if (fits) {
		memcpy(text, s, len);
		text[len] = '\0';
		fits = enc_unhex(out, text, n);
	}
	buf_fini(&scratch);
	return fits;
}

static bool is_signed(const struct seal_question *q, const struct json *frame)
{
	uint8_t key[KEY_SIZE], signature[crypto_sign_BYTES];
	struct buf payload = {0};
	size_t len = 0;
	const char *ephemeral = json_text(json_get(frame, "ephemeral"), &len);

	if (!read_hex(
		json_get(frame, "signature"), signature, sizeof signature))
		return false;
	address_key(q->to, key);
	buf_printf(&payload,
	    "{\"client_ephemeral\":\"%s\",\"from\":\"%s\",\"to\":\"%s\","
	    "\"type\":\"SEALED_OK\",\"ephemeral\":",
	    q->ephemeral_text, q->to, q->from);
	buf_append(&payload, ephemeral, len);
	buf_char(&payload, '}');
	bool is_good = signed_verify(key, signature, payload.data, payload.len);
	buf_fini(&payload);
	return is_good;
}

static int confirm(struct seal *s, const struct seal_question *q,
    const struct json *frame, struct err *err)
{
	uint8_t theirs[KEY_SIZE];

	if (!json_str_is(json_get(frame, "from"), q->to))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the seal is that of another address");
	if (!json_str_is(
		json_get(frame, "client_ephemeral"), q->ephemeral_text))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the seal answers another connection");
	if (!read_hex(json_get(frame, "ephemeral"), theirs, sizeof theirs) ||
	    !is_signed(q, frame))
		return err_set(
		    err, ERR_UNAUTHORIZED, "the seal's signature is wrong");
	/* Fails for points that would give everybody the same key. */
	if (crypto_box_beforenm(s->key, theirs, q->secret_key) != 0)
		return err_set(
		    err, ERR_UNAUTHORIZED, "the seal's key is not a key");
	return 0;
}

int seal_confirm(struct seal *s, struct seal_question *q,
    const struct json *frame, struct err *err)
{
	*s = (struct seal){.is_client = true};
	memcpy(s->peer, q->to, sizeof s->peer);
	int rc = confirm(s, q, frame, err);
	sodium_memzero(q->secret_key, sizeof q->secret_key);
	return rc;
}
