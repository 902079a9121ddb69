/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The agent's own routes: who may call, what is handed over, what comes back. */
#include "api/api_publish.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/door.h"
#include "session/session.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_http.h"
#include "t/unit/tap.h"

#include <string.h>

#define ANNA \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define SIGNED                                                           \
	"x-co-from: " ANNA "\nx-co-signature: good\nx-co-timestamp: 1\n" \
	"x-co-to: 0xab\nx-co-request-id: 7\n"

static const char *const routes[] = {
    "GET /public/hello",
    "POST /public/hello",
    "GET /public/{name}",
    "GET /public/{a}-x",
    "GET /public/y-{b}",
    "GET /contacts/list",
    "GET /admin/list",
    "GET /input",
    "PUT /public/put",
    NULL,
};

static struct http *http;
static struct access *access_;
static struct door_setup setup;

/* ---- session.h ---- */

static struct {
	session_exec_fn *fn;
	void *arg;
	char *tool;
	char *args;
	const char *answer; /* NULL: it fails */
	bool is_full;
	unsigned opened;
} agent;

struct session *session_open(struct sessions *all, const char *id, size_t len,
    const char *caller, enum session_status *status, bool *has_record,
    struct err *err)
{
	static int session;
	(void)all;
	(void)id;
	(void)len;
	(void)caller;
	(void)err;
	*status = SESSION_NEW;
	*has_record = false;
	agent.opened++;
	return (struct session *)(void *)&session;
}

void session_close(struct session **s)
{
	*s = NULL;
	agent.opened--;
}

struct session_exec *session_exec(struct session *s,
    const struct session_tool *tool, session_exec_fn *fn, void *arg,
    struct err *err)
{
	static int exec;
	(void)s;
	if (agent.is_full) {
		(void)err_set(err, ERR_RUNS, NULL);
		return NULL;
	}
	free(agent.tool);
	free(agent.args);
	agent.fn = fn;
	agent.arg = arg;
	agent.tool = mem_strdup(tool->name);
	agent.args = mem_strndup(tool->args, tool->args_len);
	return (struct session_exec *)(void *)&exec;
}

static void answer(void)
{
	struct session_exec_result result = {
	    .has_failed = !agent.answer,
	    .text = agent.answer ? agent.answer : "broken",
	};
	result.len = strlen(result.text);
	session_exec_fn *fn = agent.fn;
	agent.fn = NULL;
	if (fn)
		fn(agent.arg, &result);
}

/* ---- helpers ---- */

static struct http_req *ask(const char *method, const char *target,
    const char *headers, const char *body)
{
	struct http_req *req =
	    fake_http_send(http, method, target, headers, body);
	fake_access_run(access_);
	answer();
	return req;
}

static void is_reply(
    struct http_req *req, int status, const char *body, const char *name)
{
	struct fake_reply *r = fake_http_reply(req);
	bool is_good = r->is_ended && r->status == status &&
		       (!body || strcmp(r->body.data, body) == 0);
	ok(is_good, "%s", name);
	if (!is_good)
		printf("# got %d %s\n", r->status, r->body.data);
	fake_http_free(&req);
}

/* ---- requests ---- */

