/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "access/jwt.h"

#include "access/jwt_keys.h"
#include "base/enc.h"
#include "base/span.h"
#include "core/err.h"

#include <math.h>
#include <string.h>

#define ALGORITHM_MAX 16

/* NumericDate may have a fraction, and reaches to the year 9999. */
#define LAST_SECOND 253402300799.0

struct parts {
	struct span header;
	struct span claims;
	struct span signature;
	struct span covered; /* by the signature */
};

static bool split(struct parts *p, const char *text, size_t len)
{
	const char *end = text + len;
	const char *first = memchr(text, '.', len);
	if (!first)
		return false;
	const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return false;
	p->header = (struct span){text, (size_t)(first - text)};
	p->claims = (struct span){first + 1, (size_t)(second - first - 1)};
	p->signature = (struct span){second + 1, (size_t)(end - second - 1)};
	p->covered = (struct span){text, (size_t)(second - text)};
	return true;
}

static int refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_UNAUTHORIZED, "%s", why);
}

/* Decode a part that is a JSON object. */
static const struct json *read_object(
    struct json_doc *doc, struct buf *text, struct span part)
{
	struct json_error error;
	size_t n = 0;
	char *out = buf_reserve(text, ENC_BASE64URL_BYTES(part.len));
	if (!enc_unbase64url(out, &n, part.text, part.len))
		return NULL;
	text->len += n;
	const struct json *root =
	    json_parse(doc, text->data, text->len, JSON_UNIQUE_KEYS, &error);
	return json_is(root, JSON_OBJECT) ? root : NULL;
}

/* ---- the header and the signature ---- */

static int read_algorithm(
    char out[ALGORITHM_MAX], const struct json *header, struct err *err)
{
	struct buf scratch = {0};
	size_t n = 0;
	const char *alg = json_str(json_get(header, "alg"), &scratch, &n);
	bool is_short = alg && n < ALGORITHM_MAX && !memchr(alg, 0, n);
	if (is_short)
		memcpy(out, alg, n);
	out[is_short ? n : 0] = 0;
	buf_fini(&scratch);
	if (json_get(header, "crit"))
		return refuse(err, "the token has a header that must be "
				   "understood (crit)");
	return is_short ? 0 : refuse(err, "the token names no algorithm");
}

static int verify(const struct jwt_keys *keys, const char *algorithm,
    const struct parts *p, struct err *err)
{
	uint8_t
	    signature[ENC_BASE64URL_BYTES(ENC_BASE64_SIZE(JWT_SIGNATURE_MAX))];
	size_t n = 0;
	bool is_known = false;
	if (p->signature.len > ENC_BASE64_SIZE(JWT_SIGNATURE_MAX) ||
	    !enc_unbase64url(
		signature, &n, p->signature.text, p->signature.len))
		return refuse(err, "the signature of the token is malformed");
	if (jwt_keys_verify(keys, algorithm, p->covered.text, p->covered.len,
		signature, n, &is_known))
		return 0;
	return refuse(err, is_known ? "the signature of the token is wrong"
				    : "no key is configured for the algorithm "
				      "of the token");
}

static int check_header(
    const struct jwt_keys *keys, const struct parts *p, struct err *err)
{
	char algorithm[ALGORITHM_MAX];
	struct json_doc doc = {0};
	struct buf text = {0};
	const struct json *header = NULL;
	if (p->header.len <= JWT_HEADER_MAX)
		header = read_object(&doc, &text, p->header);
	int rc = header ? read_algorithm(algorithm, header, err)
			: refuse(err, "the header of the token is malformed");
	json_fini(&doc);
	buf_fini(&text);
	return rc == 0 ? verify(keys, algorithm, p, err) : -1;
}

/* ---- the claims ---- */

/*
 * Get a time; *is_there says whether it was given. Returns false if it is none.
 */
static bool read_time(
    const struct json *claims, const char *name, bool *is_there, int64_t *out)
{
	double seconds;
	const struct json *v = json_get(claims, name);
	*is_there = v;
	if (!v)
		return true;
	if (!json_double(v, &seconds) || seconds < 0 || seconds > LAST_SECOND)
		return false;
	*out = (int64_t)floor(seconds);
	return true;
}

