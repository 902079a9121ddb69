/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_token.h"

#include "access/jwt.h"
#include "access/jwt_keys.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_VARIABLE "ONSEMBL_JWT_SECRET"
#define FILE_MAX 65536
#define MILLISECONDS 1000

struct ons_token_keys {
	struct jwt_keys *keys;
	char *issuer;
	char *audience;
	bool is_open_to_dev; /* onsembl_auth is off */
	bool is_shared;
	bool (*is_withdrawn)(void *arg, const char *text, size_t len);
	void *arg;
};

/* ---- keys ---- */

static int cannot_read(
    const char *setting, const char *path, const char *why, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: %s: %s", setting, path, why);
}

static int read_file(
    const char *setting, const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cannot_read(setting, path, strerror(errno), err);
	ssize_t n = read(fd, buf_reserve(out, FILE_MAX), FILE_MAX);
	int saved = errno;
	(void)close(fd); /* it was only read */
	if (n < 0)
		return cannot_read(setting, path, strerror(saved), err);
	if (n == FILE_MAX)
		return cannot_read(setting, path, "it is too large", err);
	out->len += (size_t)n;
	return 0;
}

/* An editor ends a file with a line end, which is no part of the secret. */
static size_t without_line_end(const struct buf *text)
{
	size_t n = text->len;
	while (n && (text->data[n - 1] == '\n' || text->data[n - 1] == '\r'))
		n--;
	return n;
}

static int say_where(const char *where, struct err *err)
{
	char why[sizeof err->text];
	memcpy(why, err->text, sizeof why);
	return err_set(err, ERR_CONFIG, "%s: %.400s", where, why);
}

static int take_secret_file(
    struct ons_token_keys *k, const char *path, struct err *err)
{
	static const char setting[] = "onsembl_secret_file";
	struct buf text = {0};
	int rc = read_file(setting, path, &text, err);
	if (rc == 0 && jwt_keys_set_secret(k->keys, text.data,
			   without_line_end(&text), err) != 0)
		rc = say_where(setting, err);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	buf_fini(&text);
	return rc;
}

static int take_secret(
    struct ons_token_keys *k, const struct conf *conf, struct err *err)
{
	const char *secret = getenv(SECRET_VARIABLE);
	if (secret && *secret) {
		if (jwt_keys_set_secret(k->keys, secret, strlen(secret), err) ==
		    0)
			return 0;
		return say_where(SECRET_VARIABLE, err);
	}
	if (!*conf->onsembl_secret_file)
		return 0;
	return take_secret_file(k, conf->onsembl_secret_file, err);
}

static int take_public(
    struct ons_token_keys *k, const struct conf *conf, struct err *err)
{
	static const char setting[] = "onsembl_keys";
	struct buf text = {0};
	if (!*conf->onsembl_keys)
		return 0;
	int rc = read_file(setting, conf->onsembl_keys, &text, err);
	if (rc == 0 &&
	    jwt_keys_add_public(k->keys, text.data, text.len, err) != 0)
		rc = say_where(setting, err);
	buf_fini(&text);
	return rc;
}

struct ons_token_keys *ons_token_open(const struct conf *conf, struct err *err)
{
	struct ons_token_keys *k = mem_zero(sizeof *k);
	k->keys = jwt_keys_new();
	k->issuer = mem_strdup(conf->onsembl_issuer);
	k->audience = mem_strdup(conf->onsembl_audience);
	k->is_open_to_dev = !conf->onsembl_auth;
	k->is_shared = conf->onsembl_shared;
	if (take_secret(k, conf, err) != 0 || take_public(k, conf, err) != 0)
		ons_token_close(&k);
	return k;
}

void ons_token_close(struct ons_token_keys **keys)
{
	struct ons_token_keys *k = *keys;
	if (!k)
		return;
	jwt_keys_free(&k->keys);
	free(k->issuer);
	free(k->audience);
	free(k);
	*keys = NULL;
}

void ons_token_ask(struct ons_token_keys *keys,
    bool (*fn)(void *arg, const char *text, size_t len), void *arg)
{
	keys->is_withdrawn = fn;
	keys->arg = arg;
}

bool ons_token_is_on(const struct ons_token_keys *keys)
{
	return keys->is_open_to_dev || !jwt_keys_are_none(keys->keys);
}

bool ons_token_can_make(const struct ons_token_keys *keys)
{
	return jwt_keys_can_sign(keys->keys);
}

/* ---- verification ---- */

/* A name that can be written to logs and rows as it is. */
static bool take_name(const struct json *v, char out[ONS_USER_MAX + 1])
{
	struct buf scratch = {0};
	size_t n = 0;
	const char *text = json_str(v, &scratch, &n);
	bool is_good = text && n > 0 && n <= ONS_USER_MAX;
	for (size_t i = 0; is_good && i < n; i++)
		is_good = (unsigned char)text[i] > ' ' && text[i] != '\x7f';
	if (is_good)
		memcpy(out, text, n);
	out[is_good ? n : 0] = 0;
	buf_fini(&scratch);
	return is_good;
}

static enum ons_use use_of(const struct json *type)
{
	if (!json_is(type, JSON_STRING))
		return ONS_USE_ACCESS;
	if (json_str_is(type, "cli_refresh"))
		return ONS_USE_REFRESH;
	return json_str_is(type, "cli") ? ONS_USE_CLI : ONS_USE_ACCESS;
}