static void test_calling(void)
{
	agent.answer = "{\"type\":\"application/json\",\"text\":\"{}\"}";
	is_reply(
	    ask("POST", "/public/hello?a=1&b", "host: h\nx-y: z\n", "hi\"\n"),
	    200, "{}", "a public route is anybody's");
	is_str(
	    agent.tool, "POST /public/hello", "a route is called by its name");
	is_str(agent.args,
	    "{\"method\":\"POST\",\"path\":\"/public/hello\",\"query\":"
	    "\"a=1&b\",\"headers\":{\"host\":\"h\",\"content-length\":"
	    "\"4\",\"x-y\":\"z\"},\"path_params\":{},"
	    "\"identity\":null,\"body\":\"hi\\\"\\n\"}",
	    "a route is given the request");
	is_reply(ask("GET", "/public/other", "", "\xff\xfe"), 200, "{}",
	    "a path with a name in it is routed");
	ok(strstr(agent.args, "\"path_params\":{\"name\":\"other\"}") != NULL,
	    "a route is given the values of names in its path");
	ok(strstr(agent.args, "\"body_base64\":\"//4=\"") != NULL,
	    "a body that is no text is given in base64");
	is_reply(ask("GET", "/public/hello", "", ""), 200, "{}",
	    "fixed text goes before a name");
	is_str(agent.tool, "GET /public/hello",
	    "the route with fixed text is called before one with a name");
	is_reply(ask("GET", "/public/y-x", "", ""), 500, NULL,
	    "two equally good routes are an error");
	is_reply(ask("GET", "/public/a%20b%252f", "", ""), 200, "{}",
	    "a path is decoded");
	ok(strstr(agent.args, "\"path\":\"/public/a b%2f\"") &&
		strstr(agent.args, "\"path_params\":{\"name\":\"a b%2f\"}"),
	    "a path is decoded only once");
	is_reply(ask("GET", "/public/%68ello", "", ""), 200, "{}",
	    "fixed text may be escaped");
	is_str(agent.tool, "GET /public/hello",
	    "an escaped fixed text calls its route");
	is_reply(ask("GET", "/public/..%2f", "", ""), 404, NULL,
	    "a name does not stand for an escaped slash");
	is_reply(ask("GET", "/public/%C3%28", "", ""), 200, "{}",
	    "a path that is no UTF-8 is decoded");
	ok(strstr(agent.args, "{\"name\":\"\xef\xbf\xbd(\"}") != NULL,
	    "bytes of a path that are no UTF-8 become U+FFFD");
	is_reply(ask("GET", "/public/a%00b", "", ""), 400,
	    "{\"error\":\"the path holds a NUL (%00)\"}",
	    "a path with a NUL is refused");
	is_reply(ask("GET", "/public/a/b", "", ""), 404,
	    "{\"error\":\"not found\"}", "a path without a route is 404");
	is_reply(ask("POST", "/public/other", "", ""), 405, NULL,
	    "another method of a path with a route is 405");
	is_reply(
	    ask("HEAD", "/public/other", "", ""), 200, "", "HEAD has no body");
	ok(strstr(agent.args, "{\"method\":\"GET\"") != NULL,
	    "a route is called with GET for HEAD");
	is_reply(ask("DELETE", "/public/a/b", "", ""), 404, NULL,
	    "no method of what is not there is found");
	is_reply(ask("GET", "/input", "", ""), 404, NULL,
	    "a route elsewhere is left out");
	ok(agent.opened == 1, "all calls share one session");
}

static const struct {
	const char *name;
	const char *level;
	const char *path;
	const char *headers;
	int status;
	const char *body;
} who[] = {
    {"a contact calls a route for contacts", "contact", "/contacts/list",
	SIGNED, 200, NULL},
    {"an admin calls a route for contacts", "admin", "/contacts/list", SIGNED,
	200, NULL},
    {"a stranger is refused a route for contacts", "stranger", "/contacts/list",
	SIGNED, 403, "{\"error\":\"forbidden: contacts only\"}"},
    {"a blocked client is refused a route for contacts", "blocked",
	"/contacts/list", SIGNED, 403, NULL},
    {"an admin calls a route for admins", "admin", "/admin/list", SIGNED, 200,
	NULL},
    {"a contact is refused a route for admins", "contact", "/admin/list",
	SIGNED, 403, "{\"error\":\"forbidden: admin only\"}"},
    {"an unsigned request is refused a route for admins", "admin",
	"/admin/list", "", 401,
	"{\"error\":\"unauthorized: request id required\"}"},
    {"a request with a wrong time is refused", "admin", "/admin/list",
	"x-co-timestamp: x\nx-co-request-id: 7\n", 401,
	"{\"error\":\"unauthorized: malformed signature headers\"}"},
    {"a request with a bad signature is refused", "admin", "/admin/list",
	"x-co-from: " ANNA "\nx-co-signature: bad\nx-co-request-id: 7\n", 401,
	"{\"error\":\"unauthorized: invalid signature\"}"},
};

