/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/enc.h"
#include "core/err.h"
#include "trust/ident.h"

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

static void test_new_key(const struct home *h)
{
	char address[IDENT_ADDRESS_SIZE], again[IDENT_ADDRESS_SIZE];
	unsigned char bytes[SEED_SIZE];
	struct err err = {.text = ""};
	struct stat st;
	char keys[192];

	ok(ident_load(h->co, h->top, address, &err) == 0,
	    "a project without a key gets one");
	ok(!strncmp(address, "0x", 2) && strlen(address) == 66 &&
		enc_unhex(bytes, address + 2, SEED_SIZE),
	    "its address is 0x and 64 hex digits");
	ok(stat(h->key, &st) == 0 && st.st_size == SEED_SIZE,
	    "the key has 32 bytes");
	is_int(st.st_mode & 0777, 0600, "which only its owner may read");
	(void)snprintf(keys, sizeof keys, "%s/keys", h->co);
	ok(stat(keys, &st) == 0 && (st.st_mode & 0777) == 0700,
	    "in a folder of its own");
	ok(ident_load(h->co, h->top, again, &err) == 0, "it is found again");
	is_str(again, address, "and means the same address");
	ok(access(h->own, F_OK) != 0, "nothing is made in the home folder");
}

/* RFC 8032 section 7.1, test 1, of which these are the first bytes. */
static void test_known_key(const struct home *h)
{
	static const char seed[] =
	    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	char address[IDENT_ADDRESS_SIZE];
	unsigned char bytes[SEED_SIZE];
	struct err err = {.text = ""};

	put_key(h->key, SEED_SIZE, 0);
	int fd = open(h->key, O_WRONLY | O_TRUNC);
	ok(enc_unhex(bytes, seed, sizeof bytes) &&
		write(fd, bytes, sizeof bytes) == sizeof bytes,
	    "a known key is there");
	(void)close(fd); /* it was written */
	ok(ident_load(h->co, NULL, address, &err) == 0, "it is read");
	is_str(address,
	    "0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511"
	    "a",
	    "its address is its Ed25519 public key");
}

static void test_order(const struct home *h)
{
	char ours[IDENT_ADDRESS_SIZE], users[IDENT_ADDRESS_SIZE];
	char both[IDENT_ADDRESS_SIZE];
	struct err err = {.text = ""};

	(void)unlink(h->key); /* of the test before */
	put_key(h->own, SEED_SIZE, 'u');
	ok(ident_load(h->co, h->top, users, &err) == 0,
	    "the key of the user serves a project without one");
	ok(access(h->key, F_OK) != 0, "and is not copied");
	put_key(h->key, SEED_SIZE, 'p');
	ok(ident_load(h->co, NULL, ours, &err) == 0 &&
		ident_load(h->co, h->top, both, &err) == 0,
	    "with both there is an address");
	is_str(both, ours, "and it is the project's");
	ok(strcmp(users, ours) != 0, "which is another");
}

static void test_bad_keys(const struct home *h)
{
	static const size_t sizes[] = {0, 1, 31, 33, 64};
	char address[IDENT_ADDRESS_SIZE];
	struct stat st;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct err err = {.text = ""};

		put_key(h->key, sizes[i], 'b');
		ok(ident_load(h->co, h->top, address, &err) == -1 &&
			err.code == ERR_CONFIG,
		    "a key of %zu bytes is refused", sizes[i]);
		ok(strstr(err.text, h->key), "by its name");
		ok(stat(h->key, &st) == 0 && st.st_size == (off_t)sizes[i],
		    "and left as it was");
	}
	struct err err = {.text = ""};
	(void)unlink(h->key); /* it was there */
	put_key(h->own, 5, 'b');
	ok(ident_load(h->co, h->top, address, &err) == -1 &&
		strstr(err.text, h->own),
	    "a bad key of the user is refused too");
	ok(ident_load("/nonexistent/.co", NULL, address, &err) == -1 &&
		strstr(err.text, "/nonexistent"),
	    "a folder that cannot be made is named");
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

	(void)unlink(h->key); /* of the tests before */
	(void)unlink(h->own);
	(void)snprintf(keys, sizeof keys, "%s/keys", h->co);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)getrlimit(RLIMIT_FSIZE, &was);
	none = was;
	none.rlim_cur = 16;
	(void)setrlimit(RLIMIT_FSIZE, &none);
	int rc = ident_load(h->co, NULL, address, &err);
	(void)setrlimit(RLIMIT_FSIZE, &was);
	ok(rc == -1 && strstr(err.text, h->key),
	    "a key that cannot be written is an error");
	is_int(count_files(keys), 0, "and nothing of it stays behind");
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

		ident_digest16(digest, rows[i].text, strlen(rows[i].text));
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
	test_known_key(&h);
	test_order(&h);
	test_bad_keys(&h);
	test_full_disk(&h);
	test_digest();
	remove_home(&h);
	return done();
}