static int take_claims(
    struct ons_claims *out, const struct jwt *token, struct err *err)
{
	double issued;
	const struct json *sub = json_get(token->claims, "sub");
	if (!sub)
		sub = json_get(token->claims, "id");
	*out = (struct ons_claims){.expires_s = token->expires_s};
	if (!take_name(sub, out->user))
		return err_set(err, ERR_UNAUTHORIZED,
		    "the token has no user (sub): 1 to %d characters without "
		    "spaces",
		    ONS_USER_MAX);
	(void)take_name(json_get(token->claims, "org"), out->org);
	(void)take_name(json_get(token->claims, "sid"), out->login);
	out->use = use_of(json_get(token->claims, "type"));
	if (json_double(json_get(token->claims, "iat"), &issued))
		out->issued_s = (int64_t)issued; /* jwt_read() checked it */
	return 0;
}

static int read_token(const struct ons_token_keys *k, const char *text,
    size_t len, struct ons_claims *claims, struct err *err)
{
	const struct jwt_rules rules = {
	    .issuer = k->issuer,
	    .audience = k->audience,
	    .now_s = clock_wall_ms() / MILLISECONDS,
	};
	struct jwt token;
	if (jwt_read(&token, k->keys, text, len, &rules, err) != 0)
		return -1;
	int rc = take_claims(claims, &token, err);
	jwt_fini(&token);
	return rc;
}

static int verify_shown(const struct ons_token_keys *k, const char *text,
    size_t len, struct ons_claims *claims, struct err *err)
{
	if (jwt_keys_are_none(k->keys))
		return err_set(err, ERR_MISCONFIGURED,
		    "Onsembl is not configured: set " SECRET_VARIABLE
		    " (at least %d bytes), onsembl_secret_file or "
		    "onsembl_keys of host.yaml",
		    JWT_SECRET_MIN);
	if (!text)
		return err_set(err, ERR_UNAUTHORIZED, "there is no token");
	return read_token(k, text, len, claims, err);
}

static int refuse_if_withdrawn(const struct ons_token_keys *k, const char *text,
    size_t len, struct err *err)
{
	if (!len || !k->is_withdrawn || !k->is_withdrawn(k->arg, text, len))
		return 0;
	return err_set(err, ERR_UNAUTHORIZED, "the token has been withdrawn");
}

int ons_token_verify(const struct ons_token_keys *keys, const char *text,
    size_t len, struct ons_claims *claims, struct err *err)
{
	if (!text && keys->is_open_to_dev) {
		*claims = (struct ons_claims){.user = "dev"};
		claims->expires_s = INT64_MAX;
		return 0;
	}
	if (verify_shown(keys, text, len, claims, err) != 0)
		return -1;
	if (claims->use == ONS_USE_REFRESH)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the token is one to refresh, and opens nothing");
	if (refuse_if_withdrawn(
		keys, claims->login, strlen(claims->login), err) != 0)
		return -1;
	return refuse_if_withdrawn(keys, text, len, err);
}

int ons_token_verify_refresh(const struct ons_token_keys *keys,
    const char *text, size_t len, struct ons_claims *claims, struct err *err)
{
	if (verify_shown(keys, text, len, claims, err) != 0)
		return -1;
	if (claims->use != ONS_USE_REFRESH)
		return err_set(
		    err, ERR_UNAUTHORIZED, "the token is none to refresh");
	return refuse_if_withdrawn(
	    keys, claims->login, strlen(claims->login), err);
}

const char *ons_token_refusal(const struct err *err, bool has_token)
{
	if (err->code == ERR_MISCONFIGURED)
		return err->text;
	return has_token ? "Invalid authentication token"
			 : "No authentication token provided";
}

bool ons_token_may_see(const struct ons_token_keys *keys,
    const struct ons_claims *claims, const char *user, const char *org)
{
	bool is_same_org = *org && strcmp(claims->org, org) == 0;
	return keys->is_shared || is_same_org ||
	       strcmp(claims->user, user) == 0;
}

/* ---- making tokens ---- */

static void put_member(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_json_str(out, value);
}

static void put_use(struct buf *out, enum ons_use use)
{
	if (use == ONS_USE_ACCESS)
		return;
	put_member(out, "type", use == ONS_USE_CLI ? "cli" : "cli_refresh");
	put_member(out, "scope", "agent:manage");
	/* Those of one second must differ, since each is withdrawn alone. */
	char id[ENC_UUID_SIZE];
	enc_uuid(id);
	put_member(out, "jti", id);
}

int ons_token_make(const struct ons_token_keys *keys,
    const struct ons_claims *claims, struct buf *out, struct err *err)
{
	struct buf text = {0};
	if (!ons_token_can_make(keys))
		return err_set(err, ERR_MISCONFIGURED,
		    "there is no secret to sign tokens with: write at least %d "
		    "bytes, such as \"openssl rand -hex 32\" prints, into "
		    "" SECRET_VARIABLE " or the file that onsembl_secret_file "
		    "names in host.yaml",
		    JWT_SECRET_MIN);
	buf_str(&text, "{\"sub\":");
	buf_json_str(&text, claims->user);
	put_member(&text, "org", claims->org);
	put_member(&text, "sid", claims->login);
	put_use(&text, claims->use);
	put_member(&text, "iss", keys->issuer);
	put_member(&text, "aud", keys->audience);
	buf_printf(&text, ",\"iat\":%lld,\"exp\":%lld}",
	    (long long)(clock_wall_ms() / MILLISECONDS),
	    (long long)claims->expires_s);
	jwt_put(out, keys->keys, text.data, text.len);
	buf_fini(&text);
	return 0;
}
