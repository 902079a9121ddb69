/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/signed.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"

#include <sodium.h>

#include <math.h>
#include <string.h>

_Static_assert(
    sizeof((struct signed_head *)0)->signature == crypto_sign_BYTES &&
	sizeof((struct signed_head *)0)->key == crypto_sign_PUBLICKEYBYTES &&
	sizeof((struct signed_head *)0)->digest == crypto_hash_sha256_BYTES,
    "the sizes of Ed25519 and SHA-256");

#define SIGNATURE_DIGITS ((size_t)2 * crypto_sign_BYTES)

/*
 * The canonical forms, most frequently signed first. The JavaScript clients we
 * know sort only the outermost keys, and Python spells numbers differently from
 * JavaScript. Two payloads that are not equal have no form in common, so each
 * further form accepts a signer, not a forger.
 */
static const unsigned forms[] = {
    JSON_ASCII | JSON_PYTHON,		  /* Python */
    JSON_PYTHON,			  /* browsers */
    JSON_PYTHON | JSON_TOP,		  /* npm */
    JSON_TOP | JSON_SCRIPT,		  /* npm, numbers as sent */
    JSON_SCRIPT,			  /* the same, sorted at all levels */
    JSON_PYTHON | JSON_TOP | JSON_SCRIPT, /* the same, numbers as Python's */
    JSON_PYTHON | JSON_SCRIPT,
    JSON_ASCII,
    0,
    JSON_TOP,
};

#define N_FORMS (sizeof forms / sizeof *forms)

/* ---- reading ---- */

static int unauthorized(struct err *err, const char *why)
{
	return err_set(err, ERR_UNAUTHORIZED, "unauthorized: %s", why);
}

/* Whether v is a non-empty string. */
static bool signed_is_text(const struct json *v)
{
	return json_is(v, JSON_STRING) && !json_str_is(v, "");
}

/* Whether v spells an address. If so, out gets it, else "". */
static bool read_address(const struct json *v, char out[ADDRESS_SIZE])
{
	struct buf scratch = {0};
	size_t len;
	const char *s = json_str(v, &scratch, &len);
	bool ok = s && address_parse(s, len, out);

	if (!ok)
		out[0] = '\0';
	buf_fini(&scratch);
	return ok;
}

bool signed_parse(const char *s, size_t len, uint8_t out[crypto_sign_BYTES])
{
	if (len == 2 + SIGNATURE_DIGITS && memcmp(s, "0x", 2) == 0) {
		s += 2;
		len -= 2;
	}
	return len == SIGNATURE_DIGITS && enc_unhex(out, s, crypto_sign_BYTES);
}

/* All zeros if there is no signature: that is a point of small order. */
static void read_signature(const struct json *v, uint8_t out[crypto_sign_BYTES])
{
	struct buf scratch = {0};
	size_t len;
	const char *s = json_str(v, &scratch, &len);

	if (!s || !signed_parse(s, len, out))
		memset(out, 0, crypto_sign_BYTES);
	buf_fini(&scratch);
}

static void make_digest(struct signed_head *h)
{
	static const unsigned char head[] = {'h', 'e', 'x', ':'};
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state); /* these cannot fail */
	(void)crypto_hash_sha256_update(&state, head, sizeof head);
	(void)crypto_hash_sha256_update(
	    &state, h->signature, sizeof h->signature);
	(void)crypto_hash_sha256_final(&state, h->digest);
}

static int read_timestamp(struct signed_head *h, struct err *err)
{
	const struct json *v = json_get(h->payload, "timestamp");
	bool is_number = json_double(v, &h->timestamp);

	if (json_type(v) == JSON_NULL || json_str_is(v, "") ||
	    (is_number && fpclassify(h->timestamp) == FP_ZERO))
		return unauthorized(err, "timestamp required in payload");
	if (!is_number)
		return unauthorized(err, "timestamp must be numeric");
	if (!isfinite(h->timestamp))
		return unauthorized(err, "timestamp must be finite");
	return 0;
}

int signed_from(struct signed_head *h, const struct json *payload,
    const struct json *from, const struct json *signature, struct err *err)
{
	*h = (struct signed_head){
	    .payload = payload, .sender = from, .text = signature};
	(void)read_address(from, h->from); /* signed_read() reports it */
	if (!signature || !json_is(payload, JSON_OBJECT))
		return unauthorized(err, "signed request required");
	return 0;
}

/* What has been counted in a payload so far. */
struct counts {
	size_t keys;
	size_t values;
	const char *what; /* what exceeds its limit; NULL: nothing */
	size_t most;
};

static bool too_many(struct counts *n, const char *what, size_t most)
{
	n->what = what;
	n->most = most;
	return false;
}

