/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/enc.h"
#include "core/err.h"
#include "identity/digest.h"
#include "identity/ident.h"
#include "identity/mnemonic.h"

#define SEED_SIZE 32

struct home {
	char top[64];  /* a temporary folder */
	char co[128];  /* a project's .co in it */
	char key[192]; /* the key of the project */
	char own[192]; /* the key of the user */
};

static void make_home(struct home *h)
{
	(void)snprintf(h->top, sizeof h->top, "/tmp/co-ident-XXXXXX");
	if (!mkdtemp(h->top))
		exit(1);
	(void)snprintf(h->co, sizeof h->co, "%s/project", h->top);
	(void)snprintf(h->key, sizeof h->key, "%s/keys/agent.key", h->co);
	(void)snprintf(h->own, sizeof h->own, "%s/.co/keys/agent.key", h->top);
	(void)mkdir(h->co, 0700); /* its absence fails the tests */
}

static void remove_home(const struct home *h)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", h->top);
	if (system(command) != 0)
		printf("# %s is left behind\n", h->top);
}

/* A key file of size bytes, all of them 'fill'; its folders are made. */
static void put_key(const char *path, size_t size, int fill)
{
	char command[256], bytes[64];

	memset(bytes, fill, sizeof bytes);
	(void)snprintf(
	    command, sizeof command, "mkdir -p \"$(dirname %s)\"", path);
	int fd = system(command) == 0
		     ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)
		     : -1;
	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		exit(1);
	(void)close(fd); /* it was written */
}

/* What a file of the keys holds, as text. */
static char *slurp(const char *dir, const char *name)
{
	static char text[1024];
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		(void)close(fd); /* only read */
	return text;
}

