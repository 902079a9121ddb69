/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sodium.h>

#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/signed.h"
#include "relay/announced.h"

#define NOW 1700000000.0

static unsigned char public[crypto_sign_PUBLICKEYBYTES];
static unsigned char secret[crypto_sign_SECRETKEYBYTES];
static char address[ADDRESS_SIZE];

static void make_key(void)
{
	unsigned char seed[crypto_sign_SEEDBYTES] = {7};

	(void)crypto_sign_seed_keypair(public, secret, seed);
	memcpy(address, "0x", 2);
	enc_hex(address + 2, public, sizeof(public));
}

static void put_signature(struct buf *out, const char *text, size_t len)
{
	unsigned char signature[crypto_sign_BYTES];
	char hex[2 * sizeof(signature) + 1];

	(void)crypto_sign_detached(
	    signature, NULL, (const unsigned char *)text, len, secret);
	enc_hex(hex, signature, sizeof(signature));
	buf_str(out, hex);
}

/* An ANNOUNCE with these members besides the address, signed. */
static struct buf sign(const char *members)
{
	struct buf text = {0}, canonical = {0};
	struct json_doc doc = {0};
	struct json_error why;

	buf_printf(&text, "{\"type\":\"ANNOUNCE\",\"address\":\"%s\"%s%s}",
	    address, *members ? "," : "", members);
	const struct json *root =
	    json_parse(&doc, text.data, text.len, 0, &why);
	if (!root || !signed_announce(&canonical, root))
		abort();
	text.len--;
	buf_str(&text, ",\"signature\":\"");
	put_signature(&text, canonical.data, canonical.len);
	buf_str(&text, "\"}");
	json_fini(&doc);
	buf_fini(&canonical);
	return text;
}

/* What an agent is told about its ANNOUNCE; "" if it is accepted. */
static const char *answer_to(struct announced *a, struct buf text, double now)
{
	static struct err err;

	err.text[0] = 0;
	if (announced_read(a, &text, &err) == 0)
		(void)announced_verify(a, now, &err);
	return err.text;
}

#define USUAL                                                     \
	"\"timestamp\":1700000000,\"summary\":\"I \\u00e9t\\n\"," \
	"\"endpoints\":[\"http://192.168.1.5:8000\"]"

static void test_good(void)
{
	struct announced a;

	is_str(answer_to(
		   &a, sign(USUAL ",\"relay\":null,\"more\":[1.50,2e5]"), NOW),
	    "", "an ANNOUNCE with unknown members is accepted");
	is_str(a.address, address, "the address of an ANNOUNCE is known");
	ok(a.has_endpoints && !a.has_conn_id && !a.profile.text &&
		!a.relay.text,
	    "what an ANNOUNCE lacks is absent");
	is_mem(a.endpoints.text, a.endpoints.len,
	    "[\"http://192.168.1.5:8000\"]", 27,
	    "endpoints are kept as they came");
	announced_fini(&a);
	is_str(answer_to(&a,
		   sign(USUAL ",\"relay\":\"ws://x\",\"relay_features\":[1,"
			      "\"conn_id\"],\"profile\":{\"alias\":\"a\"}"),
		   NOW + 299),
	    "", "an ANNOUNCE of five minutes ago is accepted");
	ok(a.has_conn_id && a.relay.len == 8 && a.profile.len == 13,
	    "features, relay and profile of an ANNOUNCE are read");
	announced_fini(&a);
}

