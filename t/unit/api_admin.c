/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Administration over HTTP: who may, what they ask, and what strangers see. */
#include "api/api_admin.h"

#include "base/log.h"
#include "core/conf.h"
#include "door/door.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_files.h"
#include "t/unit/fake_http.h"
#include "t/unit/tap.h"
#include "access/lists.h"

#include <stdlib.h>
#include <string.h>

#define ANNA \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define SIGNED "\"from\":\"" ANNA "\",\"signature\":\"good\""
#define BOUND(path) "\"method\":\"POST\",\"path\":\"" path "\""
#define GOOD_HEADERS \
	"x-co-from: " ANNA "\nx-co-signature: good\nx-co-timestamp: 1\n"

#define BAD "{\"error\":\"unauthorized: invalid signature\"}"
#define UNSIGNED "{\"error\":\"unauthorized: signed request required\"}"
#define UNBOUND \
	"{\"error\":\"unauthorized: route-bound method and path required\"}"
#define NOT_ADMIN "{\"error\":\"forbidden: admin only\"}"
#define NOT_SUPER "{\"error\":\"forbidden: super admin only\"}"
#define NOT_FOUND "{\"error\":\"not found\"}"
#define CHANGED \
	"{\"success\":true,\"message\":\"changed\",\"level\":\"contact\"}"

static struct conf conf;
static struct http *http;
static struct access *access_;
static struct door_setup setup;

/* ---- helpers ---- */

static void set_up(const char *level)
{
	access_ = fake_access();
	fake_access_level(access_, level);
	setup.access = access_;
}

static void tear_down(void)
{
	fake_access_free(&access_);
}

/* Whether a request is answered so; body NULL: any. */
static bool is_answered(const char *method, const char *path,
    const char *headers, const char *sent, int status, const char *body)
{
	struct http_req *req =
	    fake_http_send(http, method, path, headers, sent);
	fake_access_run(access_);
	struct fake_reply *r = fake_http_reply(req);
	bool is_good = r->is_ended && r->status == status &&
		       (!body || strcmp(r->body.data, body) == 0);
	if (!is_good)
		printf("# got %d %s\n", r->status, r->body.data);
	fake_http_free(&req);
	return is_good;
}

/* ---- bearer ---- */

static const struct {
	const char *name;
	const char *token; /* CONNECTONION_ADMIN_TOKEN; NULL: not set */
	const char *key;   /* OPENONION_API_KEY */
	const char *headers;
	int how;
	int status;
} bearers[] = {
    {"the admin token", "t", "k", "authorization: Bearer t\n", BEARER_ANY, 200},
    {"the API key beside a token", "t", "k", "authorization: Bearer k\n",
	BEARER_ANY, 401},
    {"the API key under the name of the token, too", "k", "k",
	"authorization: Bearer k\n", BEARER_ANY, 401},
    {"the API key beside an empty token", "", "k", "authorization: Bearer k\n",
	BEARER_ANY, 200},
    {"the API key alone", NULL, "k", "authorization: Bearer k\n", BEARER_ANY,
	200},
    {"the API key, which is switched off", "t", "k",
	"authorization: Bearer k\n", BEARER_TOKEN_ONLY, 401},
    {"the token where the key is off", "t", "k", "authorization: Bearer t\n",
	BEARER_TOKEN_ONLY, 200},
    {"the key under the token's name", "k", "k", "authorization: Bearer k\n",
	BEARER_TOKEN_ONLY, 401},
    {"nothing where nothing is set", NULL, NULL, "authorization: Bearer \n",
	BEARER_ANY, 401},
    {"nothing where all is empty", "", "", "authorization: Bearer \n",
	BEARER_ANY, 401},
    {"a longer token", "t", "k", "authorization: Bearer tt\n", BEARER_ANY, 401},
    {"the start of a token", "token", "k", "authorization: Bearer tok\n",
	BEARER_ANY, 401},
    {"another scheme", "t", "k", "authorization: Basic t\n", BEARER_ANY, 401},
    {"no header", "t", "k", "", BEARER_ANY, 401},
};

static void set_variable(const char *name, const char *value)
{
	if (value)
		(void)setenv(name, value, 1);
	else
		(void)unsetenv(name);
}

static void test_bearer(void)
{
	set_up("stranger");
	for (size_t i = 0; i < sizeof(bearers) / sizeof(bearers[0]); i++) {
		set_variable("CONNECTONION_ADMIN_TOKEN", bearers[i].token);
		set_variable("OPENONION_API_KEY", bearers[i].key);
		conf.admin_bearer = bearers[i].how;
		ok(is_answered("GET", "/admin/logs", bearers[i].headers, "",
		       bearers[i].status,
		       bearers[i].status == 200 ? "/the/log" : UNSIGNED),
		    "/admin/logs with %s", bearers[i].name);
	}
	conf.admin_bearer = BEARER_ANY;
	set_variable("CONNECTONION_ADMIN_TOKEN", NULL);
	set_variable("OPENONION_API_KEY", "k");
	ok(is_answered("GET", "/admin/sessions", "authorization: Bearer k\n",
	       "", 200, "{}"),
	    "a bearer opens /admin/sessions");
	ok(is_answered("POST", "/admin/logs", "authorization: Bearer k\n", "",
	       405, "{\"error\":\"method not allowed\"}"),
	    "/admin/logs is for GET");
	ok(is_answered("POST", "/admin/trust/promote",
	       "authorization: Bearer k\n", "", 401, UNBOUND),
	    "a bearer does not change who is known");
	tear_down();
}