static int check_not_before(const struct json *claims, const char *name,
    const struct jwt_rules *rules, struct err *err)
{
	bool is_there;
	int64_t t = 0;
	if (!read_time(claims, name, &is_there, &t))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the %s of the token is no time", name);
	if (!is_there || t <= rules->now_s + JWT_LEEWAY_S)
		return 0;
	return err_set(err, ERR_UNAUTHORIZED,
	    "the token is not valid yet: its %s is %lld s ahead of the clock "
	    "of the server, and %d s are allowed",
	    name, (long long)(t - rules->now_s), JWT_LEEWAY_S);
}

static int check_times(
    struct jwt *token, const struct jwt_rules *rules, struct err *err)
{
	bool is_there;
	if (!read_time(token->claims, "exp", &is_there, &token->expires_s) ||
	    !is_there)
		return refuse(err, "the token has no expiry (exp)");
	int64_t late_s = rules->now_s - token->expires_s;
	if (late_s >= JWT_LEEWAY_S)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the token expired %lld s ago", (long long)late_s);
	if (check_not_before(token->claims, "nbf", rules, err) != 0)
		return -1;
	return check_not_before(token->claims, "iat", rules, err);
}

static int check_issuer(
    const struct json *claims, const struct jwt_rules *rules, struct err *err)
{
	if (!*rules->issuer ||
	    (json_is(json_get(claims, "iss"), JSON_STRING) &&
		json_str_is(json_get(claims, "iss"), rules->issuer)))
		return 0;
	return refuse(err, "the token has another issuer (iss)");
}

static bool has_audience(const struct json *aud, const char *name)
{
	if (json_is(aud, JSON_STRING))
		return json_str_is(aud, name);
	if (!json_is(aud, JSON_ARRAY))
		return false;
	for (const struct json *v = json_first(aud); v; v = json_next(v))
		if (json_is(v, JSON_STRING) && json_str_is(v, name))
			return true;
	return false;
}

/* A token for others is not for us (RFC 7519 section 4.1.3). */
static int check_audience(
    const struct json *claims, const struct jwt_rules *rules, struct err *err)
{
	const struct json *aud = json_get(claims, "aud");
	if (*rules->audience ? has_audience(aud, rules->audience) : !aud)
		return 0;
	return refuse(err, aud ? "the token is for another audience (aud)"
			       : "the token has no audience (aud)");
}

static int check_claims(
    struct jwt *token, const struct jwt_rules *rules, struct err *err)
{
	if (!token->claims)
		return refuse(err, "the claims of the token are malformed");
	if (check_times(token, rules, err) != 0)
		return -1;
	if (check_issuer(token->claims, rules, err) != 0)
		return -1;
	return check_audience(token->claims, rules, err);
}

int jwt_read(struct jwt *token, const struct jwt_keys *keys, const char *text,
    size_t len, const struct jwt_rules *rules, struct err *err)
{
	struct parts p;
	*token = (struct jwt){0};
	if (len > JWT_MAX)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the token is longer than %d bytes", JWT_MAX);
	if (!split(&p, text, len))
		return refuse(err, "this is no token: it needs three parts");
	if (check_header(keys, &p, err) != 0)
		return -1;
	token->claims = read_object(&token->doc, &token->text, p.claims);
	if (check_claims(token, rules, err) == 0)
		return 0;
	jwt_fini(token);
	return -1;
}

void jwt_fini(struct jwt *token)
{
	json_fini(&token->doc);
	buf_fini(&token->text);
	*token = (struct jwt){0};
}

static void put_part(struct buf *out, const void *bytes, size_t n)
{
	enc_base64url(buf_reserve(out, ENC_BASE64URL_SIZE(n)), bytes, n);
	out->len += strlen(out->data + out->len);
}

void jwt_put(struct buf *out, const struct jwt_keys *keys, const char *claims,
    size_t len)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	uint8_t mac[JWT_MAC_SIZE];
	size_t from = out->len;
	put_part(out, header, sizeof header - 1);
	buf_char(out, '.');
	put_part(out, claims, len);
	jwt_keys_sign(keys, out->data + from, out->len - from, mac);
	buf_char(out, '.');
	put_part(out, mac, sizeof mac);
}