static void test_refused(void)
{
	static const struct {
		const char *members;
		const char *answer;
	} rows[] = {
	    {"", "Missing field: timestamp"},
	    {"\"timestamp\":1", "Missing field: summary"},
	    {"\"timestamp\":1,\"summary\":\"\"", "Missing field: endpoints"},
	    {"\"timestamp\":\"1\",\"summary\":\"\",\"endpoints\":[]",
		"Invalid timestamp: it must be a number"},
	    {"\"timestamp\":1,\"summary\":2,\"endpoints\":[]",
		"Invalid summary: it must be a string"},
	    {"\"timestamp\":1,\"summary\":\"\",\"endpoints\":{}",
		"Invalid endpoints: they must be a list"},
	    {"\"timestamp\":1,\"summary\":\"\",\"endpoints\":[1]",
		"Invalid endpoints: at most 64 strings of 1000 bytes"},
	    {USUAL ",\"relay\":1",
		"Invalid relay: it must be a string or null"},
	    {USUAL ",\"profile\":[]", "Invalid profile: it must be an object"},
	    {USUAL ",\"profile\":{\"attestation_version\":\"profile-v2\"}",
		"Missing field: profile_signature"},
	    {USUAL ",\"profile\":{\"attestation_version\":\"profile-v2\","
		   "\"revision\":0},\"profile_signature\":\"00\"",
		"Invalid revision: it must be a positive integer"},
	    {USUAL ",\"profile\":{},\"profile_signature\":\"00\"",
		"Invalid profile_signature"},
	    {"\"timestamp\":1699999699,\"summary\":\"\",\"endpoints\":[]",
		"Timestamp too old"},
	    {"\"timestamp\":1700000301,\"summary\":\"\",\"endpoints\":[]",
		"Timestamp is in the future"},
	    {"\"timestamp\":17e99,\"summary\":\"\",\"endpoints\":[]",
		"Timestamp is in the future"},
	};
	struct announced a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		is_str(answer_to(&a, sign(rows[i].members), NOW),
		    rows[i].answer, "an ANNOUNCE is refused with: %s",
		    rows[i].answer);
		announced_fini(&a);
	}
}

static void test_forged(void)
{
	struct announced a;
	struct buf text = sign(USUAL);

	*(char *)memmem(text.data, text.len, "192", 3) = '2';
	is_str(answer_to(&a, text, NOW), "Invalid signature",
	    "a changed ANNOUNCE is refused");
	announced_fini(&a);
	text = (struct buf){0};
	buf_printf(&text, "{\"address\":\"%s\",\"signature\":\"00\"," USUAL "}",
	    address);
	is_str(answer_to(&a, text, NOW), "Invalid signature",
	    "a signature that is too short is refused");
	announced_fini(&a);
	text = (struct buf){0};
	buf_printf(
	    &text, "{\"address\":\"0x12\",\"signature\":\"00\"," USUAL "}");
	is_str(answer_to(&a, text, NOW),
	    "Invalid address: it must be 0x and 64 hex digits",
	    "what is no address is refused");
	announced_fini(&a);
	text = (struct buf){0};
	buf_str(&text, "[1]");
	is_str(answer_to(&a, text, NOW), "Invalid JSON: it must be an object",
	    "a list is no ANNOUNCE");
	announced_fini(&a);
	text = sign(USUAL);
	text.len--;
	buf_str(&text, ",\"summary\":\"other\"}");
	ok(strncmp(answer_to(&a, text, NOW), "Invalid JSON", 12) == 0,
	    "an ANNOUNCE that says one thing twice is refused");
	announced_fini(&a);
}

static struct buf with_summary(size_t n)
{
	struct buf members = {0};

	buf_str(&members,
	    "\"timestamp\":1700000000,\"endpoints\":[],\"summary\":\"");
	for (size_t i = 0; i < n; i++)
		buf_str(&members, i % 2 ? "\xc3\xa9" : "\\u00e9");
	buf_char(&members, '"');
	struct buf text = sign(buf_cstr(&members));
	buf_fini(&members);
	return text;
}

static void test_summary(void)
{
	struct announced a;

	is_str(answer_to(&a, with_summary(1000), NOW), "",
	    "a summary of 1000 characters is accepted, whatever its bytes");
	ok(!a.has_endpoints, "an ANNOUNCE may have no endpoints");
	announced_fini(&a);
	is_str(answer_to(&a, with_summary(1001), NOW),
	    "Summary too long (max 1000 chars)",
	    "a summary of 1001 characters is refused");
	announced_fini(&a);
}

static void test_profile(void)
{
	static const char profile[] =
	    "{\"alias\":\"a\",\"attestation_version\":\"profile-v2\","
	    "\"revision\":12}";
	struct buf members = {0};
	struct announced a;

	buf_printf(&members, USUAL ",\"profile\":%s,\"profile_signature\":\"0x",
	    profile);
	put_signature(&members, profile, strlen(profile));
	buf_char(&members, '"');
	is_str(answer_to(&a, sign(buf_cstr(&members)), NOW), "",
	    "a published profile is accepted");
	ok(a.is_attested && a.revision == 12,
	    "the revision of a published profile is read");
	announced_fini(&a);
	buf_fini(&members);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	make_key();
	test_good();
	test_refused();
	test_forged();
	test_summary();
	test_profile();
	return done();
}