static bool is_nest(const struct json *v)
{
	return json_is(v, JSON_ARRAY) || json_is(v, JSON_OBJECT);
}

/* Count v and its contents; returns false as soon as a limit is exceeded. */
static bool signed_count(struct counts *n, const struct json *v, size_t depth)
{
	if (depth > SIGNED_MAX_DEPTH)
		return too_many(n, "levels", SIGNED_MAX_DEPTH);
	if (++n->values > SIGNED_MAX_VALUES)
		return too_many(n, "values", SIGNED_MAX_VALUES);
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		if (json_key(m) && ++n->keys > SIGNED_MAX_KEYS)
			return too_many(n, "keys", SIGNED_MAX_KEYS);
		if (!signed_count(n, m, depth + is_nest(m)))
			return false;
	}
	return true;
}

static int check_size(const struct signed_head *h, struct err *err)
{
	struct counts n = {0};

	if (signed_count(&n, h->payload, 1))
		return 0;
	return err_set(err, ERR_TOO_LARGE,
	    "signed payload too large: it has more than %zu %s; send them "
	    "beside the payload, or in a file",
	    n.most, n.what);
}

int signed_read(struct signed_head *h, struct err *err)
{
	if (!signed_is_text(h->sender))
		return unauthorized(err, "'from' field required");
	if (!h->from[0])
		return unauthorized(err, "invalid signature");
	if (!signed_is_text(h->text))
		return unauthorized(err, "signature required");
	address_key(h->from, h->key);
	read_signature(h->text, h->signature);
	make_digest(h);
	if (read_timestamp(h, err) != 0)
		return -1;
	return check_size(h, err);
}

/* ---- judging ---- */

int signed_fresh(const struct signed_head *h, double now, struct err *err)
{
	if (fabs(now - h->timestamp) <= SIGNED_WINDOW)
		return 0;
	return unauthorized(err, "signature expired");
}

int signed_recipient(const struct signed_head *h, const char *address,
    bool is_required, struct err *err)
{
	char to[ADDRESS_SIZE];
	const struct json *v = json_get(h->payload, "to");

	if (!v && !is_required)
		return 0;
	if (read_address(v, to) && strcmp(to, address) == 0)
		return 0;
	return unauthorized(err, "wrong recipient");
}

bool signed_is_to_name(const struct signed_head *h, const char *name)
{
	char to[ADDRESS_SIZE];
	const struct json *v = json_get(h->payload, "to");

	return *name && json_str_is(v, name) && !read_address(v, to);
}

/* Returns a form without the flags that make no difference for this payload. */
static unsigned effective(unsigned form, unsigned traits)
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

	for (size_t i = 0; i < sizeof differs / sizeof *differs; i++) {
		if (!(traits & differs[i].trait))
			form &= ~differs[i].form;
	}
	return form;
}

static bool signed_is_among(unsigned form, const unsigned *tried, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tried[i] == form)
			return true;
	}
	return false;
}

static bool try_forms(
    const struct json *payload, const uint8_t *key, const uint8_t *signature)
{
	struct buf text = {0};
	unsigned traits = json_traits(payload);
	unsigned tried[SIGNED_MAX_TRIES];
	size_t n = 0;
	bool ok = false;

	for (size_t i = 0; i < N_FORMS && n < SIGNED_MAX_TRIES && !ok; i++) {
		unsigned form = effective(forms[i], traits);
		if (signed_is_among(form, tried, n))
			continue;
		tried[n++] = form;
		buf_reset(&text);
		/* What the first form rejects is rejected in all forms. */
		if (!json_canonical(&text, payload, form))
			break;
		ok = crypto_sign_verify_detached(signature,
			 (const unsigned char *)text.data, text.len, key) == 0;
	}
	buf_fini(&text);
	return ok;
}

bool signed_verify(const uint8_t key[32], const uint8_t signature[64],
    const char *payload, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    json_parse(&doc, payload, len, JSON_UNIQUE_KEYS, &error);
	bool ok = json_is(v, JSON_OBJECT) && try_forms(v, key, signature);

	json_fini(&doc);
	return ok;
}

bool signed_announce(struct buf *out, const struct json *message)
{
	return json_canonical(
	    out, message, JSON_ASCII | JSON_PYTHON | JSON_SPACED);
}

bool signed_announce_verify(const uint8_t key[32], const uint8_t signature[64],
    const char *message, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct buf text = {0};
	const struct json *v =
	    json_parse(&doc, message, len, JSON_UNIQUE_KEYS, &error);
	bool ok = json_is(v, JSON_OBJECT) && signed_announce(&text, v) &&
		  crypto_sign_verify_detached(signature,
		      (const unsigned char *)text.data, text.len, key) == 0;

	buf_fini(&text);
	json_fini(&doc);
	return ok;
}
