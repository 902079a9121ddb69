/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/ident_key.h"

#include <sodium.h>

#include "base/enc.h"
#include "core/err.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"
#include "identity/address.h"

static uint8_t seed[32];
static char address[ADDRESS_SIZE];

/* A folder with this much of the seed as its key. */
static char *folder(const char *name, size_t key_size)
{
	char *co = scratch_path("%s", name), *keys, *path;

	(void)mkdir(co, 0700);
	keys = scratch_path("%s/keys", name);
	(void)mkdir(keys, 0700);
	path = scratch_path("%s/keys/agent.key", name);
	if (key_size)
		scratch_write(path, seed, key_size);
	free(path);
	free(keys);
	return co;
}

static void opens_the_key(const char *co, const char *home, const char *what)
{
	struct err err = {.text = ""};
	uint8_t public_key[32], secret_key[64];
	const uint8_t *key = ident_key_open(co, home, address, &err);

	(void)crypto_sign_seed_keypair(public_key, secret_key, seed);
	ok(key && memcmp(key, secret_key, 64) == 0, "%s", what);
	ident_key_close(&key);
	ok(!key, "%s and is closed again", what);
}

static void refuses(
    const char *co, const char *who, const char *why, const char *what)
{
	struct err err = {.text = ""};
	const uint8_t *key = ident_key_open(co, NULL, who, &err);

	ok(!key && strstr(err.text, why), "%s: %s", what, err.text);
	ident_key_close(&key);
}

static void finds_the_key(const char *co, const char *home, const char *what)
{
	struct err err = {.text = ""};
	char found[ADDRESS_SIZE] = "";
	const uint8_t *key = ident_key_find(co, home, found, &err);

	ok(key && strcmp(found, address) == 0, "%s", what);
	ident_key_close(&key);
}

static void finds_nothing(const char *co, enum err_code code, const char *what)
{
	struct err err = {.text = ""};
	char found[ADDRESS_SIZE] = "";
	const uint8_t *key = ident_key_find(co, NULL, found, &err);

	ok(!key && err.code == code, "%s: %s", what, err.text);
}

static void makes_keys(void)
{
	char one[ADDRESS_SIZE], other[ADDRESS_SIZE];
	const uint8_t *a = ident_key_make(seed, one);

	is_str(one, address, "the key of a seed has its address");
	ident_key_close(&a);
	a = ident_key_make(NULL, one);
	const uint8_t *b = ident_key_make(NULL, other);
	ok(strcmp(one, other) != 0, "two new keys differ");
	ident_key_close(&a);
	ident_key_close(&b);
}

int main(void)
{
	uint8_t public_key[32], secret_key[64];

	memset(seed, 7, sizeof(seed));
	(void)crypto_sign_seed_keypair(public_key, secret_key, seed);
	memcpy(address, "0x", 2);
	enc_hex(address + 2, public_key, 32);

	char *co = folder("a", 32), *empty = folder("b", 0);
	char *home = folder("home", 0), *users = folder("home/.co", 32);
	char *bad = folder("c", 31);
	opens_the_key(co, NULL, "the key of the project is opened");
	opens_the_key(empty, home,
	    "the key of the user is opened where the project has none");
	finds_the_key(co, NULL, "the key of a folder is found");
	finds_the_key(empty, home, "the key of the user is found");
	finds_nothing(empty, ERR_NOT_FOUND, "a folder without a key");
	finds_nothing(bad, ERR_CONFIG, "a folder with a short key");
	makes_keys();
	refuses(empty, address, "agent.key is not there", "no key");
	refuses(bad, address, "c/keys/agent.key: this is no agent key",
	    "a short one");
	refuses(co, "", "there is no address", "no address");
	address[10] = address[10] == '0' ? '1' : '0';
	refuses(co, address, "the key is not that of 0x", "another key");
	free(co);
	free(empty);
	free(home);
	free(users);
	free(bad);
	return done();
}
