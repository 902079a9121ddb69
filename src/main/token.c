/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/token.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/conf.h"
#include "core/err.h"
#include "launch/options.h"
#include "main/settings.h"
#include "onsembl/ons_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECONDS 1000
#define TTL_MAX_S (10LL * 365 * 86400)

/* Whether a text is a name that ons_token_verify() accepts. */
static bool is_user(const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == '\x7f')
			return false;
	return n > 0 && n <= ONS_USER_MAX;
}

static void take_arguments(
    const struct options *o, const char **user, long long *ttl_s)
{
	char *end = NULL;
	if (o->n_args == 0)
		options_error("token takes a user", "none was given");
	if (o->n_args > 2)
		options_error("unexpected argument", o->args[2]);
	*user = o->args[0];
	*ttl_s = ONS_TOKEN_TTL_S;
	if (!is_user(*user))
		options_error("a user has 1 to 200 characters without spaces, "
			      "not",
		    *user);
	if (o->n_args == 2)
		*ttl_s = strtoll(o->args[1], &end, 10);
	if (o->n_args == 2 && (*end || *ttl_s < 1 || *ttl_s > TTL_MAX_S))
		options_error("a token is good for 1 to 315360000 seconds, not",
		    o->args[1]);
}

static int print_token(
    const struct conf *conf, const char *user, long long ttl_s, struct err *err)
{
	struct ons_claims claims = {
	    .expires_s = clock_wall_ms() / MILLISECONDS + ttl_s,
	};
	struct buf text = {0};
	struct ons_token_keys *keys = ons_token_open(conf, err);
	if (!keys)
		return -1;
	memcpy(claims.user, user, strlen(user));
	int rc = ons_token_make(keys, &claims, &text, err);
	if (rc == 0)
		puts(buf_cstr(&text));
	buf_fini(&text);
	ons_token_close(&keys);
	return rc;
}

int token_run(const struct options *o)
{
	struct conf conf;
	struct err err;
	const char *user;
	long long ttl_s;
	take_arguments(o, &user, &ttl_s);
	conf_init(&conf);
	int rc = settings_init(o, "", &err);
	if (rc == 0)
		rc = settings_read(&conf, &err);
	if (rc == 0)
		rc = print_token(&conf, user, ttl_s, &err);
	conf_fini(&conf);
	if (rc == 0)
		return 0;
	(void)fprintf(stderr, "co-hostd: %s\n", err.text);
	return 1;
}
