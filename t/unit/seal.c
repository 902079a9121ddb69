/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Sealed connections, against libsodium's own boxes on the client's side. */
#include "identity/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "t/unit/tap.h"
#include "identity/signed.h"

#define N(a) (sizeof(a) / sizeof(*(a)))
#define NOW 1702234567

/* Somebody with an Ed25519 key. */
struct who {
	uint8_t public_key[32];
	uint8_t secret_key[64];
	char address[ADDRESS_SIZE];
};

static struct who host, client;
static uint8_t one_time_public[32], one_time_secret[32];
static char one_time[65];

static struct json_doc doc;
static struct buf text;

static void make(struct who *w, uint8_t seed)
{
	uint8_t bytes[32];

	memset(bytes, seed, sizeof(bytes));
	(void)crypto_sign_seed_keypair(w->public_key, w->secret_key, bytes);
	memcpy(w->address, "0x", 2);
	enc_hex(w->address + 2, w->public_key, 32);
}

static const struct json *parse(const char *s, size_t len)
{
	struct json_error why;

	buf_reset(&text);
	buf_append(&text, s, len);
	return json_parse(&doc, text.data, text.len, 0, &why);
}

static const char *str(const struct json *v, const char *key)
{
	static char *copies[4];
	static size_t i;

	i = (i + 1) % N(copies);
	free(copies[i]);
	copies[i] = json_strdup(json_get(v, key));
	return copies[i] ? copies[i] : "";
}

/* ---- SEAL ---- */

/* What a SEAL may have that is wrong; NULL: right. Values are JSON text. */
struct hello {
	const char *type, *to, *from, *ephemeral, *timestamp, *signature;
};

static void put(struct buf *b, const char *key, const char *value)
{
	if (*value)
		buf_printf(
		    b, "%s\"%s\":%s", b->len > 1 ? "," : "{", key, value);
}

static const char *quoted(char *out, const char *s)
{
	(void)sprintf(out, "\"%s\"", s);
	return out;
}

/* A SEAL, with a good signature unless it says otherwise. */
static const struct json *hello(const struct hello *h)
{
	char to[80], from[80], ephemeral[80], signature[140], hex[129];
	uint8_t bytes[64];
	struct buf b = {0};
	const struct json *frame;

	put(&b, "ephemeral",
	    h->ephemeral ? h->ephemeral : quoted(ephemeral, one_time));
	put(&b, "from", h->from ? h->from : quoted(from, client.address));
	put(&b, "timestamp", h->timestamp ? h->timestamp : "1702234567");
	put(&b, "to", h->to ? h->to : quoted(to, host.address));
	put(&b, "type", h->type ? h->type : "\"SEAL\"");
	buf_char(&b, '}');
	(void)crypto_sign_detached(
	    bytes, NULL, (uint8_t *)b.data, b.len, client.secret_key);
	enc_hex(hex, bytes, 64);
	b.len--;
	put(&b, "signature",
	    h->signature ? h->signature : quoted(signature, hex));
	buf_char(&b, '}');
	frame = parse(b.data, b.len);
	buf_fini(&b);
	return frame;
}

/* What the host says to it: "" is yes. */
static const char *judge(
    struct seal *s, const struct json *frame, double now, struct buf *reply)
{
	static struct err err;
	const struct seal_host us = {host.address, host.secret_key};
	struct seal_hello h;
	struct buf payload = {0};
	bool is_signed;

	err.text[0] = '\0';
	if (seal_read(&h, &payload, frame, host.address, now, &err) != 0) {
		buf_fini(&payload);
		return err.text;
	}
	is_signed =
	    signed_verify(h.key, h.signature, payload.data, payload.len);
	buf_fini(&payload);
	if (!is_signed)
		return "forged";
	if (seal_accept(s, &h, &us, reply, &err) != 0)
		return err.text;
	return "";
}