static void test_audience(void)
{
	agent.answer = "{\"text\":\"yes\"}";
	for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
		fake_access_level(access_, who[i].level);
		is_reply(ask("GET", who[i].path, who[i].headers, ""),
		    who[i].status, who[i].body, who[i].name);
	}
	fake_access_level(access_, "admin");
	struct http_req *req = ask("GET", "/admin/list", SIGNED, "");
	ok(strstr(agent.args, "\"identity\":\"" ANNA "\"") != NULL,
	    "the agent is told who signed the request");
	fake_http_free(&req);
}

/* ---- replies ---- */

static const struct {
	const char *name;
	const char *answer;
	int status;
	const char *type;
	const char *headers;
	const char *body;
} replies[] = {
    {"a text is sent", "{\"text\":\"a\"}", 200, "text/plain; charset=utf-8", "",
	"a"},
    {"bytes are sent", "{\"type\":\"x/y\",\"base64\":\"YWI=\"}", 200, "x/y", "",
	"ab"},
    {"bytes that are no base64 are not sent", "{\"base64\":\"Y\"}", 204, "", "",
	""},
    {"an empty answer is 204", "{}", 204, "", "", ""},
    {"a status is sent", "{\"status\":404,\"text\":\"no\"}", 404,
	"text/plain; charset=utf-8", "", "no"},
    {"headers are sent",
	"{\"headers\":{\"X-A\":\"b\",\"Content-Length\":\"9\"}}", 204, "",
	"x-a: b\n", ""},
    {"a header of two lines is refused",
	"{\"headers\":{\"x-a\":\"b\\r\\nc: d\"}}", 500, "application/json", "",
	NULL},
    {"a header without a name is not sent",
	"{\"headers\":{\"\":\"b\"},\"text\":\"a\"}", 200,
	"text/plain; charset=utf-8", "", "a"},
    {"a wrong status is refused", "{\"status\":99}", 500, "application/json",
	"", NULL},
    {"a body is not sent with 204", "{\"status\":204,\"text\":\"a\"}", 204, "",
	"", ""},
    {"an answer that is no object is refused", "7", 500, "application/json", "",
	NULL},
    {"an answer that is no JSON is refused", "x", 500, "application/json", "",
	NULL},
    {"a failed call is 500", NULL, 500, "application/json", "",
	"{\"error\":\"Unable to run agent\",\"code\":-32603}"},
};

static void test_replies(void)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		agent.answer = replies[i].answer;
		struct http_req *req = ask("GET", "/public/hello", "", "");
		struct fake_reply *r = fake_http_reply(req);
		is_str(r->type.data, replies[i].type, "%s: the type",
		    replies[i].name);
		is_str(r->headers.data, replies[i].headers, "%s: the headers",
		    replies[i].name);
		is_reply(
		    req, replies[i].status, replies[i].body, replies[i].name);
	}
}

static void test_leaving(void)
{
	agent.answer = "{}";
	struct http_req *req =
	    fake_http_send(http, "GET", "/public/hello", "", "");
	fake_http_leave(req);
	answer();
	ok(fake_http_reply(req)->status == 0,
	    "the handler of a client that left goes on, and tells nobody");
	fake_http_free(&req);
	agent.is_full = true;
	is_reply(ask("GET", "/public/hello", "", ""), 503, NULL,
	    "too many at once are refused");
	agent.is_full = false;
	api_publish_close_all();
	ok(agent.opened == 0,
	    "closing all calls closes the session of the agent");
	is_reply(ask("GET", "/public/hello", "", ""), 503, NULL,
	    "no route is called after closing all calls");
}

int main(void)
{
	log_threshold(LOG_ERROR);
	access_ = fake_access();
	setup.access = access_;
	http = fake_http_new();
	api_publish_mount(http, &setup, routes);
	test_calling();
	test_audience();
	test_replies();
	test_leaving();
	free(agent.tool);
	free(agent.args);
	fake_http_end(&http);
	fake_access_free(&access_);
	return done();
}
