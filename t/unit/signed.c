/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sodium.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/signed.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

/* What the vectors have as client and host. */
#define CLIENT \
	"0x03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
#define HOST \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

#define NOW 1702234567

/* A signature as to its form alone. */
#define SIG64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIG SIG64 SIG64

static struct json_doc vectors;
static struct buf vectors_text;

static void read_vectors(void)
{
	const char *top = getenv("TOP_SRCDIR");
	struct buf path = {0};
	struct json_error error;

	buf_printf(&path, "%s/t/vectors.json", top ? top : ".");
	FILE *f = fopen(buf_cstr(&path), "rb");
	size_t n = 0;
	do {
		n = f ? fread(buf_reserve(&vectors_text, 4096), 1, 4096, f) : 0;
		vectors_text.len += n;
	} while (n);
	if (f)
		(void)fclose(f); /* only read */
	buf_fini(&path);
	if (!json_parse(
		&vectors, vectors_text.data, vectors_text.len, 0, &error)) {
		ok(false, "t/vectors.json can be read");
		exit(1);
	}
}

static char *field(const struct json *object, const char *name)
{
	return json_strdup(json_get(object, name));
}

/* ---- every vector ---- */

static void parse(struct json_doc *doc, const char *text)
{
	struct json_error error;

	ok(json_parse(doc, text, strlen(text), 0, &error),
	    "the text of a test is JSON");
}

static unsigned form_of(char letter)
{
	switch (letter) {
	case 'A':
		return JSON_ASCII | JSON_PYTHON;
	case 'B':
		return JSON_PYTHON;
	case 'C':
		return JSON_PYTHON | JSON_TOP;
	case 'D':
		return JSON_PYTHON | JSON_SCRIPT;
	default:
		return 0;
	}
}

static void check_canonical(const struct json *vector, const char *name)
{
	char *payload = field(vector, "wire_payload");
	char *want = field(vector, "canonical");
	char *form = field(vector, "form");
	struct json_doc doc = {0};
	struct buf got = {0};
	int64_t len = 0;

	if (form && *form != '-') {
		parse(&doc, payload);
		ok(json_canonical(&got, doc.root, form_of(*form)) && want,
		    "%s: form %s can be written", name, form);
		is_mem(got.data, got.len, want, want ? strlen(want) : 0,
		    "%s: its bytes are right", name);
		ok(json_int(json_get(vector, "canonical_len"), &len) &&
			len == (int64_t)got.len,
		    "%s: their number is right", name);
	}
	buf_fini(&got);
	json_fini(&doc);
	free(form);
	free(want);
	free(payload);
}

/* A request as it comes, with these parts of JSON; NULL is left out. */
static void make_request(struct buf *out, const char *payload, const char *from,
    const char *signature)
{
	const char *names[] = {"payload", "from", "signature"};
	const char *parts[] = {payload, from, signature};

	buf_reset(out);
	buf_char(out, '{');
	for (int i = 0; i < 3; i++) {
		if (parts[i])
			buf_printf(out, "%s\"%s\":%s", out->len > 1 ? "," : "",
			    names[i], parts[i]);
	}
	buf_char(out, '}');
}

/* Through all steps, with what the payload says as the time. */
static bool is_accepted(
    const char *payload, const char *from, const char *signature)
{
	struct buf text = {0}, from_json = {0}, signature_json = {0};
	struct json_doc doc = {0};
	struct signed_head h;
	struct err err;
	size_t len;

	buf_json_str(&from_json, from);
	buf_json_str(&signature_json, signature);
	make_request(
	    &text, payload, buf_cstr(&from_json), buf_cstr(&signature_json));
	parse(&doc, buf_cstr(&text));
	const struct json *root = doc.root;
	bool is_good =
	    signed_from(&h, json_get(root, "payload"), json_get(root, "from"),
		json_get(root, "signature"), &err) == 0 &&
	    signed_read(&h, &err) == 0 && signed_fresh(&h, NOW, &err) == 0 &&
	    signed_recipient(&h, HOST, false, &err) == 0;
	if (is_good) {
		const char *s = json_text(h.payload, &len);
		is_good = signed_verify(h.key, h.signature, s, len);
	}
	json_fini(&doc);
	buf_fini(&signature_json);
	buf_fini(&from_json);
	buf_fini(&text);
	return is_good;
}

