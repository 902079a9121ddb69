/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Tokens: the examples of RFC 7515 and RFC 8037, and the traps of RFC 8725. */
#include "access/jwt.h"

#include <string.h>

#include "access/jwt_keys.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "core/err.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))
#define NOW 1702234567
#define JOE_EXPIRES 1300819380

static const char rsa[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
    "oQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
static const char p256[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
    "-----END PUBLIC KEY-----\n";
static const char ed25519[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "-----END PUBLIC KEY-----\n";
static const char p384[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE/A1BRtve0HQSdOzhkszEeko9wApFSOe5\n"
    "C7lX77yUxDze7qs1PCJYw/az2G09fUI/Dy0Byuu2ziGIQgItUIVvFeWkJ3hZoule\n"
    "FfuysMd0X+4K1bLXw9nUmmRuGRu9DVG2\n"
    "-----END PUBLIC KEY-----\n";
static const char rsa1024[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQChJ0Zyy8tC+tmZ8/+ywgqPj6FQ\n"
    "e6OcZs51B8Y63rpOtbcyzNwxHtCumDNhvaxe/Dd4oA+F7mtnIjwCb2FCJe+33cN+\n"
    "QKCdS2nE5VZLCf7UMZjKOLMdz7dsWgLri33YFDqZFkRqm36S7fvxRawMcA0LwMy0\n"
    "J6zNkDv5Vu75+SqkZwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

/* RFC 7515, appendix A: one set of claims, and three signatures. */
#define HMAC_KEY                                                           \
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i" \
	"PS4hcgUuTwjAzZr1Z9CAow"
#define JOE                                                                \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt" \
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
static const char joe_hs256[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
				".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const char joe_rs256[] =
    "eyJhbGciOiJSUzI1NiJ9." JOE
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4B"
    "h-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZ"
    "LgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
    "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6"
    "LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
static const char joe_es256[] =
    "eyJhbGciOiJFUzI1NiJ9." JOE
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKT"
    "UJqPP3-Kg6NU1Q";
/* RFC 7519 section 6.1. */
static const char joe_none[] = "eyJhbGciOiJub25lIn0." JOE ".";

static struct jwt_keys *all;

static struct jwt_keys *keys_of(const char *secret, const char *pem)
{
	struct err err;
	struct jwt_keys *k = jwt_keys_new();
	if (secret)
		(void)jwt_keys_set_secret(k, secret, strlen(secret), &err);
	if (pem)
		(void)jwt_keys_add_public(k, pem, strlen(pem), &err);
	return k;
}

static const struct jwt_rules joe_rules = {"", "", JOE_EXPIRES - 1};

/* Returns "" or why it was refused. */
static const char *read_with(
    const struct jwt_keys *keys, const char *text, const struct jwt_rules *r)
{
	static struct err err;
	struct jwt token;
	int rc = jwt_read(&token, keys, text, strlen(text), r, &err);
	if (rc == 0)
		jwt_fini(&token);
	return rc == 0 ? "" : err.text;
}

static void test_examples(void)
{
	static const struct {
		const char *name;
		const char *text;
	} cases[] = {
	    {"HS256 of RFC 7515 A.1", joe_hs256},
	    {"RS256 of RFC 7515 A.2", joe_rs256},
	    {"ES256 of RFC 7515 A.3", joe_es256},
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct buf bad = {0};
		is_str(read_with(all, cases[i].text, &joe_rules), "",
		    "the example of %s is good", cases[i].name);
		buf_str(&bad, cases[i].text);
		char *signature = strrchr(buf_cstr(&bad), '.') + 5;
		*signature = *signature == 'A' ? 'B' : 'A';
		is_str(read_with(all, buf_cstr(&bad), &joe_rules),
		    "the signature of the token is wrong",
		    "the example of %s with another signature is not good",
		    cases[i].name);
		buf_fini(&bad);
	}
	is_str(read_with(all, joe_none, &joe_rules),
	    "no key is configured for the algorithm of the token",
	    "the unsecured example of RFC 7519 6.1 is not good");
}

/* RFC 8037 A.4 signs a text that is no JSON. */
static void test_eddsa(void)
{
	static const char text[] =
	    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	static const char good[] =
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
	    "hVsPt9g7sVvpAr_MuM0KAg";
	uint8_t signature[ENC_BASE64URL_BYTES(sizeof good)];
	size_t n = 0;
	bool is_known = false;
	(void)enc_unbase64url(signature, &n, good, sizeof good - 1);
	ok(jwt_keys_verify(
	       all, "EdDSA", text, sizeof text - 1, signature, n, &is_known),
	    "the EdDSA example of RFC 8037 A.4 is good");
	signature[3] ^= 1;
	ok(!jwt_keys_verify(
	       all, "EdDSA", text, sizeof text - 1, signature, n, &is_known),
	    "the EdDSA example with another signature is not good");
	ok(!jwt_keys_verify(all, "EdDSA", text, sizeof text - 1, signature,
	       n - 1, &is_known),
	    "an EdDSA signature that is too short is not good");
}

/* A token with this header, made by whoever has the secret. */
static const char *forge(
    const char *header, const char *claims, const char *secret)
{
	static struct buf out;
	char part[1024];
	uint8_t mac[JWT_MAC_SIZE];
	struct jwt_keys *k = keys_of(secret, NULL);
	buf_reset(&out);
	enc_base64url(part, header, strlen(header));
	buf_printf(&out, "%s.", part);
	enc_base64url(part, claims, strlen(claims));
	buf_printf(&out, "%s", part);
	jwt_keys_sign(k, out.data, out.len, mac);
	enc_base64url(part, mac, sizeof mac);
	buf_printf(&out, ".%s", part);
	jwt_keys_free(&k);
	return buf_cstr(&out);
}

#define SECRET "0123456789abcdef0123456789abcdef"
#define PLAIN "{\"alg\":\"HS256\"}"

static void test_confusion(void)
{
	static const struct jwt_rules rules = {"", "", NOW};
	static const char claims[] = "{\"sub\":\"a\",\"exp\":1702234600}";
	struct jwt_keys *public = keys_of(NULL, rsa);
	struct jwt_keys *secret = keys_of(SECRET, NULL);
	struct buf pem = {0};
	struct err err;

	/* jwt_keys_set_secret() would refuse the PEM text: as an attacker. */
	buf_printf(&pem, " %s", rsa);
	is_str(read_with(public, forge(PLAIN, claims, buf_cstr(&pem)), &rules),
	    "no key is configured for the algorithm of the token",
	    "a public key is never the secret of HS256");
	is_str(read_with(secret, joe_rs256, &joe_rules),
	    "no key is configured for the algorithm of the token",
	    "a secret verifies no RS256");
	is_str(read_with(public, joe_es256, &joe_rules),
	    "no key is configured for the algorithm of the token",
	    "an RSA key verifies no ES256");
	is_str(read_with(secret, forge(PLAIN, claims, SECRET), &rules), "",
	    "a token signed by the secret is good");
	ok(jwt_keys_set_secret(secret, rsa, strlen(rsa), &err) != 0,
	    "a key in PEM form is refused as a secret: %s", err.text);
	ok(jwt_keys_set_secret(secret, SECRET, 31, &err) != 0,
	    "a short secret is refused: %s", err.text);
	buf_fini(&pem);
	jwt_keys_free(&public);
	jwt_keys_free(&secret);
}

static void test_headers(void)
{
	static const struct jwt_rules rules = {"", "", NOW};
	static const char claims[] = "{\"exp\":1702234600}";
	static const struct {
		const char *header;
		const char *why;
	} cases[] = {
	    {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"../../x\"}", ""},
	    {"{\"alg\":\"HS256\",\"jku\":\"http://evil.example/\"}", ""},
	    {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
		"the token has a header that must be understood (crit)"},
	    {"{\"alg\":\"none\"}",
		"no key is configured for the algorithm of the token"},
	    {"{\"alg\":\"NONE\"}",
		"no key is configured for the algorithm of the token"},
	    {"{\"alg\":\"hs256\"}",
		"no key is configured for the algorithm of the token"},
	    {"{\"alg\":\"HS512\"}",
		"no key is configured for the algorithm of the token"},
	    {"{\"alg\":\"HS256\\u0000\"}", "the token names no algorithm"},
	    {"{\"alg\":[\"HS256\"]}", "the token names no algorithm"},
	    {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
		"the header of the token is malformed"},
	    {"{}", "the token names no algorithm"},
	    {"[]", "the header of the token is malformed"},
	    {"", "the header of the token is malformed"},
	};
	struct jwt_keys *k = keys_of(SECRET, NULL);
	for (size_t i = 0; i < N(cases); i++)
		is_str(read_with(
			   k, forge(cases[i].header, claims, SECRET), &rules),
		    cases[i].why, "the header %s is %s", cases[i].header,
		    *cases[i].why ? "refused" : "accepted");
	jwt_keys_free(&k);
}

static void test_claims(void)
{
	static const struct jwt_rules loose = {"", "", NOW};
	static const struct jwt_rules strict = {
	    "https://id.example", "co", NOW};
	static const struct {
		const char *claims;
		const struct jwt_rules *rules;
		const char *why;
	} cases[] = {
	    {"{\"exp\":1702234568}", &loose, ""},
	    {"{\"exp\":1702234508}", &loose, ""},
	    {"{\"exp\":1702234507}", &loose, "the token expired 60 s ago"},
	    {"{\"exp\":1702234568.75}", &loose, ""},
	    {"{\"exp\":1.7022345e9,\"iat\":1}", &loose,
		"the token expired 67 s ago"},
	    {"{}", &loose, "the token has no expiry (exp)"},
	    {"{\"exp\":\"1702234568\"}", &loose,
		"the token has no expiry (exp)"},
	    {"{\"exp\":1e400}", &loose, "the token has no expiry (exp)"},
	    {"{\"exp\":-1}", &loose, "the token has no expiry (exp)"},
	    {"{\"exp\":1702234999,\"nbf\":1702234627}", &loose, ""},
	    {"{\"exp\":1702234999,\"nbf\":1702234628}", &loose,
		"the token is not valid yet: its nbf is 61 s ahead of the "
		"clock of the server, and 60 s are allowed"},
	    {"{\"exp\":1702239999,\"iat\":1702235167}", &loose,
		"the token is not valid yet: its iat is 600 s ahead of the "
		"clock of the server, and 60 s are allowed"},
	    {"{\"exp\":1702234999,\"nbf\":true}", &loose,
		"the nbf of the token is no time"},
	    {"{\"exp\":1702234999,\"iss\":\"https://id.example\","
	     "\"aud\":\"co\"}",
		&strict, ""},
	    {"{\"exp\":1702234999,\"iss\":\"https://id.example\","
	     "\"aud\":[\"x\",\"co\"]}",
		&strict, ""},
	    {"{\"exp\":1702234999,\"iss\":\"https://id.example\","
	     "\"aud\":[\"x\"]}",
		&strict, "the token is for another audience (aud)"},
	    {"{\"exp\":1702234999,\"iss\":\"https://id.example\"}", &strict,
		"the token has no audience (aud)"},
	    {"{\"exp\":1702234999,\"iss\":\"https://id.example.evil\","
	     "\"aud\":\"co\"}",
		&strict, "the token has another issuer (iss)"},
	    {"{\"exp\":1702234999,\"aud\":\"co\"}", &strict,
		"the token has another issuer (iss)"},
	    {"{\"exp\":1702234999,\"aud\":\"other\"}", &loose,
		"the token is for another audience (aud)"},
	    {"{\"exp\":1702234999,\"exp\":1}", &loose,
		"the claims of the token are malformed"},
	    {"[1702234999]", &loose, "the claims of the token are malformed"},
	    {"{\"exp\":1702234999", &loose,
		"the claims of the token are malformed"},
	};
	struct jwt_keys *k = keys_of(SECRET, NULL);
	for (size_t i = 0; i < N(cases); i++)
		is_str(read_with(k, forge(PLAIN, cases[i].claims, SECRET),
			   cases[i].rules),
		    cases[i].why, "the claims %s are %s", cases[i].claims,
		    *cases[i].why ? "refused" : "accepted");
	jwt_keys_free(&k);
}

static void test_forms(void)
{
	static const struct {
		const char *name;
		const char *text;
	} cases[] = {
	    {"nothing", ""},
	    {"a word", "abc"},
	    {"two parts", "abc.def"},
	    {"four parts", "a.b.c.d"},
	    {"three empty parts", ".."},
	    {"padding", "eyJhbGciOiJIUzI1NiJ9==." JOE ".AAAA"},
	    {"a space", "eyJhbGciOiJIUzI1NiJ9 ." JOE ".AAAA"},
	    {"the plain alphabet", "eyJhbGciOiJIUzI1NiJ9." JOE ".++++"},
	    {"no signature", "eyJhbGciOiJIUzI1NiJ9." JOE "."},
	};
	struct buf big = {0};
	for (size_t i = 0; i < N(cases); i++)
		ok(*read_with(all, cases[i].text, &joe_rules),
		    "a token with %s is refused: %s", cases[i].name,
		    read_with(all, cases[i].text, &joe_rules));
	for (int i = 0; i < JWT_MAX + 1; i++)
		buf_char(&big, i % 4000 == 1 ? '.' : 'A');
	is_str(read_with(all, buf_cstr(&big), &joe_rules),
	    "the token is longer than 8192 bytes", "a long token is refused");
	buf_fini(&big);
}

static void test_own(void)
{
	static const char claims[] = "{\"sub\":\"ann\",\"exp\":1702234600}";
	static const struct jwt_rules rules = {"", "", NOW};
	struct jwt_keys *k = keys_of(SECRET, NULL);
	struct buf out = {0};
	struct jwt token;
	struct err err;
	jwt_put(&out, k, claims, sizeof claims - 1);
	int rc = jwt_read(&token, k, out.data, out.len, &rules, &err);
	ok(rc == 0 && json_str_is(json_get(token.claims, "sub"), "ann") &&
		token.expires_s == 1702234600,
	    "a token of our own is good, and tells its claims");
	jwt_fini(&token);
	buf_fini(&out);
	jwt_keys_free(&k);
}

static void test_keys(void)
{
	static const struct {
		const char *name;
		const char *text;
	} cases[] = {
	    {"a key of P-384", p384},
	    {"an RSA key of 1024 bits", rsa1024},
	    {"no key", "hello\n"},
	    {"nothing", ""},
	    {"a damaged key",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
	    {"a private key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END "
			      "PRIVATE KEY-----\n"},
	    {"a key that is cut", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2Vw"},
	};
	struct jwt_keys *k = jwt_keys_new();
	struct err err;
	ok(jwt_keys_are_none(k), "a new set of keys is empty");
	for (size_t i = 0; i < N(cases); i++)
		ok(jwt_keys_add_public(
		       k, cases[i].text, strlen(cases[i].text), &err) != 0,
		    "a file with %s is refused: %s", cases[i].name, err.text);
	int n = 0;
	while (jwt_keys_add_public(k, ed25519, strlen(ed25519), &err) == 0)
		n++;
	is_int(n, JWT_KEYS_MAX, "a set holds so many keys: %s", err.text);
	ok(!jwt_keys_can_sign(k), "public keys sign nothing");
	jwt_keys_free(&k);
}

/* Not asserted: what one verification costs here, for doc/onsembl.txt. */
static void tell_costs(void)
{
	static const char *const texts[] = {joe_hs256, joe_rs256, joe_es256};
	static const char *const names[] = {"HS256", "RS256", "ES256"};
	for (size_t i = 0; i < N(texts); i++) {
		int64_t from = clock_steady_us();
		for (int n = 0; n < 100; n++)
			(void)read_with(all, texts[i], &joe_rules);
		printf("# %s: %lld us for 100 tokens\n", names[i],
		    (long long)(clock_steady_us() - from));
	}
}

int main(void)
{
	char secret[128];
	size_t n = 0;
	struct err err;
	struct buf pem = {0};
	(void)enc_unbase64url(secret, &n, HMAC_KEY, strlen(HMAC_KEY));
	all = jwt_keys_new();
	ok(jwt_keys_set_secret(all, secret, n, &err) == 0,
	    "the secret of RFC 7515 A.1 is taken");
	buf_printf(&pem, "%sa comment\n%s%s", rsa, p256, ed25519);
	ok(jwt_keys_add_public(all, pem.data, pem.len, &err) == 0,
	    "a file with three public keys is taken");
	test_examples();
	test_eddsa();
	test_confusion();
	test_headers();
	test_claims();
	test_forms();
	test_own();
	test_keys();
	tell_costs();
	buf_fini(&pem);
	jwt_keys_free(&all);
	return done();
}
