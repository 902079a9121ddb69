/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "identity/ident.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "identity/ident_file.h"
#include "identity/mnemonic.h"

#include <sodium.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SIZE crypto_sign_SEEDBYTES

static const char warning_text[] =
    "⚠️ WARNING: PRIVATE KEYS - DO NOT SHARE ⚠️\n"
    "\n"
    "This directory contains private cryptographic keys.\n"
    "NEVER share these files or commit them to version control.\n"
    "Anyone with these keys can impersonate your agent.\n"
    "\n"
    "Files:\n"
    "- agent.key: Your agent's private signing key\n"
    "- recovery.txt: 12-word recovery phrase\n"
    "\n"
    "Keep these files secure and backed up.\n";

enum found { FOUND_NOTHING, FOUND_KEY, FOUND_BAD };

static char *path_of(const char *co_dir, const char *name)
{
	struct buf path = {0};
	buf_printf(&path, "%s/keys/%s", co_dir, name);
	return buf_steal(&path, NULL);
}

/* ---- reading ---- */

static void warn_of_mode(const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && (st.st_mode & 077))
		log_warn("%s: mode %04o: others than its owner may use it",
		    path, (unsigned)(st.st_mode & 07777));
}

static enum found read_key(
    const char *co_dir, uint8_t key[KEY_SIZE], struct err *err)
{
	uint8_t bytes[KEY_SIZE + 1];
	char *path = path_of(co_dir, "agent.key");
	ssize_t n = ident_file_read(path, bytes, sizeof bytes, err);
	enum found found = n == -1	   ? FOUND_NOTHING
			   : n == KEY_SIZE ? FOUND_KEY
					   : FOUND_BAD;
	if (found == FOUND_KEY) {
		memcpy(key, bytes, KEY_SIZE);
		warn_of_mode(path);
	}
	if (found == FOUND_BAD && n >= 0)
		(void)err_set(err, ERR_CONFIG,
		    "%s: an agent key has exactly %u bytes; restore the file, "
		    "or move it away to get a new address",
		    path, KEY_SIZE);
	sodium_memzero(bytes, sizeof bytes);
	free(path);
	return found;
}

/* Remove white space at both ends, which a person may have added. */
static void ident_trim(char *text)
{
	static const char space[] = " \t\r\n";
	size_t skip = strspn(text, space), n = strlen(text);
	while (n > skip && strchr(space, text[n - 1]))
		n--;
	memmove(text, text + skip, n - skip);
	text[n - skip] = '\0';
}

/* Derive the key from a phrase that lies there without one. */
static enum found read_phrase(
    const char *co_dir, uint8_t key[KEY_SIZE], struct err *err)
{
	char text[2 * MNEMONIC_MAX] = "";
	char *path = path_of(co_dir, "recovery.txt");
	ssize_t n = ident_file_read(path, text, sizeof text - 1, err);
	enum found found = n == -1 ? FOUND_NOTHING : FOUND_BAD;
	if (n >= 0) {
		ident_trim(text);
		if (mnemonic_key(key, text, err) == 0)
			found = FOUND_KEY;
		else
			(void)err_set(err, ERR_CONFIG,
			    "%s: Invalid recovery phrase; restore the file, or "
			    "move it away to get a new address",
			    path);
	}
	mnemonic_wipe(text, sizeof text);
	free(path);
	return found;
}

/* ---- writing ---- */

static int ident_write_new(const char *co_dir, const char *name, mode_t mode,
    const void *p, size_t n, struct err *err)
{
	char *path = path_of(co_dir, name);
	const struct ident_file file = {.path = path, .mode = mode};
	int rc = ident_file_write(&file, p, n, err);
	free(path);
	return rc;
}

static int ident_make_folder(const char *co_dir, struct err *err)
{
	char *path = path_of(co_dir, "");
	int rc = mkdir(path, 0700) == 0 || errno == EEXIST
		     ? 0
		     : err_set(err, ERR_CONFIG, "cannot make %s: %s", path,
			   strerror(errno));
	free(path);
	return rc;
}

static int write_warning(const char *co_dir, struct err *err)
{
	char *path = path_of(co_dir, "DO_NOT_SHARE");
	bool is_there = access(path, F_OK) == 0;
	free(path);
	return is_there ? 0
			: ident_write_new(co_dir, "DO_NOT_SHARE", 0600,
			      warning_text, sizeof warning_text - 1, err);
}

/*
 * Write the phrase first: a process that finds it without the key derives the
 * same key.
 */
static int make_phrase(
    const char *co_dir, uint8_t key[KEY_SIZE], struct err *err)
{
	char phrase[MNEMONIC_SIZE];
	mnemonic_make(phrase);
	int rc = mnemonic_key(key, phrase, err);
	if (rc == 0)
		rc = ident_write_new(
		    co_dir, "recovery.txt", 0600, phrase, strlen(phrase), err);
	mnemonic_wipe(phrase, sizeof phrase);
	return rc;
}

static int make_key(const char *co_dir, uint8_t key[KEY_SIZE], struct err *err)
{
	if (ident_make_folder(co_dir, err) != 0)
		return -1;
	enum found found = read_phrase(co_dir, key, err);
	if (found == FOUND_BAD ||
	    (found == FOUND_NOTHING && make_phrase(co_dir, key, err) != 0) ||
	    write_warning(co_dir, err) != 0)
		return -1;
	if (found == FOUND_KEY)
		log_info("%s/keys: restored the key from the recovery phrase",
		    co_dir);
	return ident_write_new(co_dir, "agent.key", 0600, key, KEY_SIZE, err);
}

/* ---- who we are ---- */

static void set_address(struct ident *me, const uint8_t key[KEY_SIZE])
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	(void)crypto_sign_seed_keypair(public_key, secret, key);
	memcpy(me->address, "0x", 2);
	enc_hex(me->address + 2, public_key, sizeof public_key);
	sodium_memzero(secret, sizeof secret);
}

static int look_into(struct ident *me, const char *co_dir, struct err *err)
{
	uint8_t key[KEY_SIZE];
	enum found found = read_key(co_dir, key, err);
	if (found == FOUND_KEY) {
		set_address(me, key);
		me->source = mem_strdup(co_dir);
	}
	sodium_memzero(key, sizeof key);
	return found == FOUND_BAD ? -1 : 0;
}

static int make_in(struct ident *me, const char *co_dir, struct err *err)
{
	uint8_t key[KEY_SIZE];
	int rc = make_key(co_dir, key, err);
	if (rc == 0) {
		set_address(me, key);
		me->source = mem_strdup(co_dir);
		me->is_new = true;
	}
	sodium_memzero(key, sizeof key);
	return rc;
}

static void ident_begin(struct ident *me)
{
	*me = (struct ident){.source = NULL};
	if (sodium_init() < 0)
		fatal("cannot initialise libsodium");
}

int ident_load(
    struct ident *me, const char *co_dir, const char *home, struct err *err)
{
	struct buf users = {0};
	ident_begin(me);
	int rc = look_into(me, co_dir, err);
	if (rc == 0 && !me->source && home) {
		buf_printf(&users, "%s/.co", home);
		rc = look_into(me, buf_cstr(&users), err);
		buf_fini(&users);
	}
	return rc == 0 && !me->source ? make_in(me, co_dir, err) : rc;
}

int ident_make(struct ident *me, const char *co_dir, struct err *err)
{
	ident_begin(me);
	int rc = look_into(me, co_dir, err);
	return rc == 0 && !me->source ? make_in(me, co_dir, err) : rc;
}

void ident_fini(struct ident *me)
{
	free(me->source);
	*me = (struct ident){.source = NULL};
}