static void check_vector(const struct json *vector)
{
	char *name = field(vector, "name");
	char *payload = field(vector, "wire_payload");
	char *must = field(vector, "new_server_must");
	char *from = field(vector, "signer");
	char *signature = field(vector, "signature");
	bool want = must && strncmp(must, "accept", 6) == 0;

	is_int(is_accepted(payload, from, signature), want, "%s is %s", name,
	    want ? "accepted" : "refused");
	check_canonical(vector, name);
	free(signature);
	free(from);
	free(must);
	free(payload);
	free(name);
}

static void test_vectors(void)
{
	const struct json *all = json_get(vectors.root, "vectors");

	for (const struct json *v = json_first(all); v; v = json_next(v))
		check_vector(v);
	is_int((int64_t)json_count(all), 31, "all 31 vectors were checked");
}

static bool verifies(
    const struct buf *text, const char *address, const char *hex)
{
	uint8_t key[32], signature[64];

	address_key(address, key);
	return enc_unhex(signature, hex, sizeof(signature)) &&
	       crypto_sign_verify_detached(signature,
		   (const unsigned char *)text->data, text->len, key) == 0;
}

/* ANNOUNCE has spaces, the profile has none. */
static void test_host_vectors(void)
{
	const struct json *announce = json_get(vectors.root, "announce");
	const struct json *profile = json_get(vectors.root, "profile");
	char *message = field(announce, "payload");
	char *want = field(announce, "canonical");
	char *signature = field(announce, "sig");
	struct json_doc doc = {0};
	struct buf got = {0};

	parse(&doc, message);
	ok(signed_announce(&got, doc.root), "an ANNOUNCE can be written");
	is_str(buf_cstr(&got), want, "an ANNOUNCE is written with spaces");
	ok(verifies(&got, HOST, signature),
	    "the signature of an ANNOUNCE verifies");
	buf_reset(&got);
	(void)json_canonical(&got, doc.root, JSON_ASCII | JSON_PYTHON);
	ok(!verifies(&got, HOST, signature),
	    "the signature of an ANNOUNCE does not verify without spaces");
	free(message);
	free(want);
	free(signature);

	message = field(profile, "payload");
	signature = field(profile, "sig");
	parse(&doc, message);
	buf_reset(&got);
	(void)json_canonical(&got, doc.root, JSON_ASCII | JSON_PYTHON);
	ok(verifies(&got, HOST, signature), "a profile verifies without");
	free(message);
	free(signature);
	buf_fini(&got);
	json_fini(&doc);
}

/* ---- spellings of a signature ---- */

static void test_spellings(void)
{
	const struct json *v = json_first(json_get(vectors.root, "vectors"));
	char *payload = field(v, "wire_payload");
	char *hex = field(v, "signature");
	char upper[129] = "", text[160];

	for (int i = 0; i < 128; i++)
		upper[i] = (char)(hex[i] >= 'a' ? hex[i] - 'a' + 'A' : hex[i]);
	const struct {
		const char *name;
		const char *before;
		const char *hex;
		int n_digits;
		const char *after;
		bool is_good;
	} cases[] = {
	    {"in lower case", "", hex, 128, "", true},
	    {"in upper case", "", upper, 128, "", true},
	    {"with a prefix", "0x", hex, 128, "", true},
	    {"in upper case with a prefix", "0x", upper, 128, "", true},
	    {"with an upper-case prefix", "0X", hex, 128, "", false},
	    {"after a space", " ", hex, 128, "", false},
	    {"before a space", "", hex, 128, " ", false},
	    {"with a digit more", "", hex, 128, "0", false},
	    {"with a byte more", "00", hex, 128, "", false},
	    {"with a digit less", "", hex, 127, "", false},
	};
	for (size_t i = 0; i < N(cases); i++) {
		(void)snprintf(text, sizeof(text), "%s%.*s%s", cases[i].before,
		    cases[i].n_digits, cases[i].hex, cases[i].after);
		is_int(is_accepted(payload, CLIENT, text), cases[i].is_good,
		    "a signature %s is %s", cases[i].name,
		    cases[i].is_good ? "accepted" : "refused");
	}
	free(hex);
	free(payload);
}

