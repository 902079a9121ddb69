/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Who the clients of Onsembl are, by their tokens. */
#include "onsembl/ons_token.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "access/jwt.h"
#include "access/jwt_keys.h"
#include "base/buf.h"
#include "base/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "t/unit/tap.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct conf conf;
static struct err err;
static int64_t now_s;

static void set(const char *key, const char *value)
{
	if (conf_set(&conf, "test", key, value, &err) != 0)
		exit(1);
}

static void begin(const char *secret)
{
	conf_init(&conf);
	if (secret)
		(void)setenv("ONSEMBL_JWT_SECRET", secret, 1);
	else
		(void)unsetenv("ONSEMBL_JWT_SECRET");
}

/* A file in memory; returns its path. */
static const char *file_with(const char *text)
{
	static char path[64];
	int fd = memfd_create("file", 0); /* stays open */
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}

/* A token with these claims, made by somebody with the secret. */
static const char *token_of(const char *claims)
{
	static struct buf out;
	struct jwt_keys *keys = jwt_keys_new();
	if (jwt_keys_set_secret(keys, SECRET, strlen(SECRET), &err) != 0)
		exit(1);
	buf_reset(&out);
	jwt_put(&out, keys, claims, strlen(claims));
	jwt_keys_free(&keys);
	return buf_cstr(&out);
}

static const char *claims_of(const char *members)
{
	static char text[1024];
	(void)snprintf(text, sizeof text, "{%s,\"exp\":%lld}", members,
	    (long long)now_s + 100);
	return text;
}

static int verify(const struct ons_token_keys *keys, const char *text,
    struct ons_claims *claims)
{
	return ons_token_verify(
	    keys, text, text ? strlen(text) : 0, claims, &err);
}

static void test_off(void)
{
	struct ons_claims claims;
	begin(NULL);
	struct ons_token_keys *keys = ons_token_open(&conf, &err);
	ok(keys && !ons_token_is_on(keys), "Onsembl is off without keys");
	int rc = verify(keys, token_of(claims_of("\"sub\":\"a\"")), &claims);
	ok(rc != 0 && err.code == ERR_MISCONFIGURED,
	    "no token is good without keys");
	is_str(ons_token_refusal(&err, true),
	    "Onsembl is not configured: set ONSEMBL_JWT_SECRET (at least 32 "
	    "bytes), onsembl_secret_file or onsembl_keys of host.yaml",
	    "the refusal without keys says what to set");
	ons_token_close(&keys);
	conf_fini(&conf);
}

static void test_claims(void)
{
	static const struct {
		const char *members;
		const char *user; /* NULL: refused */
		const char *org;
	} cases[] = {
	    {"\"sub\":\"ann\"", "ann", ""},
	    {"\"id\":\"ann\"", "ann", ""},
	    {"\"sub\":\"ann\",\"id\":\"bob\",\"org\":\"co\"", "ann", "co"},
	    {"\"sub\":\"ann\",\"type\":\"cli\"", "ann", ""},
	    {"\"sub\":\"ann\",\"type\":7", "ann", ""},
	    {"\"sub\":\"ann\",\"type\":\"cli_refresh\"", NULL, NULL},
	    {"\"sub\":\"\"", NULL, NULL},
	    {"\"sub\":7", NULL, NULL},
	    {"\"sub\":\"a b\"", NULL, NULL},
	    {"\"sub\":\"a\\n\"", NULL, NULL},
	    {"\"sub\":\"a\\u0000\"", NULL, NULL},
	    {"\"email\":\"ann@example\"", NULL, NULL},
	};
	struct ons_claims claims;
	begin(SECRET);
	struct ons_token_keys *keys = ons_token_open(&conf, &err);
	ok(ons_token_is_on(keys), "Onsembl is on with a secret");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = verify(
		    keys, token_of(claims_of(cases[i].members)), &claims);
		ok((rc == 0) == !!cases[i].user, "a token with %s is %s",
		    cases[i].members, cases[i].user ? "good" : "refused");
		if (rc == 0)
			ok(strcmp(claims.user, cases[i].user) == 0 &&
				strcmp(claims.org, cases[i].org) == 0,
			    "a token with %s names its user and organisation",
			    cases[i].members);
	}
	ok(verify(keys, NULL, &claims) != 0, "no token is refused");
	is_str(ons_token_refusal(&err, false),
	    "No authentication token provided",
	    "the refusal says that there was no token");
	ok(verify(keys, "x.y.z", &claims) != 0, "no JSON is refused");
	is_str(ons_token_refusal(&err, true), "Invalid authentication token",
	    "the refusal says that the token is invalid");
	ons_token_close(&keys);
	conf_fini(&conf);
}

