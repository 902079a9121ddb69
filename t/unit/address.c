/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "identity/address.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

#define DIGITS                           \
	"03a107bff3ce10be1d70dd18e74bc0" \
	"9967e4d6309ba50d5f1ddc8664125531b8"
#define UPPER                            \
	"03A107BFF3CE10BE1D70DD18E74BC0" \
	"9967E4D6309BA50D5F1DDC8664125531B8"

static void test_parse(void)
{
	static const struct {
		const char *name;
		const char *text;
		bool is_address;
	} cases[] = {
	    {"the canonical spelling", "0x" DIGITS, true},
	    {"one without a prefix", DIGITS, true},
	    {"one in upper case", "0x" UPPER, true},
	    {"one in upper case without a prefix", UPPER, true},
	    {"one with an upper-case prefix", "0X" DIGITS, false},
	    {"nothing", "", false},
	    {"a prefix alone", "0x", false},
	    {"63 digits",
		"0x3a107bff3ce10be1d70dd18e74bc0"
		"9967e4d6309ba50d5f1ddc8664125531b8",
		false},
	    {"65 digits", "0x0" DIGITS, false},
	    {"66 digits without a prefix", "00" DIGITS, false},
	    {"a space before", " " DIGITS, false},
	    {"a space after", "0x" DIGITS " ", false},
	    {"a space inside",
		"0x03a107bff3ce10be1d70dd18e74bc0 "
		"967e4d6309ba50d5f1ddc8664125531b8",
		false},
	    {"a letter that is no digit",
		"0x03a107bff3ce10be1d70dd18e74bcg"
		"9967e4d6309ba50d5f1ddc8664125531b8",
		false},
	    {"a name", "my-agent", false},
	};

	for (size_t i = 0; i < N(cases); i++) {
		char out[ADDRESS_SIZE] = "old";
		bool is_address =
		    address_parse(cases[i].text, strlen(cases[i].text), out);
		is_int(is_address, cases[i].is_address, "%s is %san address",
		    cases[i].name, cases[i].is_address ? "" : "not ");
		is_str(out, is_address ? "0x" DIGITS : "",
		    "the canonical spelling is given only for an address");
	}
	char out[ADDRESS_SIZE];
	char text[] = DIGITS;
	text[31] = '\0';
	ok(!address_parse(text, sizeof(text) - 1, out),
	    "a text with a NUL inside is not an address");
}

static void test_key(void)
{
	static const uint8_t want[] = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10,
	    0xbe, 0x1d, 0x70, 0xdd, 0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4,
	    0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12,
	    0x55, 0x31, 0xb8};
	uint8_t key[32] = {0};

	address_key("0x" DIGITS, key);
	is_mem(key, sizeof(key), want, sizeof(want), "an address is a key");
}

int main(void)
{
	test_parse();
	test_key();
	return done();
}