static void test_digest(void)
{
	static const char *const spellings[] = {"\"" SIG "\"", "\"0x" SIG "\"",
	    "\"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEF"
	    "F" SIG64 "\""};
	uint8_t want[32], bytes[4 + 64] = {'h', 'e', 'x', ':'};

	(void)enc_unhex(bytes + 4, SIG, 64);
	(void)crypto_hash_sha256(want, bytes, sizeof(bytes));
	for (size_t i = 0; i < N(spellings); i++) {
		struct json_doc doc = {0};
		struct buf text = {0};
		struct signed_head h;
		struct err err;
		make_request(
		    &text, "{\"timestamp\":1}", "\"" CLIENT "\"", spellings[i]);
		parse(&doc, buf_cstr(&text));
		ok(signed_from(&h, json_get(doc.root, "payload"),
		       json_get(doc.root, "from"),
		       json_get(doc.root, "signature"), &err) == 0 &&
			signed_read(&h, &err) == 0,
		    "each spelling of a signature is read");
		is_mem(h.digest, sizeof(h.digest), want, sizeof(want),
		    "one signature has one digest, however spelled");
		json_fini(&doc);
		buf_fini(&text);
	}
}

/* ---- which refusal ---- */

#define ABSENT NULL

struct refusal {
	const char *name;
	const char *payload;
	const char *from;
	const char *signature;
	const char *text; /* after "unauthorized: "; NULL: none */
};

#define PAYLOAD "{\"timestamp\":1702234567}"
#define FROM "\"" CLIENT "\""
#define GOOD "\"" SIG "\""

