/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_token.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "openhands/oh_key.h"

#include <string.h>

/* What the base64url of a JSON object begins with. */
#define BEGIN "ey"

/* Some libraries pad it. */
static size_t unpadded(const char *text, size_t len)
{
	while (len && text[len - 1] == '=')
		len--;
	return len;
}

static bool is_token(const char *text, size_t len)
{
	return len <= OH_TOKEN_MAX && len > strlen(BEGIN) &&
	       memcmp(text, BEGIN, strlen(BEGIN)) == 0;
}

static bool keep(void *arg, const char *text, size_t len)
{
	char *out = arg;
	if (!is_token(text, len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

void oh_token_find(char out[OH_TOKEN_MAX + 1], const struct http_req *req)
{
	out[0] = '\0';
	(void)oh_key_each(req, keep, out); /* or there is none */
}

static bool is_signed(const struct json *v)
{
	return json_get(v, "payload") || json_get(v, "signature");
}

/* Returns the object that a token is, or NULL. */
static const struct json *decode(
    struct json_doc *doc, struct buf *mem, const char *text, size_t len)
{
	char bytes[ENC_BASE64URL_BYTES(OH_TOKEN_MAX)];
	struct json_error why;
	size_t n = 0;
	len = unpadded(text, len);
	if (!is_token(text, len) || !enc_unbase64url(bytes, &n, text, len))
		return NULL;
	buf_reset(mem);
	buf_append(mem, bytes, n);
	const struct json *v = json_parse(doc, mem->data, mem->len, 0, &why);
	return is_signed(v) ? v : NULL;
}

static const struct json *decode_member(struct json_doc *doc, struct buf *mem,
    const struct json *credentials, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text =
	    json_str(json_get(credentials, name), &scratch, &len);
	const struct json *v = text ? decode(doc, mem, text, len) : NULL;
	buf_fini(&scratch);
	return v;
}

const struct json *oh_token_read(struct json_doc *doc, struct buf *mem,
    const struct json *credentials, const char *token)
{
	const struct json *v;
	if (is_signed(credentials))
		return credentials;
	v = decode_member(doc, mem, credentials, "token");
	if (!v)
		v = decode_member(doc, mem, credentials, OH_KEY_NAME);
	return v ? v : decode(doc, mem, token, strlen(token));
}
