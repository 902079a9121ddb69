/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/login.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "wrapper/agent_settings.h"
#include "wrapper/credentials.h"
#include "wrapper/rest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A token is renewed when it lives for less than this. */
#define RENEW_BEFORE_MS (5 * 60 * 1000)

/* How often that is looked at, and how soon after a failure. */
#define LOOK_MS 30000

/* If the server does not say how often it may be asked. */
#define DEFAULT_INTERVAL_S 5

/* The same of how long a code can be entered. */
#define DEFAULT_LIFE_S 600

#define GRANT "urn:ietf:params:oauth:grant-type:device_code"

struct login {
	struct loop *loop;
	struct rest *rest;
	const char *server;
	struct credentials credentials;
	struct loop_timer timer;
	/* Of the command. */
	char *device_code;
	int64_t interval_ms;
	int64_t until_ms;
	int status;
	/* Of a wrapper. */
	void (*ready)(void *arg);
	void *arg;
	bool is_renewing;
};

static struct login *login_new(
    struct loop *loop, const char *server, void (*on_time)(void *arg))
{
	struct login *l = mem_zero(sizeof *l);

	l->loop = loop;
	l->server = server;
	l->rest = rest_open(loop, server);
	loop_timer_init(&l->timer, on_time, l);
	return l;
}

void login_free(struct login **lp)
{
	struct login *l = *lp;

	*lp = NULL;
	if (!l)
		return;
	loop_timer_stop(l->loop, &l->timer);
	rest_close(&l->rest);
	credentials_fini(&l->credentials);
	free(l->device_code);
	free(l);
}

/* Of a command: the one loop of this process, which lives as long. */
static struct loop *the_loop(void)
{
	static struct loop *loop;

	if (!loop)
		loop = loop_new();
	return loop;
}

/* ---- the command login ---- */

static void finish(struct login *l, const char *problem)
{
	if (problem)
		(void)fprintf(stderr, "onsembl-agent: login: %s\n", problem);
	l->status = problem ? EXIT_FAILED : 0;
	loop_stop(l->loop);
}

static void on_token(
    void *arg, long status, const struct json *answer, const char *error)
{
	struct login *l = arg;
	const struct json *word = json_get(answer, "error");
	char why[300];

	if (status == 200 &&
	    credentials_take(&l->credentials, l->server, answer)) {
		bool is_written =
		    credentials_write(&l->credentials, why, sizeof why);
		if (is_written)
			(void)puts("Logged in");
		finish(l, is_written ? NULL : why);
		return;
	}
	if (json_str_is(word, "slow_down"))
		l->interval_ms += DEFAULT_INTERVAL_S * 1000;
	else if (status && !json_str_is(word, "authorization_pending")) {
		finish(l, "the server refuses it, or the code has expired");
		return;
	}
	(void)error; /* of the network: it is tried again */
	if (clock_mono_ms() >= l->until_ms)
		finish(l, "nobody has entered the code in time");
	else
		loop_timer_set(l->loop, &l->timer, l->interval_ms);
}

static void poll_token(void *arg)
{
	struct login *l = arg;
	struct buf body = {0};

	buf_str(&body, "{\"device_code\":");
	buf_json_str(&body, l->device_code);
	buf_str(&body, ",\"grant_type\":\"" GRANT "\"}");
	rest_post(
	    l->rest, "/api/auth/device/token", buf_cstr(&body), on_token, l);
	buf_fini(&body);
}

static void show_code(const struct json *answer)
{
	char *uri = json_strdup(json_get(answer, "verification_uri"));
	char *code = json_strdup(json_get(answer, "user_code"));

	(void)printf("Open %s and enter the code %s\n",
	    uri ? uri : "the server", code ? code : "?");
	(void)fflush(stdout);
	free(uri);
	free(code);
}

static void on_authorize(
    void *arg, long status, const struct json *answer, const char *error)
{
	struct login *l = arg;

	l->device_code = json_strdup(json_get(answer, "device_code"));
	if (status != 200 || !l->device_code) {
		finish(l, error ? error : "the server offers no login");
		return;
	}
	l->interval_ms =
	    rest_duration_ms(answer, "interval", DEFAULT_INTERVAL_S);
	l->until_ms = clock_mono_ms() +
		      rest_duration_ms(answer, "expires_in", DEFAULT_LIFE_S);
	show_code(answer);
	loop_timer_set(l->loop, &l->timer, l->interval_ms);
}