static const struct refusal refusals[] = {
    {"no payload", ABSENT, FROM, GOOD, "signed request required"},
    {"no signature", PAYLOAD, FROM, ABSENT, "signed request required"},
    {"nothing", ABSENT, ABSENT, ABSENT, "signed request required"},
    {"a payload that is null", "null", FROM, GOOD, "signed request required"},
    {"a payload that is a list", "[1]", FROM, GOOD, "signed request required"},
    {"a payload that is text", "\"{}\"", FROM, GOOD, "signed request required"},
    {"no from", PAYLOAD, ABSENT, GOOD, "'from' field required"},
    {"from that is null", PAYLOAD, "null", GOOD, "'from' field required"},
    {"from that is empty", PAYLOAD, "\"\"", GOOD, "'from' field required"},
    {"from that is a number", PAYLOAD, "7", GOOD, "'from' field required"},
    {"from that is a list", PAYLOAD, "[]", GOOD, "'from' field required"},
    {"from with a space", PAYLOAD, "\"" CLIENT " \"", GOOD,
	"invalid signature"},
    {"from that is too short", PAYLOAD, "\"0x12\"", GOOD, "invalid signature"},
    {"from that is a name", PAYLOAD, "\"alice\"", GOOD, "invalid signature"},
    {"a signature that is null", PAYLOAD, FROM, "null", "signature required"},
    {"an empty signature", PAYLOAD, FROM, "\"\"", "signature required"},
    {"a signature that is a number", PAYLOAD, FROM, "1", "signature required"},
    {"no timestamp", "{}", FROM, GOOD, "timestamp required in payload"},
    {"a timestamp that is null", "{\"timestamp\":null}", FROM, GOOD,
	"timestamp required in payload"},
    {"a timestamp that is 0", "{\"timestamp\":0}", FROM, GOOD,
	"timestamp required in payload"},
    {"a timestamp that is -0.0", "{\"timestamp\":-0.0}", FROM, GOOD,
	"timestamp required in payload"},
    {"a timestamp that is empty", "{\"timestamp\":\"\"}", FROM, GOOD,
	"timestamp required in payload"},
    {"a timestamp that is true", "{\"timestamp\":true}", FROM, GOOD,
	"timestamp must be numeric"},
    {"a timestamp that is text", "{\"timestamp\":\"1702234567\"}", FROM, GOOD,
	"timestamp must be numeric"},
    {"a timestamp that is a list", "{\"timestamp\":[1702234567]}", FROM, GOOD,
	"timestamp must be numeric"},
    {"a timestamp beyond a double", "{\"timestamp\":1e400}", FROM, GOOD,
	"timestamp must be finite"},
    {"a timestamp far below", "{\"timestamp\":-1e400}", FROM, GOOD,
	"timestamp must be finite"},
    {"an old timestamp", "{\"timestamp\":1702234266}", FROM, GOOD,
	"signature expired"},
    {"a timestamp to come", "{\"timestamp\":1702234868}", FROM, GOOD,
	"signature expired"},
    {"a timestamp just too old", "{\"timestamp\":1702234266.999}", FROM, GOOD,
	"signature expired"},
    {"a negative timestamp", "{\"timestamp\":-1702234567}", FROM, GOOD,
	"signature expired"},
    {"another recipient", "{\"timestamp\":1702234567,\"to\":\"" CLIENT "\"}",
	FROM, GOOD, "wrong recipient"},
    {"a recipient that is null", "{\"timestamp\":1702234567,\"to\":null}", FROM,
	GOOD, "wrong recipient"},
    {"a recipient that is a name",
	"{\"timestamp\":1702234567,\"to\":\"my-agent\"}", FROM, GOOD,
	"wrong recipient"},
    {"a timestamp 300 s old", "{\"timestamp\":1702234267}", FROM, GOOD, NULL},
    {"a timestamp in 300 s", "{\"timestamp\":1702234867.0}", FROM, GOOD, NULL},
    {"no recipient", PAYLOAD, FROM, GOOD, NULL},
    {"us as the recipient", "{\"timestamp\":1702234567,\"to\":\"" HOST "\"}",
	FROM, GOOD, NULL},
    {"us without a prefix",
	"{\"timestamp\":1702234567,\"to\":\"2152F8D19B791d24453242e15f2eab6cb7c"
	"ffa7b6a5ed30097960e069881db12\"}",
	FROM, GOOD, NULL},
    /* What is wrong first is told. */
    {"no signature, and all else wrong", "{}", "\"x\"", ABSENT,
	"signed request required"},
    {"no from, and all else wrong", "{}", ABSENT, "\"x\"",
	"'from' field required"},
    {"an empty signature, and all else wrong", "{\"timestamp\":1}", FROM,
	"\"\"", "signature required"},
    {"no timestamp, and all else wrong", "{\"to\":\"x\"}", FROM, "\"x\"",
	"timestamp required in payload"},
    {"an old timestamp, and all else wrong", "{\"timestamp\":1,\"to\":\"x\"}",
	FROM, "\"x\"", "signature expired"},
    {"another recipient, and no signature at all",
	"{\"timestamp\":1702234567,\"to\":\"x\"}", FROM, "\"x\"",
	"wrong recipient"},
};

static int check(const struct json *root, bool has_to, struct err *err)
{
	struct signed_head h;

	if (signed_from(&h, json_get(root, "payload"), json_get(root, "from"),
		json_get(root, "signature"), err) < 0 ||
	    signed_read(&h, err) < 0 || signed_fresh(&h, NOW, err) < 0)
		return -1;
	return signed_recipient(&h, HOST, has_to, err);
}

