/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/seal.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

/*
 * crypto_box_easy_afternm() in slices. The cipher's stream begins with the 32
 * bytes that key the authenticator, so the message is processed behind 32 bytes
 * of room; at the end the tag is in the second half of that room.
 */
#define ROOM_SIZE 32
#define TAG_SIZE crypto_onetimeauth_BYTES
#define TAG_AT (ROOM_SIZE - TAG_SIZE)

/* Slices begin at multiples of cipher blocks and of base64 groups. */
#define BLOCK_SIZE 64

_Static_assert(SEAL_SLICE % BLOCK_SIZE == 0 && SEAL_SLICE % 3 == 0 &&
		   crypto_onetimeauth_KEYBYTES == ROOM_SIZE &&
		   crypto_box_MACBYTES == TAG_SIZE,
    "slices fit the formats");

enum stage {
	STAGE_ENCRYPT, /* to the peer: first this, */
	STAGE_ENCODE,  /* then this */
	STAGE_DECODE,  /* from the peer: first this, */
	STAGE_DECRYPT, /* then this */
	STAGE_DONE,
};

struct seal_box {
	enum stage stage;
	uint8_t key[crypto_box_BEFORENMBYTES];
	uint8_t nonce[crypto_box_NONCEBYTES];
	crypto_onetimeauth_state tag;
	struct buf bytes; /* room, then the message, plain or encrypted */
	struct buf text;  /* the frame; when opening, its base64 */
	size_t at;	  /* progress within this stage */
};

/* The nonce is "c2h" or "h2c", then the number in 21 bytes, big-endian. */
static void set_nonce(struct seal_box *b, const char *way, uint64_t number)
{
	memcpy(b->nonce, way, 3);
	for (size_t i = sizeof b->nonce; number; number >>= 8)
		b->nonce[--i] = (uint8_t)number;
}

static struct seal_box *new_box(
    const struct seal *s, const char *way, uint64_t number)
{
	struct seal_box *b = mem_zero(sizeof *b);

	memcpy(b->key, s->key, sizeof b->key);
	set_nonce(b, way, number);
	memset(buf_reserve(&b->bytes, ROOM_SIZE), 0, ROOM_SIZE);
	b->bytes.len = ROOM_SIZE;
	return b;
}

static uint8_t *bytes_at(struct seal_box *b, size_t at)
{
	return (uint8_t *)b->bytes.data + at;
}

static size_t slice(size_t left, size_t most)
{
	return left < most ? left : most;
}

/* ---- the cipher and its tag ---- */

/* Encrypt or decrypt the next slice. Returns its end. */
static size_t stream(struct seal_box *b)
{
	size_t n = slice(b->bytes.len - b->at, SEAL_SLICE);

	(void)crypto_stream_xsalsa20_xor_ic(bytes_at(b, b->at),
	    bytes_at(b, b->at), n, b->nonce, b->at / BLOCK_SIZE, b->key);
	return b->at + n;
}

static void add_to_tag(struct seal_box *b, size_t from, size_t to)
{
	(void)crypto_onetimeauth_update(&b->tag, bytes_at(b, from), to - from);
}

static void encrypt(struct seal_box *b)
{
	size_t from = b->at, to = stream(b);

	if (from == 0) {
		(void)crypto_onetimeauth_init(&b->tag, bytes_at(b, 0));
		from = ROOM_SIZE;
	}
	add_to_tag(b, from, to);
	b->at = to;
	if (to < b->bytes.len)
		return;
	(void)crypto_onetimeauth_final(&b->tag, bytes_at(b, TAG_AT));
	b->stage = STAGE_ENCODE;
	b->at = TAG_AT;
}

static void decrypt(struct seal_box *b)
{
	b->at = stream(b);
	if (b->at == b->bytes.len)
		b->stage = STAGE_DONE;
}

static void begin_tag(struct seal_box *b)
{
	uint8_t key[ROOM_SIZE];

	(void)crypto_stream_xsalsa20(key, sizeof key, b->nonce, b->key);
	(void)crypto_onetimeauth_init(&b->tag, key);
	sodium_memzero(key, sizeof key);
}

static bool tag_fits(struct seal_box *b)
{
	uint8_t tag[TAG_SIZE];

	(void)crypto_onetimeauth_final(&b->tag, tag);
	return crypto_verify_16(tag, bytes_at(b, TAG_AT)) == 0;
}

/* ---- base64 ---- */

