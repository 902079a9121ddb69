/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/announced.h"

#include "base/json.h"
#include "base/utf8.h"
#include "core/err.h"
#include "identity/signed.h"

#include <string.h>

/* ---- reading ---- */

static struct span span_of(const struct json *v)
{
	struct span s = {0};
	if (v && !json_is(v, JSON_NULL))
		s.text = json_text(v, &s.len);
	return s;
}

static int missing(const char *name, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "Missing field: %s", name);
}

static int invalid(const char *name, const char *why, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "Invalid %s: %s", name, why);
}

static int check_required(const struct json *root, struct err *err)
{
	static const char *const names[] = {
	    "address", "timestamp", "summary", "endpoints", "signature"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!json_get(root, names[i]))
			return missing(names[i], err);
	return 0;
}

static int read_address(
    struct announced *a, const struct json *root, struct err *err)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(json_get(root, "address"), &scratch, &len);
	bool ok = text && address_parse(text, len, a->address);
	buf_fini(&scratch);
	if (!ok)
		return invalid(
		    "address", "it must be 0x and 64 hex digits", err);
	address_key(a->address, a->key);
	return 0;
}

static int read_signature(
    struct announced *a, const struct json *root, struct err *err)
{
	struct buf scratch = {0};
	size_t len;
	const char *text =
	    json_str(json_get(root, "signature"), &scratch, &len);
	bool ok = text && signed_parse(text, len, a->signature);
	buf_fini(&scratch);
	if (!ok)
		return err_set(err, ERR_UNAUTHORIZED, "Invalid signature");
	digest_of(a->digest, a->signature, sizeof a->signature);
	return 0;
}

/* Returns the number of characters in a JSON string. */
static size_t count_characters(const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);
	size_t n = text ? utf8_count(text, len) : 0;
	buf_fini(&scratch);
	return n;
}

static int read_summary(
    struct announced *a, const struct json *root, struct err *err)
{
	const struct json *summary = json_get(root, "summary");
	if (!json_is(summary, JSON_STRING))
		return invalid("summary", "it must be a string", err);
	if (count_characters(summary) > ANNOUNCED_SUMMARY)
		return err_set(err, ERR_BAD_REQUEST,
		    "Summary too long (max %d chars)", ANNOUNCED_SUMMARY);
	a->summary = span_of(summary);
	return 0;
}

static int read_endpoints(
    struct announced *a, const struct json *root, struct err *err)
{
	const struct json *list = json_get(root, "endpoints");
	size_t n = 0, len;
	if (!json_is(list, JSON_ARRAY))
		return invalid("endpoints", "they must be a list", err);
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		(void)json_text(v, &len);
		if (!json_is(v, JSON_STRING) ||
		    len > ANNOUNCED_ENDPOINT_BYTES || ++n > ANNOUNCED_ENDPOINTS)
			return invalid("endpoints",
			    "at most 64 strings of 1000 bytes", err);
	}
	a->endpoints = span_of(list);
	a->has_endpoints = n > 0;
	return 0;
}

static int read_relay(
    struct announced *a, const struct json *root, struct err *err)
{
	const struct json *relay = json_get(root, "relay");
	if (relay && !json_is(relay, JSON_STRING) && !json_is(relay, JSON_NULL))
		return invalid("relay", "it must be a string or null", err);
	const struct json *features = json_get(root, "relay_features");
	a->relay = span_of(relay);
	if (!json_is(features, JSON_ARRAY))
		return 0;
	for (const struct json *v = json_first(features); v; v = json_next(v))
		a->has_conn_id |= json_str_is(v, "conn_id");
	return 0;
}

