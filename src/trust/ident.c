/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "trust/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/log.h"
#include "core/err.h"

enum key_found { KEY_ABSENT, KEY_READ, KEY_BAD };

static enum key_found read_key(
    const char *path, uint8_t seed[crypto_sign_SEEDBYTES], struct err *err)
{
	uint8_t more;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return KEY_ABSENT;
	if (fd < 0) {
		(void)err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
		return KEY_BAD;
	}
	ssize_t n = read(fd, seed, crypto_sign_SEEDBYTES);
	bool is_whole = n == crypto_sign_SEEDBYTES && read(fd, &more, 1) == 0;
	close(fd);
	if (is_whole)
		return KEY_READ;
	(void)err_set(err, ERR_CONFIG,
	    "%s: an agent key has exactly %u bytes; restore the file, or move "
	    "it away to get a new address",
	    path, crypto_sign_SEEDBYTES);
	return KEY_BAD;
}

static int write_key(const char *path,
    const uint8_t seed[crypto_sign_SEEDBYTES], struct err *err)
{
	struct buf temp = {0};
	buf_printf(&temp, "%s.%d", path, (int)getpid());
	const char *name = buf_cstr(&temp);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok =
	    fd >= 0 &&
	    write(fd, seed, crypto_sign_SEEDBYTES) == crypto_sign_SEEDBYTES &&
	    fsync(fd) == 0 && rename(name, path) == 0;
	int why = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && !ok)
		(void)unlink(name); /* half a key helps nobody */
	buf_fini(&temp);
	return ok ? 0
		  : err_set(err, ERR_CONFIG, "cannot write %s: %s", path,
			strerror(why));
}

static int make_key(const char *co_dir, const char *path,
    uint8_t seed[crypto_sign_SEEDBYTES], struct err *err)
{
	struct buf dir = {0};
	buf_printf(&dir, "%s/keys", co_dir);
	int rc = mkdir(buf_cstr(&dir), 0700);
	if (rc != 0 && errno != EEXIST)
		rc = err_set(err, ERR_CONFIG, "cannot make %s: %s",
		    buf_cstr(&dir), strerror(errno));
	else
		rc = 0;
	buf_fini(&dir);
	if (rc != 0)
		return -1;
	randombytes_buf(seed, crypto_sign_SEEDBYTES);
	return write_key(path, seed, err);
}

static int find_key(const char *co_dir, const char *home,
    uint8_t seed[crypto_sign_SEEDBYTES], struct err *err)
{
	struct buf mine = {0}, shared = {0};
	buf_printf(&mine, "%s/keys/agent.key", co_dir);
	enum key_found found = read_key(buf_cstr(&mine), seed, err);
	if (found == KEY_ABSENT && home) {
		buf_printf(&shared, "%s/.co/keys/agent.key", home);
		found = read_key(buf_cstr(&shared), seed, err);
	}
	int rc = found == KEY_BAD ? -1 : 0;
	if (found == KEY_ABSENT)
		rc = make_key(co_dir, buf_cstr(&mine), seed, err);
	buf_fini(&mine);
	buf_fini(&shared);
	return rc;
}

int ident_load(const char *co_dir, const char *home,
    char address[IDENT_ADDRESS_SIZE], struct err *err)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	if (sodium_init() < 0)
		fatal("libsodium does not start");
	int rc = find_key(co_dir, home, seed, err);
	if (rc == 0) {
		(void)crypto_sign_seed_keypair(public_key, secret, seed);
		memcpy(address, "0x", 2);
		enc_hex(address + 2, public_key, sizeof public_key);
	}
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(secret, sizeof secret);
	return rc;
}

void ident_digest16(uint8_t out[16], const void *p, size_t n)
{
	(void)crypto_generichash(out, 16, p, n, NULL, 0);
}