int login_run(const struct agent_settings *s)
{
	struct login *l = login_new(the_loop(), s->server, poll_token);

	rest_post(l->rest, "/api/auth/device/authorize",
	    "{\"client_id\":\"onsembl-cli\",\"scope\":\"agent:manage\"}",
	    on_authorize, l);
	loop_run(l->loop);
	int status = l->status;
	login_free(&l);
	return status;
}

/* ---- the command logout ---- */

static void on_revoked(
    void *arg, long status, const struct json *answer, const char *error)
{
	struct login *l = arg;

	(void)answer;
	if (status != 200)
		(void)fprintf(stderr,
		    "onsembl-agent: logout: the server could not be told: %s\n",
		    error ? error : "it refuses");
	loop_stop(l->loop);
}

static void ignore_time(void *arg)
{
	(void)arg;
}

int login_end(const struct agent_settings *s)
{
	struct login *l = login_new(the_loop(), s->server, ignore_time);
	struct buf body = {0};

	bool is_known = credentials_read(&l->credentials, s->server);
	if (is_known) {
		const struct credentials *c = &l->credentials;
		buf_str(&body, "{\"token\":");
		buf_json_str(&body, c->refresh ? c->refresh : c->access);
		buf_char(&body, '}');
		rest_post(l->rest, "/api/auth/cli/revoke", buf_cstr(&body),
		    on_revoked, l);
		loop_run(l->loop);
		credentials_remove();
	}
	if (is_known)
		(void)puts("Logged out");
	else
		(void)printf("There is no login at %s\n", s->server);
	buf_fini(&body);
	login_free(&l);
	return 0;
}

/* ---- a login that is kept ---- */

static bool is_fresh(const struct login *l)
{
	return l->credentials.expires_ms > clock_wall_ms() + RENEW_BEFORE_MS;
}

static void say_ready(struct login *l)
{
	void (*ready)(void *) = l->ready;

	l->ready = NULL;
	if (ready)
		ready(l->arg);
}

static void on_renewed(
    void *arg, long status, const struct json *answer, const char *error)
{
	struct login *l = arg;
	char why[300];

	l->is_renewing = false;
	if (status != 200 ||
	    !credentials_take(&l->credentials, l->server, answer))
		log_warn("login: the token cannot be renewed: %s",
		    error ? error : "the server refuses; log in again");
	else if (!credentials_write(&l->credentials, why, sizeof why))
		log_warn("login: %s", why);
	else
		log_info("login: the token is renewed");
	say_ready(l);
}

static void renew(struct login *l)
{
	struct buf body = {0};

	if (l->is_renewing)
		return;
	l->is_renewing = true;
	buf_str(&body, "{\"refresh_token\":");
	buf_json_str(&body, l->credentials.refresh);
	buf_str(&body, ",\"grant_type\":\"refresh_token\"}");
	rest_post(
	    l->rest, "/api/auth/cli/refresh", buf_cstr(&body), on_renewed, l);
	buf_fini(&body);
}

/* Another wrapper may have renewed it already, with the same file. */
static void look(void *arg)
{
	struct login *l = arg;
	struct credentials now;

	loop_timer_set(l->loop, &l->timer, LOOK_MS);
	if (!is_fresh(l) && credentials_read(&now, l->server)) {
		credentials_fini(&l->credentials);
		l->credentials = now;
	}
	if (is_fresh(l) || !l->credentials.refresh)
		say_ready(l);
	else
		renew(l);
}

/* The clocks may differ, so that it was believed to be valid. */
void login_renew(struct login *l)
{
	if (l->credentials.refresh)
		renew(l);
}

struct login *login_keep(struct loop *loop, const struct agent_settings *s,
    void (*ready)(void *arg), void *arg)
{
	struct credentials c;

	if (!credentials_read(&c, s->server))
		return NULL;
	struct login *l = login_new(loop, s->server, look);
	l->credentials = c;
	l->ready = ready;
	l->arg = arg;
	loop_timer_set(loop, &l->timer, 0);
	return l;
}

const char *login_token(const struct login *l)
{
	return l->credentials.access;
}
