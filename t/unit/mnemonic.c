/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sodium.h>

#include "base/buf.h"
#include "base/enc.h"
#include "core/err.h"
#include "identity/mnemonic.h"
#include "identity/words.h"

#define ABANDON                                                            \
	"abandon abandon abandon abandon abandon abandon abandon abandon " \
	"abandon abandon abandon "
#define LEGAL "legal winner thank year wave sausage worth useful "

static void hash_text(char hex[65], const struct buf *text)
{
	uint8_t hash[32];

	(void)crypto_hash_sha256(
	    hash, (const unsigned char *)text->data, text->len);
	enc_hex(hex, hash, sizeof hash);
}

static void test_words(void)
{
	struct buf list = {0};
	char hex[65];
	int n_found = 0;

	for (unsigned i = 0; i < WORDS_COUNT; i++) {
		const char *word = words_at(i);
		buf_printf(&list, "%s\n", word);
		n_found += words_find(word, strlen(word)) == (int)i;
	}
	hash_text(hex, &list);
	is_str(hex,
	    "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda",
	    "the words are those of BIP-39");
	is_int(n_found, WORDS_COUNT, "each word is found at its place");
	ok(words_find("abando", 6) < 0 && words_find("abandons", 8) < 0 &&
		words_find("", 0) < 0 && words_find("zzz", 3) < 0,
	    "words that are not in the list are not found");
	buf_fini(&list);
}

/* Of the standard's vectors. */
static void test_encode(void)
{
	static const struct {
		const char *entropy;
		const char *phrase;
	} rows[] = {
	    {"00000000000000000000000000000000", ABANDON "about"},
	    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
		LEGAL "legal winner thank yellow"},
	    {"80808080808080808080808080808080",
		"letter advice cage absurd amount doctor acoustic avoid letter "
		"advice cage above"},
	    {"ffffffffffffffffffffffffffffffff",
		"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"},
	    {"9e885d952ad362caeb4efe34a8e91bd2",
		"ozone drill grab fiber curtain grace pudding thank cruise "
		"elder eight picnic"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t entropy[16];
		char phrase[MNEMONIC_SIZE];

		ok(enc_unhex(entropy, rows[i].entropy, 16),
		    "entropy is read from its hex form");
		mnemonic_encode(phrase, entropy);
		is_str(phrase, rows[i].phrase, "%s has its phrase",
		    rows[i].entropy);
	}
}

static void test_validity(void)
{
	static const struct {
		const char *what;
		const char *phrase;
		bool is_valid;
	} rows[] = {
	    {"twelve words", ABANDON "about", true},
	    {"fifteen words", ABANDON "abandon abandon abandon address", true},
	    {"eighteen words",
		LEGAL "legal winner thank year wave sausage worth useful legal "
		      "will",
		true},
	    {"twenty-one words",
		ABANDON "abandon abandon abandon abandon abandon abandon "
			"abandon abandon abandon admit",
		true},
	    {"twenty-four words",
		"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
		"zoo zoo zoo zoo zoo zoo zoo zoo vote",
		true},
	    {"a wrong checksum", ABANDON "abandon", false},
	    {"another wrong checksum", LEGAL "legal winner thank year", false},
	    {"a word that is none", ABANDON "abut", false},
	    {"a shortened word", ABANDON "abou", false},
	    {"upper case", ABANDON "About", false},
	    {"eleven words", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo",
		false},
	    {"nine words", "zoo zoo zoo zoo zoo zoo zoo zoo zoo", false},
	    {"nothing", "", false},
	    {"a space", " ", false},
	    {"two spaces", "abandon  " ABANDON, false},
	    {"a space at the end", ABANDON "about ", false},
	    {"a line end", ABANDON "about\n", false},
	    {"twenty-seven words",
		"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
		"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo",
		false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(mnemonic_is_valid(rows[i].phrase) == rows[i].is_valid,
		    "%s: %s", rows[i].what,
		    rows[i].is_valid ? "valid" : "not valid");
}

static void test_keys(void)
{
	static const struct {
		const char *phrase;
		const char *key; /* NULL: not known */
		const char *address;
	} rows[] = {
	    {ABANDON "about",
		"451758ecc454c400bb9e394b128b1b21"
		"03400e445e589b84027f67d2f9873224",
		"54ff7e165926bca30e8b1535f22c053a"
		"0e0e2ca6d5a445a149bde23d90c6ee1e"},
	    {LEGAL "legal winner thank yellow", NULL,
		"f8405257284c15e67fd759703d0c04af"
		"df2f216153b9781946f096cae1990a95"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t key[32], public_key[32], secret[64];
		char hex[65];
		struct err err = {.text = ""};

		is_int(mnemonic_key(key, rows[i].phrase, &err), 0,
		    "a valid phrase has a key");
		enc_hex(hex, key, sizeof key);
		if (rows[i].key)
			is_str(hex, rows[i].key,
			    "the key of a phrase is the known one");
		(void)crypto_sign_seed_keypair(public_key, secret, key);
		enc_hex(hex, public_key, sizeof public_key);
		is_str(hex, rows[i].address,
		    "the address of a phrase is the known one");
	}
}

static void test_bad_phrase(void)
{
	uint8_t key[32];
	struct err err = {.text = ""};

	ok(mnemonic_key(key, ABANDON "abandon", &err) == -1 &&
		err.code == ERR_CONFIG,
	    "a phrase with a wrong checksum has no key");
	is_str(err.text, "Invalid recovery phrase",
	    "the refusal of a phrase does not show it");
}

static void test_make(void)
{
	char one[MNEMONIC_SIZE], two[MNEMONIC_SIZE];

	mnemonic_make(one);
	mnemonic_make(two);
	ok(mnemonic_is_valid(one) && mnemonic_is_valid(two),
	    "new phrases are valid");
	ok(strcmp(one, two) != 0, "two new phrases differ");
	mnemonic_wipe(one, sizeof one);
	ok(one[0] == '\0', "a wiped phrase is empty");
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_words();
	test_encode();
	test_validity();
	test_keys();
	test_bad_phrase();
	test_make();
	return done();
}
