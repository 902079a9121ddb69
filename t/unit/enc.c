/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <time.h>

#include "base/enc.h"

static void test_hex(void)
{
	static const struct {
		const char *hex;
		bool is_valid;
	} cases[] = {
	    {"00ff7fA0", true},
	    {"00FF7fa0", true},
	    {"00ff7fg0", false},
	    {"00ff7f0", false},
	    {"", false},
	    {" 0ff7fa0", false},
	    {"-0ff7fa0", false},
	};
	const unsigned char want[] = {0x00, 0xff, 0x7f, 0xa0};
	unsigned char got[4];
	char text[9];

	enc_hex(text, want, 4);
	is_str(text, "00ff7fa0", "hex is written in lower case");
	enc_hex(text, want, 0);
	is_str(text, "", "no bytes are an empty text");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool is_valid = enc_unhex(got, cases[i].hex, 4);
		ok(is_valid == cases[i].is_valid &&
			(!is_valid || !memcmp(got, want, 4)),
		    "\"%s\" is %shex", cases[i].hex,
		    cases[i].is_valid ? "" : "not ");
	}
}

static void test_base64(void)
{
	static const struct {
		const char *text;
		const char *bytes; /* NULL: refused */
	} cases[] = {
	    {"", ""},
	    {"Zg==", "f"},
	    {"Zm8=", "fo"},
	    {"Zm9v", "foo"},
	    {"Zm9vYmFy", "foobar"},
	    {"Zm9vYg==", "foob"},
	    {"+/+/", "\xfb\xff\xbf"},
	    {"Zg", NULL},
	    {"Zg=", NULL},
	    {"Z", NULL},
	    {"=", NULL},
	    {"====", NULL},
	    {"Z===", NULL},
	    {"Zg==Zg==", NULL},
	    {"Zg=v", NULL},
	    {"Zm9v\n", NULL},
	    {"Zm 9", NULL},
	    {"Zm-_", NULL},
	    {"Zm\xc3\xa9", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = cases[i].text, *want = cases[i].bytes;
		size_t n = strlen(text), len = 99;
		size_t size = enc_base64_size(text, n);
		/* The exact size lets the sanitizer see a byte too many. */
		char *out = malloc(size ? size : 1);
		bool is_valid = out && enc_unbase64(out, &len, text, n);
		if (want) {
			char back[16] = "";
			enc_base64(back, want, strlen(want));
			is_str(back, text, "\"%s\" is encoded", text);
			ok(ENC_BASE64_SIZE(strlen(want)) == n,
			    "the size of base64 \"%s\" is known", text);
		}
		if (want)
			ok(is_valid && len == size && len == strlen(want) &&
				!memcmp(out, want, len),
			    "base64 \"%s\" is decoded", text);
		else
			ok(!is_valid && len <= size, "base64 \"%s\" is refused",
			    text);
		free(out);
	}
}

static void test_base64url(void)
{
	static const struct {
		const char *text;
		const char *bytes; /* NULL: refused */
	} cases[] = {
	    {"", ""},
	    {"Zg", "f"},
	    {"Zm8", "fo"},
	    {"Zm9v", "foo"},
	    {"Zm9vYmFy", "foobar"},
	    {"-_-_", "\xfb\xff\xbf"},
	    {"-_8", "\xfb\xff"},
	    {"Z", NULL},
	    {"Zg==", NULL},
	    {"Zh", NULL},
	    {"Zm9", NULL},
	    {"+/+/", NULL},
	    {"Zm9v=", NULL},
	    {"Zm9\n", NULL},
	    {"Zm9vZ", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = cases[i].text, *want = cases[i].bytes;
		size_t n = strlen(text), len = 99;
		char *out = malloc(ENC_BASE64URL_BYTES(n));
		bool is_valid = out && enc_unbase64url(out, &len, text, n);
		if (want) {
			char back[16];
			enc_base64url(back, want, strlen(want));
			is_str(back, text, "\"%s\" is encoded for URLs", text);
			ok(is_valid && len == strlen(want) &&
				!memcmp(out, want, len),
			    "base64url \"%s\" is decoded", text);
		} else {
			ok(!is_valid, "base64url \"%s\" is refused", text);
		}
		free(out);
	}
}

static void test_random(void)
{
	unsigned char a[64] = {0}, b[64] = {0};

	enc_random(a, sizeof(a));
	enc_random(b, sizeof(b));
	ok(memcmp(a, b, sizeof(a)) != 0, "random bytes differ");
	enc_random(a, 0);
	ok(true, "no random bytes can be asked for");
}

static bool is_uuid7(const char *s)
{
	if (strlen(s) != ENC_UUID_SIZE - 1)
		return false;
	for (int i = 0; i < ENC_UUID_SIZE - 1; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		const char *allowed = is_dash	? "-"
				      : i == 14 ? "7"
				      : i == 19 ? "89ab"
						: "0123456789abcdef";
		if (!strchr(allowed, s[i]))
			return false;
	}
	return true;
}

static void test_uuid(void)
{
	char a[ENC_UUID_SIZE], b[ENC_UUID_SIZE], time_hex[13];
	time_t before = time(NULL);

	enc_uuid(a);
	enc_uuid(b);
	ok(is_uuid7(a), "%s is a UUID of version 7", a);
	ok(strcmp(a, b) != 0, "two UUIDs differ");
	(void)snprintf(time_hex, sizeof(time_hex), "%.8s%.4s", a, a + 9);
	long long ms = strtoll(time_hex, NULL, 16);
	ok(ms / 1000 >= before && ms / 1000 <= before + 60,
	    "a UUID begins with the time");
}

static void test_is_uuid(void)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
	    {"0193f2b4-7c1d-7e5f-8a9b-0123456789ab", true},
	    {"0193F2B4-7C1D-7E5F-8A9B-0123456789AB", true},
	    {"0193f2b47c1d7e5f8a9b0123456789ab", false},
	    {"0193f2b4-7c1d-7e5f-8a9b-0123456789a", false},
	    {"0193f2b4-7c1d-7e5f-8a9b-0123456789abc", false},
	    {"0193f2b47-c1d-7e5f-8a9b-0123456789ab", false},
	    {"0193f2b4-7c1d-7e5f-8a9b-0123456789ag", false},
	    {"", false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(enc_is_uuid(cases[i].text, strlen(cases[i].text)) ==
			cases[i].is,
		    "\"%s\" is %s UUID with dashes", cases[i].text,
		    cases[i].is ? "a" : "no");
}

/* CRC-32C a bit at a time, as its polynomial says. */
static uint32_t slow_crc(uint32_t crc, const unsigned char *p, size_t n)
{
	crc = ~crc;
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void test_crc(void)
{
	unsigned char bytes[200];
	bool same = true, continued = true;

	is_int(enc_crc32c(0, "123456789", 9), 0xe3069283,
	    "the CRC of the check text is right");
	is_int(enc_crc32c(0, "", 0), 0, "the CRC of nothing is 0");
	enc_random(bytes, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		uint32_t whole = enc_crc32c(0, bytes, n);
		uint32_t half = enc_crc32c(0, bytes, n / 2);
		same = same && whole == slow_crc(0, bytes, n);
		continued = continued &&
			    whole == enc_crc32c(half, bytes + n / 2, n - n / 2);
	}
	ok(same, "the CRC of every length is right");
	ok(continued, "a CRC can be continued");
}

int main(void)
{
	test_hex();
	test_base64();
	test_base64url();
	test_random();
	test_uuid();
	test_is_uuid();
	test_crc();
	return done();
}