/* ---- signatures ---- */

static const struct {
	const char *name;
	const char *method;
	const char *path;
	const char *headers;
	const char *body;
	int status;
	const char *reply;
} requests[] = {
    {"signed headers open /admin/logs", "GET", "/admin/logs", GOOD_HEADERS, "",
	200, "/the/log"},
    {"signed headers of older clients open /admin/logs", "GET", "/admin/logs",
	"x-from: " ANNA "\nx-signature: good\nx-timestamp: 1.5\n", "", 200,
	"/the/log"},
    {"a signed body opens /admin/logs", "GET", "/admin/logs", "",
	"{\"payload\":{\"timestamp\":1}," SIGNED "}", 200, "/the/log"},
    {"a bad signature does not open /admin/logs", "GET", "/admin/logs",
	"x-co-from: " ANNA "\nx-co-signature: x\nx-co-timestamp: 1\n", "", 401,
	BAD},
    {"some of the headers do not open /admin/logs", "GET", "/admin/logs",
	"x-co-timestamp: 1\n", "", 401, BAD},
    {"a time that is no integer is refused", "GET", "/admin/logs",
	"x-co-from: " ANNA "\nx-co-signature: good\nx-co-timestamp: 1.5\n", "",
	400, "{\"error\":\"Invalid X-Co-Timestamp header\"}"},
    {"a time of older clients that is no number is refused", "GET",
	"/admin/sessions",
	"x-from: " ANNA "\nx-signature: good\nx-timestamp: x\n", "", 400,
	"{\"error\":\"Invalid X-Timestamp header\"}"},
    {"older headers are for reading alone", "GET", "/admin/trust/level/" ANNA,
	"x-from: " ANNA "\nx-signature: good\nx-timestamp: 1.5\n", "", 401,
	UNBOUND},
    {"a body that is no JSON is refused", "POST", "/admin/trust/promote", "",
	"{", 400, "{\"error\":\"Invalid JSON\"}"},
    {"an empty body names no route", "POST", "/admin/trust/promote", "", "",
	401, UNBOUND},
    {"a body signed for another route is refused", "POST", "/admin/trust/block",
	"", "{\"payload\":{" BOUND("/admin/trust/promote") "}," SIGNED "}", 401,
	UNBOUND},
    {"a body signed for another method is refused", "POST",
	"/admin/trust/block", "",
	"{\"payload\":{\"method\":\"GET\",\"path\":\"/admin/trust/"
	"block\"}," SIGNED "}",
	401, UNBOUND},
    {"the signature is looked at before the argument", "POST",
	"/admin/trust/block", "",
	"{\"payload\":{" BOUND("/admin/trust/block") "},\"from\":\"" ANNA
						     "\",\"signature\":\"x\"}",
	401, BAD},
    {"a change without a client_id is refused", "POST", "/admin/trust/block",
	"", "{\"payload\":{" BOUND("/admin/trust/block") "}," SIGNED "}", 400,
	"{\"error\":\"client_id required\"}"},
    {"a client_id that is no text is refused", "POST", "/admin/trust/block", "",
	"{\"payload\":{\"client_id\":7," BOUND("/admin/trust/block") "}," SIGNED
								     "}",
	400, "{\"error\":\"client_id invalid\"}"},
    {"a client_id that is a pattern is refused", "POST", "/admin/trust/block",
	"",
	"{\"payload\":{\"client_id\":\"*\"," BOUND(
	    "/admin/trust/block") "}," SIGNED "}",
	400, "{\"error\":\"client_id invalid\"}"},
    {"a client_id of two lines is refused", "POST", "/admin/trust/promote", "",
	"{\"payload\":{\"client_id\":\"a\\nb\"," BOUND(
	    "/admin/trust/promote") "}," SIGNED "}",
	400, "{\"error\":\"client_id invalid\"}"},
    {"an admin may promote", "POST", "/admin/trust/promote", "",
	"{\"payload\":{\"client_id\":\"bert\"," BOUND(
	    "/admin/trust/promote") "}," SIGNED "}",
	200, CHANGED},
    {"an admin may look at a level", "GET", "/admin/trust/level/" ANNA,
	GOOD_HEADERS, "", 200,
	"{\"client_id\":\"" ANNA "\",\"level\":\"contact\"}"},
    {"an admin may not make admins", "POST", "/superadmin/add", "",
	"{\"payload\":{" BOUND("/superadmin/add") "}," SIGNED "}", 403,
	NOT_SUPER},
    {"an unknown route is 404 for an admin", "POST", "/admin/trust/other", "",
	"{\"payload\":{" BOUND("/admin/trust/other") "}," SIGNED "}", 404,
	NOT_FOUND},
    {"an unknown route is 401 for others", "GET", "/superadmin/other", "", "",
	401, UNBOUND},
    {"a level of nobody is 404", "GET", "/admin/trust/level/", GOOD_HEADERS, "",
	404, NOT_FOUND},
    {"an unknown route elsewhere is 404 for all", "GET", "/admin/other", "", "",
	404, NULL},
};

