/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/conversations.h"

#include "t/unit/fake_http.h"
#include "t/unit/tap.h"

#define ALL "/api/conversations"
#define UUID "0b0e7a60-92a1-4a4f-8b5e-3a1c0c6f7d10"
#define DIGITS "0b0e7a6092a14a4f8b5e3a1c0c6f7d10"

static const struct {
	const char *name, *method, *target, *body;
	enum conversations_api api;
} cases[] = {
    {"a conversation without a body", "POST", ALL, "", CONVERSATIONS_PAGE},
    {"a conversation with a first message", "POST", ALL,
	"{\"initial_user_msg\":\"agent\"}", CONVERSATIONS_PAGE},
    {"a conversation with an agent", "POST", ALL, "{\"agent\":{}}",
	CONVERSATIONS_SERVER},
    {"a conversation with a workspace", "POST", ALL,
	"{\"id\":1,\"workspace\":{\"agent\":1}}", CONVERSATIONS_SERVER},
    {"a conversation with an agent further inside", "POST", ALL,
	"{\"mcp_config\":{\"agent\":1}}", CONVERSATIONS_PAGE},
    {"a body that is no JSON", "POST", ALL, "agent", CONVERSATIONS_PAGE},
    {"a list", "GET", ALL, "", CONVERSATIONS_PAGE},
    {"a list in pages", "GET", ALL "?limit=1&page_id=5", "",
	CONVERSATIONS_PAGE},
    {"a list of ids", "GET", ALL "?ids=a", "", CONVERSATIONS_SERVER},
    {"a list of ids behind another parameter", "GET", ALL "?x=1&ids=a", "",
	CONVERSATIONS_SERVER},
    {"a UUID with dashes", "GET", ALL "/" UUID, "", CONVERSATIONS_SERVER},
    {"a UUID without dashes", "GET", ALL "/" DIGITS, "", CONVERSATIONS_PAGE},
    {"another id", "GET", ALL "/talk", "", CONVERSATIONS_PAGE},
    {"an id as long as a UUID", "GET",
	ALL "/0b0e7a60-92a1-4a4f-8b5e-3a1c0c6f7d1x", "", CONVERSATIONS_PAGE},
    {"a title for a UUID with dashes", "PATCH", ALL "/" UUID,
	"{\"title\":\"x\"}", CONVERSATIONS_SERVER},
    {"a title for a UUID without dashes", "PATCH", ALL "/" DIGITS,
	"{\"title\":\"x\"}", CONVERSATIONS_PAGE},
    {"an action in a UUID with dashes", "POST", ALL "/" UUID "/events",
	"{\"action\":\"message\",\"args\":{\"content\":\"x\"}}",
	CONVERSATIONS_PAGE},
    {"a message with a role", "POST", ALL "/" UUID "/events",
	"{\"role\":\"user\",\"content\":[]}", CONVERSATIONS_SERVER},
};

static enum conversations_api answered;
static unsigned n_answered;

static void answer(struct http_req *req, enum conversations_api api)
{
	answered = api;
	n_answered++;
	http_reply(req, 200, "text/plain", "", 0);
}

static void on_page(struct http_req *req, void *arg)
{
	(void)arg;
	answer(req, CONVERSATIONS_PAGE);
}

static void on_server(struct http_req *req, void *arg)
{
	(void)arg;
	answer(req, CONVERSATIONS_SERVER);
}

static const struct {
	const char *method, *path;
} routes[] = {{"POST", ALL}, {"GET", ALL}, {"GET", ALL "/*"},
    {"PATCH", ALL "/*"}, {"POST", ALL "/*/events"}};

static void add(struct http *http, enum conversations_api api)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		conversations_route(http, api, routes[i].method, routes[i].path,
		    api == CONVERSATIONS_PAGE ? on_page : on_server, NULL);
}

static void ask(struct http *http, size_t i)
{
	struct http_req *req = fake_http_send(
	    http, cases[i].method, cases[i].target, "", cases[i].body);
	fake_http_free(&req);
}

int main(void)
{
	struct http *http = fake_http_new();
	const size_t n = sizeof cases / sizeof *cases;
	add(http, CONVERSATIONS_SERVER);
	for (size_t i = 0; i < n; i++) {
		ask(http, i);
		is_int(answered, CONVERSATIONS_SERVER,
		    "%s is for the only interface", cases[i].name);
	}
	add(http, CONVERSATIONS_PAGE);
	for (size_t i = 0; i < n; i++) {
		ask(http, i);
		is_int(answered, cases[i].api, "%s is for the %s",
		    cases[i].name,
		    cases[i].api == CONVERSATIONS_PAGE ? "page"
						       : "agent server");
	}
	is_int(n_answered, 2 * (long long)n, "each request is answered once");
	fake_http_end(&http);
	return done();
}