static void test_making(void)
{
	struct buf text = {0};
	struct ons_claims claims, made = {
				      .user = "a\"b",
				      .org = "co",
				      .use = ONS_USE_REFRESH,
				      .expires_s = now_s + 5,
				  };
	begin(SECRET);
	set("onsembl_issuer", "https://us.example");
	set("onsembl_audience", "us");
	struct ons_token_keys *keys = ons_token_open(&conf, &err);
	ok(ons_token_make(keys, &made, &text, &err) == 0,
	    "a secret makes tokens");
	ok(ons_token_verify_refresh(keys, text.data, text.len, &claims, &err) ==
		0,
	    "a token to refresh is good for that, with our issuer and "
	    "audience");
	is_str(claims.user, "a\"b", "the user is in a token that was made");
	is_str(
	    claims.org, "co", "the organisation is in a token that was made");
	ok(claims.expires_s == made.expires_s && claims.issued_s >= now_s,
	    "the times are in a token that was made");
	ok(verify(keys, buf_cstr(&text), &claims) != 0,
	    "a token to refresh opens nothing");
	buf_reset(&text);
	made.use = ONS_USE_CLI;
	(void)ons_token_make(keys, &made, &text, &err);
	ok(verify(keys, buf_cstr(&text), &claims) == 0 &&
		claims.use == ONS_USE_CLI,
	    "a token of a program is good");
	ok(ons_token_verify_refresh(keys, text.data, text.len, &claims, &err) !=
		0,
	    "a token of a program refreshes nothing");
	buf_fini(&text);
	ons_token_close(&keys);
	conf_fini(&conf);
}

static bool is_withdrawn(void *arg, const char *text, size_t len)
{
	const char *name = arg;
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

static void test_withdrawn(void)
{
	static const char *const logins[] = {"gone", "other"};
	static char gone[] = "gone";
	begin(SECRET);
	struct ons_token_keys *keys = ons_token_open(&conf, &err);
	ons_token_ask(keys, is_withdrawn, gone);
	for (size_t i = 0; i < 2; i++) {
		const char *name = logins[i];
		struct buf access = {0}, refresh = {0};
		struct ons_claims claims, made = {.user = "ann"};
		made.expires_s = now_s + 5;
		(void)snprintf(made.login, sizeof made.login, "%s", name);
		made.use = ONS_USE_CLI;
		(void)ons_token_make(keys, &made, &access, &err);
		made.use = ONS_USE_REFRESH;
		(void)ons_token_make(keys, &made, &refresh, &err);
		int rc = ons_token_verify_refresh(
		    keys, refresh.data, refresh.len, &claims, &err);
		ok((rc == 0) == (i == 1),
		    "a token to refresh of the login '%s' is %s", name,
		    i ? "good" : "refused, since that was withdrawn");
		rc = verify(keys, buf_cstr(&access), &claims);
		ok((rc == 0) == (i == 1), "a token of the login '%s' is %s",
		    name, i ? "good" : "refused, since that was withdrawn");
		is_str(
		    claims.login, name, "a token names its login '%s'", name);
		buf_fini(&access);
		buf_fini(&refresh);
	}
	ons_token_close(&keys);
	conf_fini(&conf);
}

static void test_files(void)
{
	static const struct {
		const char *name, *key, *text;
		const char *why; /* NULL: good */
	} cases[] = {
	    {"a secret", "onsembl_secret_file", SECRET "\r\n", NULL},
	    {"a short secret", "onsembl_secret_file", "x\n",
		"onsembl_secret_file: the secret has 1 bytes; HS256 needs at "
		"least 32"},
	    {"no key", "onsembl_keys", "hello\n",
		"onsembl_keys: it has no public key in PEM form"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(NULL);
		set(cases[i].key, file_with(cases[i].text));
		err.text[0] = 0;
		struct ons_token_keys *keys = ons_token_open(&conf, &err);
		is_str(keys ? NULL : err.text, cases[i].why,
		    "a file with %s is %s", cases[i].name,
		    cases[i].why ? "refused" : "accepted");
		ons_token_close(&keys);
		conf_fini(&conf);
	}
	begin("short");
	ok(!ons_token_open(&conf, &err),
	    "a short secret in the environment is refused: %s", err.text);
	(void)unsetenv("ONSEMBL_JWT_SECRET");
	set("onsembl_keys", "/nowhere/keys.pem");
	ok(!ons_token_open(&conf, &err), "a missing file is refused: %s",
	    err.text);
	conf_fini(&conf);
}

static void test_sight(void)
{
	struct ons_claims ann = {.user = "ann", .org = "co"};
	begin(SECRET);
	struct ons_token_keys *all = ons_token_open(&conf, &err);
	set("onsembl_shared", "false");
	struct ons_token_keys *own = ons_token_open(&conf, &err);
	ok(ons_token_may_see(all, &ann, "bob", ""),
	    "users that share see each other");
	ok(!ons_token_may_see(own, &ann, "bob", ""),
	    "users that do not share do not see each other");
	ok(!ons_token_may_see(own, &ann, "bob", "other"),
	    "users of two organisations do not see each other");
	ok(ons_token_may_see(own, &ann, "bob", "co"),
	    "users of one organisation see each other");
	ok(ons_token_may_see(own, &ann, "ann", ""), "users see their own");
	ons_token_close(&all);
	ons_token_close(&own);
	conf_fini(&conf);
}

static void test_open(void)
{
	struct ons_claims claims;
	begin(NULL);
	set("onsembl_auth", "false");
	struct ons_token_keys *keys = ons_token_open(&conf, &err);
	ok(verify(keys, NULL, &claims) == 0 && strcmp(claims.user, "dev") == 0,
	    "where tokens are not needed, a client without one is dev");
	ok(verify(keys, "x.y.z", &claims) != 0,
	    "where tokens are not needed, a bad one is refused nevertheless");
	ons_token_close(&keys);
	conf_fini(&conf);
}

int main(void)
{
	now_s = clock_wall_ms() / 1000;
	test_off();
	test_claims();
	test_making();
	test_withdrawn();
	test_files();
	test_sight();
	test_open();
	return done();
}
