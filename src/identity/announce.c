/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/announce.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "identity/ident_key.h"
#include "identity/signed.h"

#include <string.h>

/* Append the signature over the signed bytes as a member, and the end. */
static void put_signature(struct buf *out, const char *name,
    const struct buf *bytes, const uint8_t *secret_key)
{
	char text[IDENT_KEY_SIGNATURE_SIZE];

	ident_key_sign(text, secret_key, bytes->data, bytes->len);
	buf_printf(out, ",\"%s\":\"%s\"", name, text);
}

static const struct json *parse_own(
    struct json_doc *doc, const char *text, size_t len)
{
	struct json_error why;
	const struct json *v = json_parse(doc, text, len, 0, &why);

	if (!v)
		panic("announce: wrote invalid JSON: %s", why.message);
	return v;
}

/* Its proof is over the compact form. */
static void put_profile(
    struct buf *out, const char *profile, const uint8_t *secret_key)
{
	struct json_doc doc = {0};
	struct buf bytes = {0};
	const struct json *v = parse_own(&doc, profile, strlen(profile));

	buf_printf(out, ",\"profile\":%s", profile);
	if (!json_canonical(&bytes, v, JSON_ASCII | JSON_PYTHON))
		panic("announce: a profile has a number without a value");
	put_signature(out, "profile_signature", &bytes, secret_key);
	buf_fini(&bytes);
	json_fini(&doc);
}

void announce_write(
    struct buf *out, const struct announce *a, const uint8_t *secret_key)
{
	struct json_doc doc = {0};
	struct buf bytes = {0};
	size_t start = out->len;

	buf_printf(out,
	    "{\"type\":\"ANNOUNCE\",\"address\":\"%s\",\"timestamp\":%lld,"
	    "\"summary\":",
	    a->address, (long long)a->timestamp_s);
	buf_json_str(out, a->summary);
	buf_printf(out, ",\"endpoints\":%s,\"relay\":", a->endpoints);
	buf_json_str(out, a->relay);
	buf_str(out, ",\"relay_features\":[\"conn_id\"]");
	if (a->profile)
		put_profile(out, a->profile, secret_key);
	buf_char(out, '}');
	if (!signed_announce(
		&bytes, parse_own(&doc, out->data + start, out->len - start)))
		panic("announce: wrote a number without a value");
	out->len--; /* the signature is a member as well */
	put_signature(out, "signature", &bytes, secret_key);
	buf_char(out, '}');
	buf_fini(&bytes);
	json_fini(&doc);
}