static int mode_of(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

/* As ident_load(), for those who ask for the address alone. */
static int load(
    const char *co, const char *home, char *address, struct err *err)
{
	struct ident me;
	int rc = ident_load(&me, co, home, err);

	if (rc == 0)
		memcpy(address, me.address, IDENT_ADDRESS_SIZE);
	ident_fini(&me);
	return rc;
}

static void test_new_key(const struct home *h)
{
	struct ident me, again;
	unsigned char bytes[SEED_SIZE];
	uint8_t key[SEED_SIZE];
	struct err err = {.text = ""};
	char keys[192];

	(void)snprintf(keys, sizeof keys, "%s/keys", h->co);
	ok(ident_load(&me, h->co, h->top, &err) == 0 && me.is_new,
	    "a project without a key gets one");
	is_str(me.source, h->co, "a new key belongs to the project");
	ok(!strncmp(me.address, "0x", 2) && strlen(me.address) == 66 &&
		enc_unhex(bytes, me.address + 2, SEED_SIZE),
	    "the address of a new key is 0x and 64 hex digits");
	is_int(mode_of(keys, ""), 0700, "the new folder of keys is private");
	is_int(mode_of(keys, "agent.key"), 0600, "a new key is private");
	is_int(mode_of(keys, "recovery.txt"), 0600,
	    "a new recovery phrase is private");
	is_int(mode_of(keys, "DO_NOT_SHARE"), 0600,
	    "the warning beside a new key is private");
	ok(strstr(slurp(keys, "DO_NOT_SHARE"), "NEVER share these files"),
	    "the warning beside a new key says what not to do");
	ok(mnemonic_key(key, slurp(keys, "recovery.txt"), &err) == 0 &&
		memcmp(slurp(keys, "agent.key"), key, SEED_SIZE) == 0,
	    "the new recovery phrase leads to the key");
	ok(ident_load(&again, h->co, h->top, &err) == 0 && !again.is_new,
	    "a new key is found at the next start");
	is_str(again.address, me.address,
	    "a key that is found has the same address");
	ok(access(h->own, F_OK) != 0,
	    "making a key leaves the home folder alone");
	ident_fini(&again);

	(void)unlink(h->key); /* it was there */
	ok(ident_make(&again, h->co, &err) == 0 && again.is_new,
	    "a key that is lost is made again");
	is_str(again.address, me.address,
	    "a lost key is made again from the phrase");
	ident_fini(&again);
	ident_fini(&me);
}

/* RFC 8032 section 7.1, test 1; the start of a phrase's seed; plain bytes. */
static void test_known_keys(const struct home *h)
{
	static const struct {
		const char *key;
		const char *address;
	} rows[] = {
	    {"9d61b19deffd5a60ba844af492ec2cc4"
	     "4449c5697b326919703bac031cae7f60",
		"0xd75a980182b10ab7d54bfed3c964073a"
		"0ee172f3daa62325af021a68f707511a"},
	    {"5eb00bbddcf069084889a8ab91555681"
	     "65f5c453ccb85e70811aaed6f6da5fc1",
		"0xc5785e1865b708938aff8161d5730064"
		"96663b1aa10834e396dc566869a2c66a"},
	    {"000102030405060708090a0b0c0d0e0f"
	     "101112131415161718191a1b1c1d1e1f",
		"0x03a107bff3ce10be1d70dd18e74bc099"
		"67e4d6309ba50d5f1ddc8664125531b8"},
	    {"42424242424242424242424242424242"
	     "42424242424242424242424242424242",
		"0x2152f8d19b791d24453242e15f2eab6c"
		"b7cffa7b6a5ed30097960e069881db12"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char address[IDENT_ADDRESS_SIZE] = "";
		unsigned char bytes[SEED_SIZE];
		struct err err = {.text = ""};

		put_key(h->key, SEED_SIZE, 0);
		int fd = open(h->key, O_WRONLY | O_TRUNC);
		ok(enc_unhex(bytes, rows[i].key, sizeof bytes) &&
			write(fd, bytes, sizeof bytes) == sizeof bytes,
		    "a known key is there");
		(void)close(fd); /* it was written */
		ok(load(h->co, NULL, address, &err) == 0,
		    "a known key is read");
		is_str(address, rows[i].address,
		    "the address of a known key is its Ed25519 public key");
	}
}

static void test_order(const struct home *h)
{
	char ours[IDENT_ADDRESS_SIZE], users[IDENT_ADDRESS_SIZE];
	char both[IDENT_ADDRESS_SIZE], top[128];
	struct err err = {.text = ""};
	struct ident me;

	(void)unlink(h->key); /* of the test before */
	put_key(h->own, SEED_SIZE, 'u');
	(void)snprintf(top, sizeof top, "%s/.co", h->top);
	ok(load(h->co, h->top, users, &err) == 0,
	    "the key of the user serves a project without one");
	ok(ident_load(&me, h->co, h->top, &err) == 0,
	    "the key of the user is loaded again");
	is_str(me.source, top,
	    "the source of the key of the user is the home folder");
	ident_fini(&me);
	ok(access(h->key, F_OK) != 0,
	    "the key of the user is not copied to the project");
	put_key(h->key, SEED_SIZE, 'p');
	ok(load(h->co, NULL, ours, &err) == 0 &&
		load(h->co, h->top, both, &err) == 0,
	    "a project with a key is loaded beside a key of the user");
	is_str(both, ours,
	    "the key of the project is preferred to the key of the user");
	ok(strcmp(users, ours) != 0,
	    "project and user have different addresses");
	(void)unlink(h->key); /* it was there */
	ok(ident_make(&me, h->co, &err) == 0 && me.is_new,
	    "a project without a key gets one of its own when asked");
	ident_fini(&me);
}

static void test_bad_keys(const struct home *h)
{
	static const size_t sizes[] = {0, 1, 31, 33, 64};
	char address[IDENT_ADDRESS_SIZE];
	struct stat st;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct err err = {.text = ""};

		put_key(h->key, sizes[i], 'b');
		ok(load(h->co, h->top, address, &err) == -1 &&
			err.code == ERR_CONFIG,
		    "a key of %zu bytes is refused", sizes[i]);
		ok(strstr(err.text, h->key),
		    "the refusal of a bad key names its file");
		ok(stat(h->key, &st) == 0 && st.st_size == (off_t)sizes[i],
		    "a bad key is left unchanged");
	}
	struct err err = {.text = ""};
	(void)unlink(h->key); /* it was there */
	put_key(h->own, 5, 'b');
	ok(load(h->co, h->top, address, &err) == -1 && strstr(err.text, h->own),
	    "a bad key of the user is refused");
	(void)unlink(h->own); /* it was there */
	ok(load("/nonexistent/.co", NULL, address, &err) == -1 &&
		strstr(err.text, "/nonexistent"),
	    "a folder that cannot be made is named");
}

/* A phrase that somebody left there, and no key. */
static void test_bad_phrase(const struct home *h)
{
	char address[IDENT_ADDRESS_SIZE], path[256];
	struct err err = {.text = ""};

	(void)unlink(h->key); /* of the tests before */
	(void)snprintf(path, sizeof path, "%s/keys/recovery.txt", h->co);
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
	ok(fd >= 0 && write(fd, "secret words\n", 13) == 13,
	    "a wrong recovery phrase is written");
	(void)close(fd); /* they were written */
	ok(load(h->co, NULL, address, &err) == -1 && strstr(err.text, path) &&
		strstr(err.text, "Invalid recovery phrase"),
	    "words that are no phrase are refused by their file");
	ok(!strstr(err.text, "secret"),
	    "the refusal of a wrong phrase does not show it");
	is_str(slurp(h->co, "keys/recovery.txt"), "secret words\n",
	    "a wrong phrase is left unchanged");
	(void)unlink(path); /* it is ours */
}

static void test_claim(const struct home *h)
{
	struct err err = {.text = ""};
	struct buf warning = {0};
	struct ident me;

	ok(ident_load(&me, h->co, NULL, &err) == 0, "there is a key");
	ok(ident_claim(&me, "first", "/one", &warning, &err) == 0 &&
		!warning.len,
	    "the first project to serve a key is not warned of");
	is_int(mode_of(h->co, "served_by.json"), 0600,
	    "the project that serves a key is noted");
	ok(ident_claim(&me, "renamed", "/one", &warning, &err) == 0 &&
		!warning.len,
	    "the same project may serve a key under another name");
	ok(ident_claim(&me, "second", "/two", &warning, &err) == 0,
	    "another project may serve the same key");
	char expected[1024];
	(void)snprintf(expected, sizeof expected,
	    "[host] %.10s… is already served by 'renamed' in /one, using the "
	    "same key from %s. Two agents on one address means whichever is "
	    "nearest answers the call, and the tools they answer with differ. "
	    "A project created by `co create` gets its own identity and does "
	    "not share.",
	    me.address, h->co);
	is_str(buf_cstr(&warning), expected,
	    "another project on the same key is warned of");
	(void)snprintf(expected, sizeof expected,
	    "{\n  \"name\": \"second\",\n  \"project\": \"/two\",\n"
	    "  \"address\": \"%s\"\n}",
	    me.address);
	is_str(slurp(h->co, "served_by.json"), expected,
	    "the note beside a key names the last project");
	buf_reset(&warning);

	char path[256];
	(void)snprintf(path, sizeof path, "%s/served_by.json", h->co);
	int fd = open(path, O_WRONLY | O_TRUNC);
	ok(fd >= 0 && write(fd, "{\"project\": 3", 13) == 13,
	    "a damaged note is written");
	(void)close(fd); /* it was written */
	ok(ident_claim(&me, "third", "/three", &warning, &err) == 0 &&
		!warning.len,
	    "a damaged note beside a key counts as none");
	buf_fini(&warning);
	ident_fini(&me);
}

static int count_files(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		(void)closedir(d); /* only read */
	return n;
}

/* A limit on the size of files stands for a disk that is full. */
static void test_full_disk(const struct home *h)
{
	char address[IDENT_ADDRESS_SIZE], keys[192];
	struct err err = {.text = ""};
	struct rlimit was, none;

	char command[256];

	(void)snprintf(keys, sizeof keys, "%s/keys", h->co);
	(void)snprintf(command, sizeof command, "rm -rf %s/*", keys);
	is_int(system(command), 0, "there is no key");
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &was);
	none = was;
	none.rlim_cur = 16;
	(void)setrlimit(RLIMIT_FSIZE, &none);
	int rc = load(h->co, NULL, address, &err);
	(void)setrlimit(RLIMIT_FSIZE, &was);
	ok(rc == -1 && strstr(err.text, keys),
	    "a key that cannot be written is an error");
	is_int(count_files(keys), 0,
	    "a key that cannot be written leaves no file");
}

static void test_digest(void)
{
	/* Of Python's hashlib.blake2b(digest_size=16). */
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
	    {"", "cae66941d9efbd404e4d88758ea67670"},
	    {"abc", "cf4ab791c62b8d2b2109c90275287816"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t digest[16];
		char hex[33];

		digest_of(digest, rows[i].text, strlen(rows[i].text));
		enc_hex(hex, digest, sizeof digest);
		is_str(hex, rows[i].hex, "the digest of \"%s\" is BLAKE2b",
		    rows[i].text);
	}
}

int main(void)
{
	struct home h;

	make_home(&h);
	test_new_key(&h);
	test_known_keys(&h);
	test_order(&h);
	test_bad_keys(&h);
	test_bad_phrase(&h);
	test_claim(&h);
	test_full_disk(&h);
	test_digest();
	remove_home(&h);
	return done();
}