static void test_signatures(void)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		set_up("admin");
		ok(is_answered(requests[i].method, requests[i].path,
		       requests[i].headers, requests[i].body,
		       requests[i].status, requests[i].reply),
		    "%s", requests[i].name);
		tear_down();
	}
}

/* ---- roles ---- */

static void test_roles(void)
{
	static const char add[] =
	    "{\"payload\":{\"admin_id\":\"" ANNA
	    "\"," BOUND("/superadmin/add") "}," SIGNED "}";
	set_up("whitelist");
	ok(is_answered("GET", "/admin/logs", GOOD_HEADERS, "", 403, NOT_ADMIN),
	    "a client on the whitelist may not read the log");
	ok(is_answered("POST", "/superadmin/add", "", add, 403, NOT_SUPER),
	    "the whitelist may not make admins");
	fake_access_level(access_, "blocked");
	ok(is_answered("GET", "/admin/logs", GOOD_HEADERS, "", 403, NOT_ADMIN),
	    "the blocked read nothing");
	fake_access_level(access_, "super");
	ok(is_answered("POST", "/superadmin/add", "", add, 200, CHANGED) &&
		fake_access_changed(access_)->action == LISTS_ADD_ADMIN,
	    "our own key may make admins");
	fake_access_break_lists(access_);
	ok(is_answered("POST", "/superadmin/add", "", add, 403,
	       "{\"error\":\"misconfigured: cannot write contacts.txt\"}"),
	    "lists that cannot be written are named");
	tear_down();
}

/* ---- what is written ---- */

#define ONES "11111111111111111111111111111111111111111111111111111111"
#define LOUD "ABCDEF" ONES "11"

#define BLOCK(members) \
	"{\"payload\":{" members BOUND("/admin/trust/block") "}," SIGNED "}"

static void test_names(void)
{
	char long_reason[700];
	const struct lists_change *change;
	set_up("admin");
	change = fake_access_changed(access_);
	ok(is_answered("POST", "/admin/trust/block", "",
	       BLOCK("\"client_id\":\"" LOUD "\",\"reason\":\"spam\","), 200,
	       CHANGED),
	    "a client is blocked");
	is_str(change->id, "0xabcdef" ONES "11", "an address has one spelling");
	is_str(change->reason, "spam", "somebody is blocked with a reason");
	(void)snprintf(long_reason, sizeof(long_reason),
	    BLOCK("\"client_id\":\"a\",\"reason\":\"%0199d\xc3\xa9\","), 0);
	ok(is_answered(
	       "POST", "/admin/trust/block", "", long_reason, 200, CHANGED) &&
		strlen(change->reason) == LISTS_ID_MAX - 1,
	    "a long reason is cut between characters");
	tear_down();
}

/* ---- clients that leave ---- */

static void test_leaving(void)
{
	static const char promote[] =
	    "{\"payload\":{\"client_id\":\"bert\"," BOUND(
		"/admin/trust/promote") "}," SIGNED "}";
	set_up("admin");
	struct http_req *req =
	    fake_http_send(http, "GET", "/admin/logs", GOOD_HEADERS, "");
	fake_http_leave(req);
	fake_access_run(access_);
	ok(fake_http_reply(req)->status == 0,
	    "a client that leaves before the verdict is forgotten");
	fake_http_free(&req);
	req = fake_http_send(http, "POST", "/admin/trust/promote", "", promote);
	fake_access_judge(access_);
	fake_http_leave(req);
	fake_access_run(access_);
	ok(fake_http_reply(req)->status == 0 &&
		strcmp(fake_access_changed(access_)->id, "bert") == 0,
	    "a change is made though its client left after the verdict");
	fake_http_free(&req);
	tear_down();
}

int main(void)
{
	log_threshold(LOG_ERROR);
	conf_init(&conf);
	setup.conf = &conf;
	setup.agent_log = "/the/log";
	http = fake_http_new();
	api_admin_mount(http, &setup);
	test_bearer();
	test_signatures();
	test_roles();
	test_names();
	test_leaving();
	fake_http_end(&http);
	conf_fini(&conf);
	return done();
}
