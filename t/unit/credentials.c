/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a login gives a wrapper, and its file. */
#include "wrapper/credentials.h"

#include "base/clock.h"
#include "base/json.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

#define SERVER "ws://localhost:8080"
#define YEAR_MS ((int64_t)366 * 86400 * 1000)

static bool take(struct credentials *c, const char *answer)
{
	struct json_doc doc = {0};
	struct json_error error;
	bool is_taken = credentials_take(
	    c, SERVER, json_parse(&doc, answer, strlen(answer), 0, &error));

	json_fini(&doc);
	return is_taken;
}

/* Returns how long a token lives for which the server says this. */
static int64_t life_ms(const char *expires_in)
{
	struct credentials c = {0};
	char answer[200];
	int64_t now_ms = clock_wall_ms();

	(void)snprintf(answer, sizeof answer,
	    "{\"access_token\":\"a\",\"expires_in\":%s}", expires_in);
	ok(take(&c, answer), "a token with expires_in %s is taken", expires_in);
	int64_t life_ms = c.expires_ms - now_ms;
	credentials_fini(&c);
	return life_ms;
}

static void test_life(void)
{
	int64_t hour_ms = life_ms("null");

	ok(hour_ms >= 3600000 && hour_ms < 2 * 3600000,
	    "a token without expires_in lives for an hour");
	ok(life_ms("-9223372036854775808") < 3600000,
	    "a token that has expired is not taken for a fresh one");
	ok(life_ms("9223372036854775807") >= YEAR_MS,
	    "a token that lives for ever is taken for a fresh one");
}

static void test_file(void)
{
	struct credentials c = {0}, again;
	char why[200];

	ok(!take(&c, "{\"refresh_token\":\"r\"}"),
	    "an answer without access_token is not taken");
	ok(take(&c, "{\"access_token\":\"a\",\"refresh_token\":\"r\"}") &&
		credentials_write(&c, why, sizeof why),
	    "tokens are written");
	ok(credentials_read(&again, SERVER) && strcmp(again.access, "a") == 0 &&
		strcmp(again.refresh, "r") == 0 &&
		again.expires_ms == c.expires_ms,
	    "tokens are read as they were written");
	credentials_fini(&again);
	ok(!credentials_read(&again, "ws://localhost:8081"),
	    "another server gets no tokens");
	credentials_remove();
	ok(!credentials_read(&again, SERVER),
	    "tokens that are removed are gone");
	credentials_fini(&c);
}

int main(void)
{
	char home[] = "/tmp/credentials-XXXXXX";
	char folder[sizeof home + 10];

	if (!mkdtemp(home) || setenv("HOME", home, 1) != 0)
		return 1;
	test_life();
	test_file();
	(void)snprintf(folder, sizeof folder, "%s/.onsembl", home);
	(void)rmdir(folder);
	ok(rmdir(home) == 0, "the home directory is empty in the end");
	return done();
}