static void put_base64(struct buf *out, const uint8_t *p, size_t n)
{
	enc_base64(buf_reserve(out, ENC_BASE64_SIZE(n)), p, n);
	out->len += ENC_BASE64_SIZE(n);
}

static void encode(struct seal_box *b)
{
	size_t n = slice(b->bytes.len - b->at, SEAL_SLICE);

	put_base64(&b->text, bytes_at(b, b->at), n);
	b->at += n;
	if (b->at < b->bytes.len)
		return;
	buf_str(&b->text, "\"}");
	buf_fini(&b->bytes);
	b->stage = STAGE_DONE;
}

/* Decode the next slice; returns false if it is not base64. */
static bool decode_some(struct seal_box *b)
{
	size_t n = slice(b->text.len - b->at, SEAL_SLICE / 3 * 4);
	bool is_last = b->at + n == b->text.len;
	size_t got = 0, from = b->bytes.len;

	if (!enc_unbase64(buf_reserve(&b->bytes, n / 4 * 3), &got,
		b->text.data + b->at, n) ||
	    (!is_last && got != n / 4 * 3))
		return false;
	b->bytes.len += got;
	b->at += n;
	if (from < ROOM_SIZE)
		from = ROOM_SIZE;
	if (b->bytes.len > from)
		add_to_tag(b, from, b->bytes.len);
	return true;
}

static enum seal_step seal_box_decode(struct seal_box *b)
{
	if (!decode_some(b))
		return SEAL_BROKEN;
	if (b->at < b->text.len)
		return SEAL_MORE;
	if (b->bytes.len < ROOM_SIZE || !tag_fits(b))
		return SEAL_BROKEN;
	buf_fini(&b->text);
	b->stage = STAGE_DECRYPT;
	b->at = 0;
	return SEAL_MORE;
}

/* ---- boxes ---- */

struct seal_box *seal_put(struct seal *s, const char *text, size_t len)
{
	struct seal_box *b =
	    new_box(s, s->is_client ? "c2h" : "h2c", ++s->sent);

	buf_append(&b->bytes, text, len);
	buf_reserve(&b->text, (len + ROOM_SIZE) / 3 * 4 + 80);
	buf_str(&b->text, "{\"type\":\"SEALED\",\"n\":");
	buf_int(&b->text, (int64_t)s->sent);
	buf_str(&b->text, ",\"c\":\"");
	b->stage = STAGE_ENCRYPT;
	return b;
}

struct seal_box *seal_take(
    struct seal *s, const struct json *frame, struct err *err)
{
	struct buf scratch = {0};
	size_t len = 0;
	int64_t number = 0;
	const char *text = json_str(json_get(frame, "c"), &scratch, &len);
	struct seal_box *b;

	if (!json_int(json_get(frame, "n"), &number) || number <= 0 ||
	    (uint64_t)number <= s->received) {
		buf_fini(&scratch);
		(void)err_set(err, ERR_UNAUTHORIZED,
		    "sealed frame rejected: sealed frame out of order");
		return NULL;
	}
	s->received = (uint64_t)number;
	b = new_box(s, s->is_client ? "h2c" : "c2h", s->received);
	buf_reserve(&b->text, len + 1);
	buf_append(&b->text, text, len);
	buf_reserve(&b->bytes, len / 4 * 3);
	b->bytes.len = TAG_AT;
	begin_tag(b);
	b->stage = STAGE_DECODE;
	buf_fini(&scratch);
	return b;
}

enum seal_step seal_box_step(struct seal_box *b)
{
	switch (b->stage) {
	case STAGE_ENCRYPT:
		encrypt(b);
		break;
	case STAGE_ENCODE:
		encode(b);
		break;
	case STAGE_DECODE:
		return seal_box_decode(b);
	case STAGE_DECRYPT:
		decrypt(b);
		break;
	case STAGE_DONE:
		break;
	}
	return b->stage == STAGE_DONE ? SEAL_DONE : SEAL_MORE;
}

const char *seal_box_text(const struct seal_box *b, size_t *len)
{
	if (b->text.len) {
		*len = b->text.len;
		return b->text.data;
	}
	*len = b->bytes.len - ROOM_SIZE;
	return b->bytes.data + ROOM_SIZE;
}

void seal_box_free(struct seal_box **b)
{
	struct seal_box *old = *b;

	if (!old)
		return;
	*b = NULL;
	buf_fini(&old->bytes);
	buf_fini(&old->text);
	sodium_memzero(old, sizeof *old);
	free(old);
}