static void refuses_what_is_wrong(void)
{
	static const char zero[] = "\"00000000000000000000000000000000"
				   "00000000000000000000000000000000\"";
	const struct {
		const char *name;
		struct hello hello;
		const char *why;
	} cases[] = {
	    {"a good one", {.type = NULL}, ""},
	    {"another type", {.type = "\"CONNECT\""},
		"seal refused: not a SEAL frame"},
	    {"no to", {.to = "", .from = ""},
		"seal refused: SEAL is missing to"},
	    {"no from", {.from = "", .ephemeral = ""},
		"seal refused: SEAL is missing from"},
	    {"no ephemeral", {.ephemeral = "", .timestamp = ""},
		"seal refused: SEAL is missing ephemeral"},
	    {"no timestamp", {.timestamp = "", .signature = ""},
		"seal refused: SEAL is missing timestamp"},
	    {"no signature", {.signature = "", .to = "1"},
		"seal refused: SEAL is missing signature"},
	    {"another host", {.to = zero, .timestamp = "null"},
		"seal refused: SEAL is addressed to another host"},
	    {"a time in words", {.timestamp = "\"now\"", .signature = "1"},
		"seal refused: SEAL timestamp is not a number"},
	    {"a time that is true", {.timestamp = "true"},
		"seal refused: SEAL timestamp is not a number"},
	    {"301 s ago", {.timestamp = "1702234266", .signature = "1"},
		"seal refused: SEAL is stale"},
	    {"in 301 s", {.timestamp = "1702234868"},
		"seal refused: SEAL is stale"},
	    {"never", {.timestamp = "1e999"}, "seal refused: SEAL is stale"},
	    {"300 s ago", {.timestamp = "1702234267"}, ""},
	    {"in 300 s", {.timestamp = "1702234867"}, ""},
	    {"a time with a fraction", {.timestamp = "1702234567.25"}, ""},
	    {"nobody", {.from = "\"0x12\""},
		"seal refused: SEAL signature does not verify"},
	    {"a signature that is none", {.signature = "\"12\""},
		"seal refused: SEAL signature does not verify"},
	    {"the signature of another", {.from = zero}, "forged"},
	    {"a key that is none", {.ephemeral = "\"12\""},
		"seal refused: SEAL ephemeral is not a key"},
	    {"a key that is no text", {.ephemeral = "[]"},
		"seal refused: SEAL ephemeral is not a key"},
	    {"a key that all would share", {.ephemeral = zero},
		"seal refused: SEAL ephemeral is not a key"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct seal s = {.sent = 0};
		struct buf reply = {0};
		is_str(judge(&s, hello(&cases[i].hello), NOW, &reply),
		    cases[i].why, "a SEAL with %s is judged", cases[i].name);
		seal_fini(&s);
		buf_fini(&reply);
	}
}

static void refuses_what_was_changed(void)
{
	static const char *const members[] = {
	    "ephemeral", "from", "timestamp", "signature"};

	for (size_t i = 0; i < N(members); i++) {
		size_t len = 0;
		const char *s = json_text(hello(&(struct hello){0}), &len);
		char *copy = mem_strndup(s, len), key[20];
		struct seal seal = {.sent = 0};
		struct buf reply = {0};

		(void)snprintf(key, sizeof(key), "\"%s\":", members[i]);
		char *at = strstr(copy, key) + strlen(key) + 5;
		*at = *at == '1' ? '2' : '1';
		is_str(judge(&seal, parse(copy, len), 0 + NOW, &reply)[0]
			   ? "no"
			   : "yes",
		    "no", "SEAL with another %s is refused", members[i]);
		free(copy);
		buf_fini(&reply);
	}
}

/* ---- SEALED_OK ---- */

static bool is_signed_by_host(const struct json *reply)
{
	struct buf b = {0};
	uint8_t signature[64];
	bool is_good;

	buf_printf(&b, "{\"client_ephemeral\":\"%s\",\"ephemeral\":\"%s\",",
	    str(reply, "client_ephemeral"), str(reply, "ephemeral"));
	buf_printf(&b, "\"from\":\"%s\",\"to\":\"%s\",\"type\":\"SEALED_OK\"}",
	    str(reply, "from"), str(reply, "to"));
	is_good = enc_unhex(signature, str(reply, "signature"), 64) &&
		  crypto_sign_verify_detached(signature, (uint8_t *)b.data,
		      b.len, host.public_key) == 0;
	buf_fini(&b);
	return is_good;
}

/* Seal; the client's side of the key is in key. */
static void shake_hands(struct seal *s, uint8_t key[32])
{
	struct buf reply = {0};
	const struct json *frame;
	uint8_t theirs[32];

	(void)judge(s, hello(&(struct hello){0}), NOW, &reply);
	frame = parse(reply.data, reply.len);
	(void)enc_unhex(theirs, str(frame, "ephemeral"), 32);
	if (crypto_box_beforenm(key, theirs, one_time_secret) != 0)
		exit(1);
	buf_fini(&reply);
}

static void answers(void)
{
	struct seal s, other;
	struct buf reply = {0};
	uint8_t key[32], key2[32];

	is_str(judge(&s, hello(&(struct hello){0}), NOW, &reply), "",
	    "a good SEAL is accepted");
	const struct json *frame = parse(reply.data, reply.len);
	is_str(str(frame, "type"), "SEALED_OK", "the answer is SEALED_OK");
	is_str(str(frame, "to"), client.address,
	    "the answer to a SEAL is addressed to the client");
	is_str(str(frame, "from"), host.address,
	    "the answer to a SEAL names the host");
	is_str(str(frame, "client_ephemeral"), one_time,
	    "the answer to a SEAL names the client's one-time key");
	ok(is_signed_by_host(frame),
	    "the answer to a SEAL is signed by the host");
	is_str(s.peer, client.address, "the seal knows who it is");
	buf_fini(&reply);
	shake_hands(&s, key);
	shake_hands(&other, key2);
	is_mem(s.key, 32, key, 32, "the two ends of a seal have the same key");
	ok(memcmp(key, key2, 32) != 0, "each connection has a key of its own");
	seal_fini(&s);
	ok(sodium_is_zero((uint8_t *)&s, sizeof(s)), "seal_fini() erases it");
}

static void repeats_the_spelling(void)
{
	struct seal s;
	struct buf reply = {0};
	char from[80] = "\"0x";
	const struct json *frame;

	for (size_t i = 2; i < 66; i++) {
		char c = client.address[i];
		from[i + 1] = (char)(c >= 'a' ? c - 'a' + 'A' : c);
	}
	memcpy(from + 67, "\"", 2);
	is_str(judge(&s, hello(&(struct hello){.from = from}), NOW, &reply), "",
	    "a SEAL with another spelling of its address is accepted");
	frame = parse(reply.data, reply.len);
	ok(strncmp(str(frame, "to"), from + 1, 66) == 0,
	    "the answer keeps the client's spelling of its address");
	is_str(s.peer, client.address,
	    "the seal keeps the canonical address of the client");
	buf_fini(&reply);
}

/* ---- messages ---- */

static void set_nonce(uint8_t nonce[24], const char *way, uint64_t n)
{
	memset(nonce, 0, 24);
	memcpy(nonce, way, 3);
	for (int i = 0; i < 8; i++)
		nonce[23 - i] = (uint8_t)(n >> 8 * i);
}

static char *message(size_t len)
{
	char *s = mem_alloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = (char)(i * 7 + i / 251);
	return s;
}

/* The client seals; a frame as it would send it. */
static const struct json *client_seals(
    const uint8_t key[32], uint64_t n, const char *s, size_t len, size_t flip)
{
	size_t room = sodium_base64_ENCODED_LEN(len + 16, 1);
	uint8_t *box = mem_alloc(len + 16), nonce[24];
	char *coded = mem_alloc(room);
	struct buf b = {0};
	const struct json *frame;

	set_nonce(nonce, "c2h", n);
	(void)crypto_box_easy_afternm(box, (const uint8_t *)s, len, nonce, key);
	if (flip)
		box[flip - 1] ^= 1;
	(void)sodium_bin2base64(coded, room, box, len + 16, 1);
	buf_printf(&b, "{\"type\": \"SEALED\", \"n\": %llu, \"c\": \"%s\"}",
	    (unsigned long long)n, coded);
	frame = parse(b.data, b.len);
	buf_fini(&b);
	free(coded);
	free(box);
	return frame;
}

static enum seal_step finish(struct seal_box *b)
{
	enum seal_step step;

	do {
		step = seal_box_step(b);
	} while (step == SEAL_MORE);
	return step;
}

/* Whether the host opens the frame as this message. */
static bool opens(
    struct seal *s, const struct json *frame, const char *want, size_t len)
{
	struct err err;
	struct seal_box *b = seal_take(s, frame, &err);
	bool is_good = b && finish(b) == SEAL_DONE;
	size_t got_len = 0;

	if (is_good) {
		const char *got = seal_box_text(b, &got_len);
		is_good = got_len == len && memcmp(got, want, len) == 0;
	}
	seal_box_free(&b);
	return is_good;
}

/* Whether the host's frame is this message for the client. */
static bool client_opens(const uint8_t key[32], const struct json *frame,
    uint64_t n, const char *want, size_t len)
{
	struct buf scratch = {0};
	size_t coded_len = 0, box_len = 0;
	const char *coded =
	    json_str(json_get(frame, "c"), &scratch, &coded_len);
	uint8_t *box = mem_alloc(coded_len + 1), nonce[24];
	char *got = mem_alloc(len + 1);
	int64_t number = 0;
	bool is_good = json_str_is(json_get(frame, "type"), "SEALED") &&
		       json_int(json_get(frame, "n"), &number) &&
		       number == (int64_t)n && coded &&
		       sodium_base642bin(box, coded_len, coded, coded_len, NULL,
			   &box_len, NULL, 1) == 0 &&
		       box_len == len + 16;

	set_nonce(nonce, "h2c", n);
	is_good = is_good &&
		  crypto_box_open_easy_afternm(
		      (uint8_t *)got, box, box_len, nonce, key) == 0 &&
		  memcmp(got, want, len) == 0;
	free(box);
	free(got);
	buf_fini(&scratch);
	return is_good;
}

static void carries_messages(void)
{
	static const size_t sizes[] = {0, 1, 2, 3, 15, 16, 31, 32, 33, 63, 64,
	    65, 1000, SEAL_SLICE - 33, SEAL_SLICE - 32, SEAL_SLICE - 31,
	    SEAL_SLICE - 17, SEAL_SLICE - 16, SEAL_SLICE - 15, SEAL_SLICE,
	    SEAL_SLICE + 1, 3 * SEAL_SLICE - 32, 3 * SEAL_SLICE + 5, 1 << 20};
	struct seal s;
	uint8_t key[32];

	shake_hands(&s, key);
	for (size_t i = 0; i < N(sizes); i++) {
		size_t len = 0;
		char *m = message(sizes[i]);
		struct seal_box *b = seal_put(&s, m, sizes[i]);
		bool is_good = finish(b) == SEAL_DONE;
		const char *sealed = seal_box_text(b, &len);
		ok(is_good && client_opens(
				  key, parse(sealed, len), i + 1, m, sizes[i]),
		    "%zu bytes to the client", sizes[i]);
		seal_box_free(&b);
		ok(opens(&s, client_seals(key, i + 1, m, sizes[i], 0), m,
		       sizes[i]),
		    "%zu bytes from the client", sizes[i]);
		free(m);
	}
	seal_fini(&s);
}

static void works_in_slices(void)
{
	struct seal s;
	uint8_t key[32];
	char *m = message(1 << 20);
	struct err err;
	int steps = 1;

	shake_hands(&s, key);
	struct seal_box *b = seal_put(&s, m, 1 << 20);
	while (seal_box_step(b) == SEAL_MORE)
		steps++;
	ok(steps > 20, "a large message is sealed in slices");
	seal_box_free(&b);
	b = seal_take(&s, client_seals(key, 1, m, 1 << 20, 0), &err);
	for (steps = 1; seal_box_step(b) == SEAL_MORE; steps++)
		;
	ok(steps > 20, "a large message is opened in slices");
	seal_box_free(&b);
	free(m);
}

static void keeps_numbers(void)
{
	static const struct {
		const char *name;
		uint64_t n;
		bool is_good;
	} cases[] = {
	    {"the first", 1, true},
	    {"the first again", 1, false},
	    {"zero", 0, false},
	    {"the second", 2, true},
	    {"a later one", 40, true},
	    {"one before it", 39, false},
	    {"one beyond 32 bits", (uint64_t)1 << 40, true},
	};
	struct seal s;
	uint8_t key[32];

	shake_hands(&s, key);
	for (size_t i = 0; i < N(cases); i++)
		ok(opens(&s, client_seals(key, cases[i].n, "{}", 2, 0), "{}",
		       2) == cases[i].is_good,
		    "%s %s", cases[i].name,
		    cases[i].is_good ? "is taken" : "is refused");
}

static void refuses_odd_numbers(void)
{
	static const char *const numbers[] = {
	    "", "\"1\"", "1.0", "true", "-1", "null", "18446744073709551617"};
	struct seal s;
	uint8_t key[32];
	struct err err;

	shake_hands(&s, key);
	for (size_t i = 0; i < N(numbers); i++) {
		struct buf b = {0};
		put(&b, "n", numbers[i]);
		buf_printf(&b, "%s\"c\":\"\"}", b.len ? "," : "{");
		struct seal_box *box =
		    seal_take(&s, parse(b.data, b.len), &err);
		is_str(box ? "taken" : err.text,
		    "sealed frame rejected: sealed frame out of order",
		    "n as '%s' is no number", numbers[i]);
		seal_box_free(&box);
		buf_fini(&b);
	}
}

static void refuses_what_is_no_box(void)
{
	static const char *const texts[] = {"", "1", "null", "\"\"", "\"AAAA\"",
	    "\"AAAAAAAAAAAAAAAAAAAAAA==\"", "\"????\"", "\"AAA\"",
	    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""};
	struct seal s;
	uint8_t key[32];
	struct err err;

	shake_hands(&s, key);
	for (size_t i = 0; i < N(texts); i++) {
		struct buf b = {0};
		buf_printf(&b, "{\"n\":%zu", i + 1);
		put(&b, "c", texts[i]);
		buf_char(&b, '}');
		struct seal_box *box =
		    seal_take(&s, parse(b.data, b.len), &err);
		ok(box && finish(box) == SEAL_BROKEN, "%s does not open",
		    texts[i]);
		seal_box_free(&box);
		buf_fini(&b);
	}
}

static void refuses_what_was_touched(void)
{
	static const size_t flips[] = {
	    1, 16, 17, 17 + SEAL_SLICE, 16 + 3 * SEAL_SLICE};
	size_t len = 3 * SEAL_SLICE;
	char *m = message(len);
	struct seal s;
	uint8_t key[32];

	shake_hands(&s, key);
	for (size_t i = 0; i < N(flips); i++)
		ok(!opens(
		       &s, client_seals(key, i + 1, m, len, flips[i]), m, len),
		    "a message with byte %zu changed is not opened",
		    flips[i] - 1);
	key[0] ^= 1;
	ok(!opens(&s, client_seals(key, 100, m, len, 0), m, len),
	    "a message under another key is not opened");
	free(m);
}

/* A slice of base64 that ends early is no place to go on from. */
static void refuses_padding_inside(void)
{
	struct seal s;
	uint8_t key[32];
	size_t chars = SEAL_SLICE / 3 * 4;
	struct buf b = {0};
	struct err err;

	shake_hands(&s, key);
	buf_str(&b, "{\"n\":1,\"c\":\"");
	memset(buf_reserve(&b, chars + 4), 'A', chars + 4);
	b.len += chars + 4;
	b.data[b.len - 5] = '=';
	buf_str(&b, "\"}");
	struct seal_box *box = seal_take(&s, parse(b.data, b.len), &err);
	ok(box && finish(box) == SEAL_BROKEN, "padding inside does not open");
	seal_box_free(&box);
	buf_fini(&b);
}

/* ---- the client's side ---- */

/* A client asks, and the host answers. */
static const struct json *ask(
    struct seal_question *q, struct seal *s, struct buf *reply)
{
	const struct seal_host me = {client.address, client.secret_key};
	struct buf out = {0};

	seal_ask(q, &out, host.address, &me, NOW);
	is_str(judge(s, parse(out.data, out.len), NOW, reply), "",
	    "the SEAL of our client is accepted");
	buf_fini(&out);
	return parse(reply->data, reply->len);
}

static void speaks_as_client(void)
{
	struct seal ours, theirs;
	struct seal_question q;
	struct buf reply = {0};
	struct err err;
	size_t len = 0;

	ok(seal_confirm(&ours, &q, ask(&q, &theirs, &reply), &err) == 0,
	    "our client accepts the answer");
	is_mem(ours.key, 32, theirs.key, 32,
	    "our client and the host have the same key");
	is_str(ours.peer, host.address, "the client's seal names the host");
	struct seal_box *b = seal_put(&ours, "up", 2);
	(void)finish(b);
	const char *s = seal_box_text(b, &len);
	ok(opens(&theirs, parse(s, len), "up", 2),
	    "the host opens what our client seals");
	seal_box_free(&b);
	b = seal_put(&theirs, "down", 4);
	(void)finish(b);
	s = seal_box_text(b, &len);
	ok(opens(&ours, parse(s, len), "down", 4),
	    "our client opens what the host seals");
	seal_box_free(&b);
	buf_fini(&reply);
}

static void client_refuses(void)
{
	static const struct {
		const char *member;
		const char *why;
	} cases[] = {
	    {"from", "the seal is that of another address"},
	    {"client_ephemeral", "the seal answers another connection"},
	    {"ephemeral", "the seal's signature is wrong"},
	    {"signature", "the seal's signature is wrong"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct seal ours, theirs;
		struct seal_question q;
		struct buf reply = {0};
		struct err err = {.text = ""};
		char key[24];

		(void)ask(&q, &theirs, &reply);
		(void)snprintf(key, sizeof(key), "\"%s\":", cases[i].member);
		char *at = strstr(buf_cstr(&reply), key) + strlen(key) + 5;
		reply.data[at - reply.data] = *at == '1' ? '2' : '1';
		ok(seal_confirm(
		       &ours, &q, parse(reply.data, reply.len), &err) != 0,
		    "our client refuses an answer with another %s",
		    cases[i].member);
		is_str(err.text, cases[i].why,
		    "the refusal of another %s says why", cases[i].member);
		buf_fini(&reply);
	}
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	make(&host, 1);
	make(&client, 2);
	(void)crypto_box_keypair(one_time_public, one_time_secret);
	enc_hex(one_time, one_time_public, 32);
	refuses_what_is_wrong();
	refuses_what_was_changed();
	answers();
	repeats_the_spelling();
	carries_messages();
	works_in_slices();
	keeps_numbers();
	refuses_odd_numbers();
	refuses_what_is_no_box();
	refuses_what_was_touched();
	refuses_padding_inside();
	(void)str(NULL, "");
	json_fini(&doc);
	buf_fini(&text);
	speaks_as_client();
	client_refuses();
	return done();
}