static int read_profile(
    struct announced *a, const struct json *root, struct err *err)
{
	const struct json *profile = json_get(root, "profile");
	const struct json *proof = json_get(root, "profile_signature");
	const struct json *version = json_get(profile, "attestation_version");
	if (!profile || json_is(profile, JSON_NULL))
		return 0;
	if (!json_is(profile, JSON_OBJECT))
		return invalid("profile", "it must be an object", err);
	if (proof && !json_is(proof, JSON_STRING))
		return invalid("profile_signature", "it must be a string", err);
	a->profile = span_of(profile);
	a->profile_signature = span_of(proof);
	if (!json_is(version, JSON_STRING) ||
	    !json_str_is(version, "profile-v2"))
		return 0;
	a->is_attested = true;
	if (!proof)
		return missing("profile_signature", err);
	if (!json_int(json_get(profile, "revision"), &a->revision) ||
	    a->revision <= 0)
		return invalid(
		    "revision", "it must be a positive integer", err);
	return 0;
}

static int read_all(
    struct announced *a, const struct json *root, struct err *err)
{
	if (check_required(root, err) != 0)
		return -1;
	if (!json_double(json_get(root, "timestamp"), &a->timestamp))
		return invalid("timestamp", "it must be a number", err);
	if (read_address(a, root, err) != 0 ||
	    read_signature(a, root, err) != 0 ||
	    read_summary(a, root, err) != 0 ||
	    read_endpoints(a, root, err) != 0 || read_relay(a, root, err) != 0)
		return -1;
	return read_profile(a, root, err);
}

/* What an agent says changes rarely, though each ANNOUNCE is another. */
static void digest_said(struct announced *a, const struct json *root)
{
	struct buf said = {0};
	for (const struct json *v = json_first(root); v; v = json_next(v)) {
		size_t key_len, len;
		const char *key = json_text(json_key(v), &key_len);
		const char *text = json_text(v, &len);
		if (json_str_is(json_key(v), "signature") ||
		    json_str_is(json_key(v), "timestamp"))
			continue;
		buf_append(&said, key, key_len);
		buf_append(&said, text, len);
	}
	digest_of(a->said, said.data, said.len);
	buf_fini(&said);
}

int announced_read(struct announced *a, struct buf *text, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	int rc;
	*a = (struct announced){.text = *text};
	*text = (struct buf){0};
	const struct json *root =
	    json_parse(&doc, a->text.data, a->text.len, JSON_UNIQUE_KEYS, &why);
	if (!json_is(root, JSON_OBJECT))
		rc = err_set(err, ERR_BAD_REQUEST, "Invalid JSON: %s",
		    root ? "it must be an object" : why.message);
	else
		rc = read_all(a, root, err);
	if (rc == 0)
		digest_said(a, root);
	json_fini(&doc);
	return rc;
}

void announced_fini(struct announced *a)
{
	buf_fini(&a->text);
}

/* ---- verifying ---- */

/* What is signed is the message without its signature, as it came. */
static bool is_signed(const struct announced *a)
{
	static const char *const cut[] = {"signature", NULL};
	struct json_doc doc = {0};
	struct json_error why;
	struct buf message = {0};
	const struct json *root =
	    json_parse(&doc, a->text.data, a->text.len, JSON_UNIQUE_KEYS, &why);
	json_put_without(&message, root, cut);
	bool ok = signed_announce_verify(
	    a->key, a->signature, message.data, message.len);
	buf_fini(&message);
	json_fini(&doc);
	return ok;
}

/* A JSON string that consists of hex digits has no escapes. */
static bool is_profile_signed(const struct announced *a)
{
	uint8_t signature[64];
	if (!a->profile_signature.text)
		return true;
	return signed_parse(a->profile_signature.text + 1,
		   a->profile_signature.len - 2, signature) &&
	       signed_verify(
		   a->key, signature, a->profile.text, a->profile.len);
}

int announced_verify(const struct announced *a, double now, struct err *err)
{
	if (a->timestamp < now - SIGNED_WINDOW)
		return err_set(err, ERR_UNAUTHORIZED, "Timestamp too old");
	if (!(a->timestamp <= now + SIGNED_WINDOW))
		return err_set(
		    err, ERR_UNAUTHORIZED, "Timestamp is in the future");
	if (!is_signed(a))
		return err_set(err, ERR_UNAUTHORIZED, "Invalid signature");
	if (!is_profile_signed(a))
		return err_set(
		    err, ERR_UNAUTHORIZED, "Invalid profile_signature");
	return 0;
}