static void test_refusals(void)
{
	for (size_t i = 0; i < N(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct json_doc doc = {0};
		struct buf text = {0}, want = {0};
		struct err err = {.code = ERR_OK, .text = ""};
		make_request(&text, r->payload, r->from, r->signature);
		parse(&doc, buf_cstr(&text));
		int rc = check(doc.root, false, &err);
		if (r->text)
			buf_printf(&want, "unauthorized: %s", r->text);
		is_int(rc, r->text ? -1 : 0, "%s is %s", r->name,
		    r->text ? "refused" : "fine");
		is_str(err.text, buf_cstr(&want), "%s has its text", r->name);
		is_int(err.code, r->text ? ERR_UNAUTHORIZED : ERR_OK,
		    "%s has its code", r->name);
		json_fini(&doc);
		buf_fini(&want);
		buf_fini(&text);
	}
}

static void test_from(void)
{
	static const struct {
		const char *from;
		const char *address;
	} cases[] = {
	    {"\"" CLIENT "\"", CLIENT},
	    {"\"03A107bff3ce10be1d70dd18e74bc0"
	     "9967e4d6309ba50d5f1ddc8664125531B8\"",
		CLIENT},
	    {"\"\\u0030x03a107bff3ce10be1d70dd18e74bc0"
	     "9967e4d6309ba50d5f1ddc8664125531b8\"",
		CLIENT},
	    {"\" " CLIENT "\"", ""},
	    {"\"0x 03a107bff3ce10be1d70dd18e74bc0"
	     "9967e4d6309ba50d5f1ddc8664125531b8\"",
		""},
	    {"7", ""},
	};
	struct signed_head h;
	struct err err;

	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc doc = {0};
		parse(&doc, cases[i].from);
		(void)signed_from(&h, NULL, doc.root, NULL, &err);
		is_str(h.from, cases[i].address,
		    "the blacklist is asked for the address of %s",
		    cases[i].from);
		json_fini(&doc);
	}
}

static void test_recipient(void)
{
	static const struct {
		const char *payload;
		bool is_needed;
		bool is_for_us;
		bool is_to_name;
	} cases[] = {
	    {"{\"to\":\"" HOST "\"}", true, true, false},
	    {"{}", true, false, false},
	    {"{}", false, true, false},
	    {"{\"to\":\"agent\"}", true, false, true},
	    {"{\"to\":\"Agent\"}", true, false, false},
	    {"{\"to\":\"\"}", true, false, false},
	    {"{\"to\":7}", false, false, false},
	};
	struct err err;

	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc doc = {0};
		parse(&doc, cases[i].payload);
		const struct signed_head h = {.payload = doc.root};
		int rc = signed_recipient(&h, HOST, cases[i].is_needed, &err);
		is_int(rc, cases[i].is_for_us ? 0 : -1, "%s is %sfor us%s",
		    cases[i].payload, cases[i].is_for_us ? "" : "not ",
		    cases[i].is_needed ? ", who must be named" : "");
		is_int(signed_is_to_name(&h, "agent"), cases[i].is_to_name,
		    "%s is %sfor our name", cases[i].payload,
		    cases[i].is_to_name ? "" : "not ");
		json_fini(&doc);
	}
	struct json_doc doc = {0};
	parse(&doc, "{\"to\":\"" CLIENT "\"}");
	const struct signed_head h = {.payload = doc.root};
	ok(!signed_is_to_name(&h, CLIENT), "an address is never our name");
	json_fini(&doc);
}

/* ---- forms ---- */

static uint8_t client_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t client_secret[crypto_sign_SECRETKEYBYTES];

static void make_client(void)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)i;
	(void)crypto_sign_seed_keypair(client_key, client_secret, seed);
}

static bool verifies_as(const char *payload, const char *text)
{
	uint8_t signature[crypto_sign_BYTES];

	(void)crypto_sign_detached(signature, NULL, (const unsigned char *)text,
	    strlen(text), client_secret);
	return signed_verify(client_key, signature, payload, strlen(payload));
}

static void test_forms(void)
{
	static const struct {
		const char *name;
		const char *payload;
		const char *text; /* what was signed */
		bool is_accepted;
	} cases[] = {
	    {"numbers as sent, escaped", "{\"b\":\"\xc3\xa9\",\"a\":1E2}",
		"{\"a\":1E2,\"b\":\"\\u00e9\"}", true},
	    {"numbers as sent, not escaped", "{\"b\":\"\xc3\xa9\",\"a\":1E2}",
		"{\"a\":1E2,\"b\":\"\xc3\xa9\"}", true},
	    {"numbers as Python has them", "{\"b\":\"\xc3\xa9\",\"a\":1E2}",
		"{\"a\":100.0,\"b\":\"\\u00e9\"}", true},
	    {"numbers as nobody has them", "{\"a\":1E2}", "{\"a\":100}", false},
	    {"nested keys as sent, with numbers",
		"{\"b\":{\"z\":1e-7,\"a\":\"\xc3\xa9\"},\"a\":0}",
		"{\"a\":0,\"b\":{\"z\":1e-7,\"a\":\"\xc3\xa9\"}}", true},
	    {"array indexes first, as JavaScript has them",
		"{\"10\":1,\"9\":2,\"!\":3}", "{\"9\":2,\"10\":1,\"!\":3}",
		true},
	    {"array indexes among the others", "{\"10\":1,\"9\":2,\"!\":3}",
		"{\"!\":3,\"10\":1,\"9\":2}", true},
	    {"indexes, nested, numbers",
		"{\"10\":{\"b\":1e-7,\"a\":1},\"!\":\"\xc3\xa9\"}",
		"{\"10\":{\"b\":1e-7,\"a\":1},\"!\":\"\xc3\xa9\"}", true},
	    {"keys as sent", "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}", false},
	    {"spaces", "{\"a\": 1}", "{\"a\": 1}", false},
	    {"a lone surrogate as Python has it", "{\"a\":\"\\ud83d\xc3\xa9\"}",
		"{\"a\":\"\\ud83d\\u00e9\"}", true},
	    {"a lone surrogate as JavaScript has it",
		"{\"a\":\"\\uD83D\xc3\xa9\"}", "{\"a\":\"\\ud83d\xc3\xa9\"}",
		true},
	    {"a lone surrogate as U+FFFD", "{\"a\":\"\\ud83d\"}",
		"{\"a\":\"\xef\xbf\xbd\"}", false},
	    {"DEL escaped", "{\"a\":\"\x7f\"}", "{\"a\":\"\\u007f\"}", true},
	    {"DEL plain", "{\"a\":\"\x7f\"}", "{\"a\":\"\x7f\"}", true},
	    {"a minus zero", "{\"a\":-0}", "{\"a\":0}", true},
	    {"a number without end", "{\"a\":1e999}", "{\"a\":1e999}", false},
	    {"a doubled key", "{\"a\":1,\"a\":1}", "{\"a\":1}", false},
	    {"a doubled key inside", "{\"b\":{\"a\":1,\"\\u0061\":2}}",
		"{\"b\":{\"a\":2}}", false},
	    {"what is no object", "[1]", "[1]", false},
	    {"what is no JSON", "{\"a\":}", "{\"a\":}", false},
	    {"nothing", "", "", false},
	};

	for (size_t i = 0; i < N(cases); i++)
		is_int(verifies_as(cases[i].payload, cases[i].text),
		    cases[i].is_accepted, "%s: %s", cases[i].name,
		    cases[i].is_accepted ? "accepted" : "refused");
}

/* One that could have ten forms is tried in six: the one Python signs counts. */
static void test_bound(void)
{
	static const char payload[] =
	    "{\"10\":{\"b\":1e-7,\"a\":1},\"9\":\"\xc3\xa9\"}";

	ok(verifies_as(payload, "{\"10\":{\"a\":1,\"b\":1e-07},\"9\":"
				"\"\\u00e9\"}"),
	    "the first form is tried");
	ok(verifies_as(
	       payload, "{\"9\":\"\xc3\xa9\",\"10\":{\"b\":1e-07,\"a\":1}}"),
	    "the sixth form is tried");
	ok(!verifies_as(
	       payload, "{\"9\":\"\xc3\xa9\",\"10\":{\"a\":1,\"b\":1e-07}}"),
	    "the seventh form is not tried");
}

/* n times what stands before a number, the number, and what stands behind. */
static void put_many(
    struct buf *out, const char *before, const char *behind, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_str(out, before);
		if (behind)
			buf_printf(out, "%zu%s", i, behind);
	}
}

/* Each case: so many are taken, and one more is not. */
static void test_size(void)
{
	static const char over[] = "signed payload too large";
	static const struct {
		const char *name;
		const char *head, *before, *behind, *tail;
		size_t most; /* beside what head and tail hold */
	} cases[] = {
	    {"keys", "{\"timestamp\":1702234567", ",\"", "\":1", "}",
		SIGNED_MAX_KEYS - 1},
	    {"keys further in", "{\"timestamp\":1702234567,\"a\":{\"b\":1",
		",\"", "\":1", "}}", SIGNED_MAX_KEYS - 3},
	    {"values", "{\"timestamp\":1702234567,\"a\":[0", ",", "", "]}",
		SIGNED_MAX_VALUES - 4},
	    {"levels", "{\"timestamp\":1702234567,\"a\":[", "[", NULL, "",
		SIGNED_MAX_DEPTH - 2},
	};

	for (size_t i = 0; i < 2 * N(cases); i++) {
		size_t k = i / 2, n = cases[k].most + i % 2;
		struct buf payload = {0}, text = {0};
		struct json_doc doc = {0};
		struct signed_head h;
		struct err err = {.text = ""};
		buf_str(&payload, cases[k].head);
		put_many(&payload, cases[k].before, cases[k].behind, n);
		if (!cases[k].behind) {
			put_many(&payload, "]", NULL, n + 1);
			buf_char(&payload, '}');
		}
		buf_str(&payload, cases[k].tail);
		make_request(
		    &text, buf_cstr(&payload), "\"" CLIENT "\"", "\"00\"");
		parse(&doc, buf_cstr(&text));
		int rc = signed_from(&h, json_get(doc.root, "payload"),
		    json_get(doc.root, "from"), json_get(doc.root, "signature"),
		    &err);
		rc = rc ? rc : signed_read(&h, &err);
		bool is_over = i % 2;
		ok(is_over ? rc && err.code == ERR_TOO_LARGE &&
				 !strncmp(err.text, over, strlen(over))
			   : !rc,
		    "%zu more %s are %s before a signature is verified", n,
		    cases[k].name, is_over ? "too much" : "taken");
		json_fini(&doc);
		buf_fini(&text);
		buf_fini(&payload);
	}
}

static void test_weak_keys(void)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "0000000000000000000000000000000000000000000000000000000000000080",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const char text[] = "{\"timestamp\":1702234567}";

	for (size_t i = 0; i < N(points); i++) {
		uint8_t key[32], signature[64] = {0};
		bool any = false;
		(void)enc_unhex(key, points[i], sizeof(key));
		for (size_t j = 0; j < N(points); j++) {
			(void)enc_unhex(signature, points[j], 32);
			any = any ||
			      signed_verify(key, signature, text, strlen(text));
		}
		ok(!any, "point %zu cannot sign", i);
	}
	const uint8_t none[64] = {0};
	ok(!signed_verify(client_key, none, text, strlen(text)),
	    "no signature is no signature");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	make_client();
	read_vectors();
	test_vectors();
	test_host_vectors();
	test_spellings();
	test_digest();
	test_refusals();
	test_from();
	test_recipient();
	test_forms();
	test_bound();
	test_size();
	test_weak_keys();
	json_fini(&vectors);
	buf_fini(&vectors_text);
	return done();
}
