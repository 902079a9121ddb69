/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The HTTP door over a server and sessions in memory. */
#include "api/api.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_files.h"
#include "t/unit/fake_http.h"
#include "t/unit/fake_session.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define SSE "accept: text/event-stream\n"

static struct conf conf;
static struct http *http;
static struct sessions *all;
static struct access *access_;
static struct heritage *heritage;
static struct door_setup setup;

static const char *const tools[] = {"calculate", "greet", NULL};
static const struct agent_about about = {
    .name = "demo",
    .model = "none",
    .tools = tools,
};

/* ---- helpers ---- */

/* The fake has no list of its own. Each part of this one has one row. */
int session_list(struct sessions *sessions, const struct session_query *query,
    void (*fn)(const struct session_record *r, void *arg), void *arg,
    uint64_t *next, struct err *err)
{
	static const struct session_record rows[] = {
	    {.id = "b", .caller = "", .status = "running", .created_ms = 1500},
	    {.id = "a", .caller = "", .status = "done", .created_ms = 1000},
	};
	(void)sessions;
	(void)err;
	*query->n_seen = 1;
	*next = query->before + 1 < sizeof rows / sizeof *rows
		    ? query->before + 1
		    : 0;
	fn(&rows[query->before], arg);
	return 0;
}

static void restart(void)
{
	if (all)
		fake_session_free(&all);
	all = fake_session_all();
	setup.sessions = all;
}

static struct http_req *post(const char *headers, const char *body)
{
	struct http_req *req =
	    fake_http_send(http, "POST", "/input", headers, body);
	fake_access_run(access_);
	return req;
}

static struct http_req *get(const char *target, const char *headers)
{
	struct http_req *req = fake_http_send(http, "GET", target, headers, "");
	fake_access_run(access_);
	return req;
}

static const char *body_of(struct http_req *req)
{
	return fake_http_reply(req)->body.data;
}

static void is_reply(
    struct http_req *req, int status, const char *body, const char *name)
{
	struct fake_reply *r = fake_http_reply(req);
	bool is_good = r->is_ended && r->status == status &&
		       (!body || !strcmp(r->body.data, body));
	ok(is_good, "%s", name);
	if (!is_good)
		printf("# got %d %s\n# want %d %s\n", r->status, r->body.data,
		    status, body ? body : "");
}

/* A whole event in a stream. */
static bool has_event(struct http_req *req, const char *event)
{
	bool is_there = strstr(body_of(req), event) != NULL;
	if (!is_there)
		printf("# no %s in %s\n", event, body_of(req));
	return is_there;
}

/* ---- what is refused ---- */

#define UNSIGNED "{\"error\":\"unauthorized: signed request required\"}"

static const struct {
	const char *name;
	const char *headers;
	const char *body;
	int status;
	const char *want;
} refusals[] = {
    {"bad JSON", "", "{", 400, "{\"error\":\"Invalid JSON\"}"},
    {"an array", "", "[]", 400, "{\"error\":\"Invalid JSON\"}"},
    {"null", "", "null", 400, "{\"error\":\"Invalid JSON\"}"},
    {"an empty body", "", "", 400, "{\"error\":\"prompt required\"}"},
    {"an empty prompt", "", "{\"prompt\":\"\"}", 400,
	"{\"error\":\"prompt required\"}"},
    {"a prompt that is a number", "", "{\"prompt\":7}", 400,
	"{\"error\":\"prompt required\"}"},
    {"a payload of null", "", "{\"prompt\":\"x\",\"payload\":null}", 401,
	UNSIGNED},
    {"a payload without signature", "", "{\"prompt\":\"x\",\"payload\":{}}",
	401, UNSIGNED},
    {"a from", "", "{\"prompt\":\"x\",\"from\":5}", 401, UNSIGNED},
    {"a signature", "", "{\"prompt\":\"x\",\"signature\":\"\"}", 401, UNSIGNED},
    {"an x-co header", "x-co-from: 0x1\n", "{\"prompt\":\"x\"}", 401, UNSIGNED},
    {"a session that is a string", "", "{\"prompt\":\"x\",\"session\":\"s\"}",
	400, "{\"error\":\"session must be an object\"}"},
    {"an input_id that is a number", "", "{\"prompt\":\"x\",\"input_id\":1}",
	400, "{\"error\":\"input_id must be a string of 1 to 255 bytes\"}"},
    {"an empty input_id", "", "{\"prompt\":\"x\",\"input_id\":\"\"}", 400,
	"{\"error\":\"input_id must be a string of 1 to 255 bytes\"}"},
    {"a broken key", "idempotency-key: \"a\\b\"\n", "{\"prompt\":\"x\"}", 400,
	"{\"error\":\"Idempotency-Key must be a string of 1 to 255 bytes\"}"},
    {"a key without its end", "idempotency-key: \"a\n", "{\"prompt\":\"x\"}",
	400,
	"{\"error\":\"Idempotency-Key must be a string of 1 to 255 bytes\"}"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct http_req *req =
		    post(refusals[i].headers, refusals[i].body);
		char name[100];
		snprintf(name, sizeof(name), "input: %s is refused",
		    refusals[i].name);
		is_reply(req, refusals[i].status, refusals[i].want, name);
		fake_http_free(&req);
	}
}

static const struct {
	enum err_code code;
	const char *text;
	int status;
	const char *want;
} errors[] = {
    {ERR_BUSY, NULL, 409,
	"{\"error\":\"Session is busy\",\"code\":-32000,"
	"\"data\":{\"retryable\":true}}"},
    {ERR_REUSED, NULL, 422,
	"{\"error\":\"input_id reused with different input\"}"},
    {ERR_BAD_REQUEST, "Invalid file: 0", 400,
	"{\"error\":\"Invalid file: 0\"}"},
    {ERR_NO_SESSION, NULL, 404,
	"{\"error\":\"Session not found\",\"code\":-32002}"},
    {ERR_STORE, "mdb_put: /secret/path: no space", 503,
	"{\"error\":\"the store cannot take writes now; retry later\","
	"\"code\":-32603,\"data\":{\"retryable\":true}}"},
};

static void test_errors(void)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake_session_refuse(all, errors[i].code, errors[i].text);
		struct http_req *req = post("", "{\"prompt\":\"x\"}");
		fake_session_run(all);
		is_reply(req, errors[i].status, errors[i].want,
		    "input: a refusal of the session is told");
		fake_http_free(&req);
	}
	fake_session_full(all, ERR_FULL);
	struct http_req *req = post("", "{\"prompt\":\"x\"}");
	is_reply(req, 503, NULL, "input: a full server is 503");
	ok(strstr(fake_http_reply(req)->headers.data, "retry-after: 1") != NULL,
	    "input: with Retry-After");
	fake_http_free(&req);
	fake_session_full(all, ERR_OK);
	ok(fake_session_log(all)->opens == 0, "input: no session stays open");
}

/* ---- a turn ---- */

#define TALK                                                      \
	"{\"session_id\":\"s\",\"messages\":[{\"role\":\"user\"," \
	"\"content\":\"x\"}],\"trace\":[],\"turn\":1}"

static void test_turn(void)
{
	restart();
	struct http_req *req = post(
	    "", "{\"prompt\":\"h\\u00e9\",\"session\":{\"session_id\":\"s\"}}");
	fake_session_run(all);
	struct session *s = fake_session_get(all, "s");
	ok(!fake_http_reply(req)->is_ended, "input: waits for its turn");
	fake_session_emit(s, EV_ASSISTANT, "m", "\"content\":\"...\"");
	fake_session_run(all);
	ok(!fake_http_reply(req)->is_ended, "input: other events are no end");
	fake_session_done(s, "a \"b\"", TALK);
	fake_session_run(all);
	is_reply(req, 200,
	    "{\"session_id\":\"s\",\"status\":\"done\",\"result\":\"a "
	    "\\\"b\\\"\",\"duration_ms\":12,\"session\":" TALK
	    ",\"chat_items\":[{\"type\":\"user\",\"id\":\"msg-0\","
	    "\"content\":\"x\"}],\"server_newer\":false}",
	    "input: the reply has all members of the document");
	fake_http_free(&req);
	ok(!strcmp(fake_session_log(all)->prompt, "h\xc3\xa9") &&
		!fake_session_log(all)->is_unscoped,
	    "input: the prompt is un-escaped, the session named");

	req = post("", "{\"prompt\":\"x\",\"session\":{\"session_id\":\"s\"}}");
	fake_session_run(all);
	fake_session_done(s, "2", TALK);
	fake_session_run(all);
	ok(strstr(body_of(req), "\"server_newer\":true}") != NULL,
	    "input: server_newer when the stored conversation wins");
	fake_http_free(&req);
	ok(fake_session_log(all)->opens == 0, "input: sessions are closed");
}

static void test_failure(void)
{
	struct http_req *req =
	    post("", "{\"prompt\":\"x\",\"session\":{\"session_id\":\"f\"}}");
	fake_session_run(all);
	fake_session_fail(fake_session_get(all, "f"), "exited");
	fake_session_run(all);
	is_reply(req, 500,
	    "{\"error\":\"Unable to run agent\",\"code\":-32603,"
	    "\"reason\":\"exited\",\"session_id\":\"f\"}",
	    "input: a failed turn is 500 with a reason word");
	fake_http_free(&req);
}

static void test_leaving(void)
{
	struct http_req *req =
	    post("", "{\"prompt\":\"x\",\"session\":{\"session_id\":\"l\"}}");
	fake_http_leave(req);
	fake_session_run(all);
	ok(session_status(fake_session_get(all, "l")) == SESSION_RUNNING,
	    "input: the turn of a client that left before the receipt runs");
	fake_http_free(&req);
	req = post("", "{\"prompt\":\"x\",\"session\":{\"session_id\":\"m\"}}");
	fake_session_run(all);
	fake_http_leave(req);
	fake_session_done(fake_session_get(all, "m"), "x", NULL);
	fake_session_run(all);
	ok(fake_session_log(all)->opens == 0,
	    "input: a client that left during the turn is forgotten");
	fake_http_free(&req);
	req = post("", "{\"prompt\":\"x\",\"session\":{\"session_id\":\"n\"}}");
	fake_session_run(all);
	api_door.close_all();
	is_reply(req, 500,
	    "{\"error\":\"server is leaving before the turn has ended; its "
	    "result will be in session n: look there before sending the input "
	    "again\",\"code\":-32603}",
	    "input: a client that waits when the process leaves is told where "
	    "the result will be");
	fake_http_free(&req);
}

static void test_repeated(void)
{
	static const char body[] = "{\"prompt\":\"x\",\"session\":"
				   "{\"session_id\":\"r\"}}";
	restart();
	struct http_req *one = post("idempotency-key: \"k\"\n", body);
	fake_session_run(all);
	struct http_req *two = post("idempotency-key: k\n", body);
	fake_session_run(all);
	ok(!fake_http_reply(two)->is_ended,
	    "repeat: waits for the first one's turn");
	fake_session_done(fake_session_get(all, "r"), "once", TALK);
	fake_session_run(all);
	ok(!strcmp(body_of(one), body_of(two)),
	    "repeat: both get the same answer");
	fake_http_free(&two);
	two = post("", "{\"prompt\":\"x\",\"input_id\":\"k\",\"session\":"
		       "{\"session_id\":\"r\"}}");
	fake_session_run(all);
	is_reply(two, 200, NULL, "repeat: after the end the first result");
	ok(strstr(body_of(two), "\"result\":\"once\"") != NULL,
	    "repeat: input_id and Idempotency-Key are one");
	fake_http_free(&one);
	fake_http_free(&two);
}

/* ---- event streams ---- */

static void test_input_stream(void)
{
	restart();
	struct http_req *req =
	    post(SSE, "{\"prompt\":\"x\",\"session\":{\"session_id\":\"s\"}}");
	fake_session_run(all);
	struct session *s = fake_session_get(all, "s");
	fake_session_emit(s, EV_ASSISTANT, "m", "\"content\":\n\r\"a\"");
	fake_session_run(all);
	ok(has_event(req,
	       "id: 7-1\nevent: input\ndata: {\"type\":\"input\","
	       "\"prompt\":\"p\",\"id\":\"in\",\"ts\":1702234567.123457,"
	       "\"session_id\":\"s\"}\n\n"),
	    "stream: control events are shown as they stand");
	ok(has_event(req, "id: 7-2\nevent: assistant\ndata: {\"type\":"
			  "\"assistant\",\"content\":  \"a\","),
	    "stream: line breaks between tokens become spaces");
	ok(!fake_http_reply(req)->is_ended,
	    "stream: the stream stays open until the end");
	fake_session_done(s, "fine", TALK);
	fake_session_run(all);
	ok(has_event(req, "id: 7-3\nevent: done\ndata: {\"type\":\"OUTPUT\","),
	    "stream: the end is the OUTPUT");
	ok(fake_http_reply(req)->is_ended,
	    "stream: the stream ends after the OUTPUT");
	fake_http_free(&req);
	ok(fake_session_log(all)->opens == 0, "stream: sessions are closed");
}

/* Two turns: events 1-3 and 4-6. */
static void make_two_turns(void)
{
	restart();
	struct session *s = fake_session_get(all, "s");
	for (int i = 0; i < 2; i++) {
		fake_session_begin(s, NULL);
		fake_session_emit(s, EV_ASSISTANT, "m", "\"content\":\"a\"");
		fake_session_done(s, "x", TALK);
	}
}

static const struct {
	const char *name;
	const char *target;
	const char *headers;
	int status;
	const char *first; /* how the stream begins after its hello */
	bool is_ended;
} streams[] = {
    {"from the latest turn", "/sessions/s/events", "", 200, "id: 7-4\n", true},
    {"from the oldest event", "/sessions/s/events?from=0", "", 200, "id: 7-1\n",
	true},
    {"from a position", "/sessions/s/events?from=4", "", 200, "id: 7-5\n",
	true},
    {"after Last-Event-ID", "/sessions/s/events", "last-event-id: 7-2\n", 200,
	"id: 7-3\n", true},
    {"Last-Event-ID wins over from", "/sessions/s/events?from=0",
	"last-event-id: 7-5\n", 200, "id: 7-6\n", true},
    {"nothing more", "/sessions/s/events", "last-event-id: 7-6\n", 204, NULL,
	true},
    {"of another epoch", "/sessions/s/events", "last-event-id: 8-2\n", 200,
	"event: reset\ndata: {\"recovered\":false}\n\nid: 7-4\n", true},
    {"of nonsense", "/sessions/s/events", "last-event-id: 7-2x\n", 200,
	"event: reset\n", true},
    {"of a position not reached", "/sessions/s/events", "last-event-id: 7-99\n",
	200, "event: reset\n", true},
    {"that follows", "/sessions/s/events?follow=1", "", 200, "id: 7-4\n",
	false},
    {"that follows from the end", "/sessions/s/events?x&follow=1",
	"last-event-id: 7-6\n", 200, "", false},
    {"of nobody", "/sessions/none/events", "", 404, NULL, true},
    {"signed", "/sessions/s/events", "x-co-from: 0x1\n", 401, NULL, true},
};

static void test_event_streams(void)
{
	static const char hello[] = "retry: 1000\n\n";
	make_two_turns();
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct http_req *req =
		    get(streams[i].target, streams[i].headers);
		fake_session_run(all);
		struct fake_reply *r = fake_http_reply(req);
		bool is_good = r->status == streams[i].status &&
			       r->is_ended == streams[i].is_ended;
		if (is_good && streams[i].first)
			is_good =
			    !strncmp(r->body.data, hello, strlen(hello)) &&
			    !strncmp(r->body.data + strlen(hello),
				streams[i].first, strlen(streams[i].first));
		ok(is_good, "event stream: %s", streams[i].name);
		if (!is_good)
			printf("# got %d %d %s\n", r->status, r->is_ended,
			    r->body.data);
		if (!r->is_ended)
			fake_http_leave(req);
		fake_http_free(&req);
	}
	ok(fake_session_log(all)->opens == 0, "events: sessions are closed");
}

static void test_gone(void)
{
	make_two_turns();
	struct session *s = fake_session_get(all, "s");
	fake_session_trim(s, 4);
	struct http_req *req =
	    get("/sessions/s/events", "last-event-id: 7-2\n");
	fake_session_run(all);
	ok(has_event(req, "event: reset\ndata: {\"recovered\":false}\n\n"
			  "id: 7-5\n"),
	    "events: a hole is told before what follows it");
	fake_http_free(&req);
	req = get("/sessions/s/events?from=0", "");
	fake_session_run(all);
	ok(!strstr(body_of(req), "reset"),
	    "events: all that is kept has no hole");
	fake_http_free(&req);
}

static void test_slow_reader(void)
{
	restart();
	struct session *s = fake_session_get(all, "s");
	struct buf big = {0};
	buf_str(&big, "\"content\":\"");
	for (int i = 0; i < 10000; i++)
		buf_char(&big, 'x');
	buf_char(&big, '"');
	fake_session_begin(s, NULL);
	struct http_req *req = get("/sessions/s/events", "");
	fake_http_stall(req, true);
	for (int i = 0; i < 200; i++) {
		fake_session_emit(s, EV_THINKING, "t", buf_cstr(&big));
		fake_session_run(all);
	}
	size_t waiting = fake_http_reply(req)->body.len;
	ok(waiting > 128 * 1024 && waiting < 512 * 1024,
	    "events: what waits for a slow reader is bounded");
	fake_session_done(s, "x", TALK);
	fake_session_run(all);
	fake_http_stall(req, false);
	fake_session_run(all);
	ok(fake_http_reply(req)->body.len > 200 * 10000 &&
		fake_http_reply(req)->is_ended,
	    "events: a slow reader gets all events in the end");
	fake_http_free(&req);
	fake_session_begin(s, NULL);
	fake_session_emit(s, EV_THINKING, "t", buf_cstr(&big));
	req = get("/sessions/s/events", "");
	fake_http_stall(req, true);
	fake_session_run(all);
	fake_http_pass(conf.slow_reader_timeout * 1000);
	ok(fake_http_reply(req)->is_ended,
	    "events: who takes nothing for slow_reader_timeout is cut");
	fake_http_free(&req);
	buf_fini(&big);
}

static void test_heartbeat(void)
{
	restart();
	struct session *s = fake_session_get(all, "s");
	fake_session_begin(s, NULL);
	struct http_req *req = get("/sessions/s/events", "");
	fake_session_run(all);
	fake_http_stall(req, false);
	fake_http_pass(15000);
	fake_http_pass(15000);
	size_t len = fake_http_reply(req)->body.len;
	ok(!strcmp(body_of(req) + len - 3, ":\n\n"),
	    "events: a quiet stream gets a comment");
	api_door.close_all();
	ok(fake_http_reply(req)->is_ended,
	    "events: streams end when the process leaves");
	fake_http_free(&req);
	ok(fake_session_log(all)->opens == 0, "events: nothing stays open");
}

/* ---- sessions ---- */

static void test_sessions(void)
{
	restart();
	struct session *s = fake_session_get(all, "a b");
	fake_session_begin(s, NULL);
	struct http_req *req = get("/sessions/a%20b", "");
	is_reply(req, 200, "{\"session_id\":\"a b\",\"status\":\"running\"}",
	    "sessions: a running one, its id escaped in the path");
	fake_http_free(&req);
	req = get("/sessions/a%2", "");
	is_reply(
	    req, 404, "{\"error\":\"not found\"}", "sessions: an unknown one");
	fake_http_free(&req);
	fake_session_done(s, "x", TALK);
	req = get("/sessions/a%20b", "");
	is_reply(req, 200,
	    "{\"session_id\":\"a b\",\"status\":\"done\",\"result\":null,"
	    "\"duration_ms\":0}",
	    "sessions: a finished one");
	fake_http_free(&req);
	req = get("/sessions/a%20b", "x-co-signature: x\n");
	is_reply(req, 401, NULL, "sessions: signed in part");
	fake_http_free(&req);
	req = get("/sessions", "");
	is_int(fake_http_reply(req)->status, 0,
	    "sessions: a list of two parts needs a second tick");
	fake_http_pass(0);
	is_reply(req, 200,
	    "{\"sessions\":[{\"session_id\":\"b\",\"status\":\"running\","
	    "\"created\":1.500},{\"session_id\":\"a\",\"status\":\"done\","
	    "\"created\":1.000}]}",
	    "sessions: the list has nobody's own");
	fake_http_free(&req);
	req = get("/sessions", "");
	fake_http_leave(req);
	fake_http_pass(0);
	is_int(fake_http_reply(req)->status, 0,
	    "sessions: a list ends with its client");
	fake_http_free(&req);
	fake_http_loopback(false);
	fake_access_close(access_, true);
	req = get("/sessions", "");
	is_reply(req, 401,
	    "{\"error\":\"unauthorized: 'from' field required\"}",
	    "sessions: no list for strangers");
	fake_http_free(&req);
	fake_http_loopback(true);
	fake_access_close(access_, false);
}

/* ---- the server itself ---- */

static void test_info(void)
{
	heritage->started_ms = clock_wall_ms() - 3700;
	heritage->started_boot_ms = clock_boot_ms() - 3700;
	struct http_req *req = get("/health", "");
	is_reply(req, 200,
	    "{\"status\":\"healthy\",\"agent\":\"Jo \\\"x\\\"\",\"uptime\":3}",
	    "the uptime in /health is the master's");
	fake_http_free(&req);
	req = get("/livez", "");
	is_reply(req, 200, "{\"status\":\"alive\"}", "GET /livez says alive");
	fake_http_free(&req);
	req = get("/info", "");
	ok(strstr(body_of(req),
	       "{\"name\":\"Jo \\\"x\\\"\",\"address\":\"0xabc\",\"tools\":"
	       "[\"calculate\",\"greet\"],\"model\":\"none\","
	       "\"trust\":\"careful\",\"version\":\"") == body_of(req),
	    "/info says who the agent is");
	ok(strstr(body_of(req), "\"skills\":[],\"accepted_inputs\":{\"text\":"
				"true,\"images\":true,\"files\":{"
				"\"max_file_size_mb\":10,"
				"\"max_files_per_request\":10}},") != NULL,
	    "info: what it takes");
	ok(strstr(fake_http_reply(req)->headers.data,
	       "cache-control: no-store") != NULL,
	    "info: is not cached");
	fake_http_free(&req);
	req = get("/docs", "");
	ok(strstr(body_of(req), "</html>") != NULL &&
		!strcmp(fake_http_reply(req)->type.data,
		    "text/html; charset=utf-8"),
	    "docs: a page");
	ok(!strstr(body_of(req), "<script>") &&
		strstr(fake_http_reply(req)->headers.data,
		    "script-src 'self';") != NULL,
	    "docs: the policy runs scripts that are files of ours");
	fake_http_free(&req);
	req = get("/metrics", "");
	ok(strstr(body_of(req), "\nprocess_cpu_seconds_total ") != NULL &&
		strstr(body_of(req), "\ncohostd_build_info{version=") != NULL,
	    "metrics: the server's own");
	fake_http_free(&req);
}

static void test_ready(void)
{
	struct http_req *req = get("/readyz", "");
	is_reply(req, 503, "{\"error\":\"not ready\",\"status\":\"not ready\"}",
	    "readyz: no without a worker");
	fake_http_free(&req);
	heritage->slots[1].kind = KIND_WORKER;
	heritage->slots[1].state = SLOT_SERVING;
	req = get("/readyz?verbose", "");
	is_reply(req, 503,
	    "{\"error\":\"not ready\",\"status\":\"not ready\",\"checks\":{"
	    "\"serving\":\"ok\",\"store\":\"ok\",\"workers\":\"ok\","
	    "\"disk\":\"ok\",\"journal\":\"ok\",\"registry\":\"ok\","
	    "\"turns\":\"ok\",\"agent\":\"loading\"}}",
	    "readyz: no before its agent is loaded");
	fake_http_free(&req);
	heritage->slots[2].kind = KIND_WORKER;
	heritage->slots[2].state = SLOT_SERVING;
	heritage->slots[2].load = AGENT_LOADED;
	req = get("/readyz?verbose", "");
	ok(strstr(fake_http_reply(req)->body.data, "\"agent\":\"loading\""),
	    "readyz: no before the agent is loaded in every worker");
	fake_http_free(&req);
	heritage->slots[2].state = SLOT_DRAINING;
	heritage->slots[1].load = AGENT_BROKEN;
	req = get("/readyz?verbose", "");
	ok(strstr(fake_http_reply(req)->body.data, "\"agent\":\"failed\""),
	    "readyz: an agent that could not be loaded is failed");
	fake_http_free(&req);
	heritage->slots[1].load = AGENT_LOADED;
	req = get("/readyz", "");
	is_reply(req, 200, "{\"status\":\"ready\"}", "readyz: yes with one");
	fake_http_free(&req);
	heritage->store_refuses = 1;
	req = get("/readyz", "");
	is_reply(req, 503, "{\"error\":\"not ready\",\"status\":\"not ready\"}",
	    "readyz: no while the store takes no writes");
	fake_http_free(&req);
	heritage->store_refuses = 0;
	heritage->slots[1].pulses[PULSE_FACTS].state = PULSE_WAITING;
	heritage->slots[1].pulses[PULSE_FACTS].at_us =
	    clock_steady_us() - 6000000;
	req = get("/readyz", "");
	is_reply(req, 503, "{\"error\":\"not ready\",\"status\":\"not ready\"}",
	    "readyz: no while a commit waits for long");
	fake_http_free(&req);
	heritage->slots[1].pulses[PULSE_FACTS].state = PULSE_IDLE;
	api_server.drain();
	req = get("/readyz?verbose", "");
	is_reply(req, 503,
	    "{\"error\":\"not ready\",\"status\":\"not ready\",\"checks\":{"
	    "\"serving\":\"failed\",\"store\":\"ok\",\"workers\":\"ok\","
	    "\"disk\":\"ok\",\"journal\":\"ok\",\"registry\":\"ok\","
	    "\"turns\":\"ok\",\"agent\":\"ok\"}}",
	    "readyz: no when draining");
	fake_http_free(&req);
}

static void start(void)
{
	static char address[] = "0xabc";
	conf_init(&conf);
	free(conf.address);
	conf.address = mem_strdup(address);
	heritage = mem_zero(sizeof(*heritage));
	setup.conf = &conf;
	setup.about = &about;
	setup.heritage = heritage;
	setup.access = access_ = fake_access();
	setup.name = "Jo \"x\"";
	restart();
	http = fake_http_new();
	api_server.mount(http, &setup);
	api_door.mount(http, &setup);
}

int main(void)
{
	start();
	test_refusals();
	test_errors();
	test_turn();
	test_failure();
	test_leaving();
	test_repeated();
	test_input_stream();
	test_event_streams();
	test_gone();
	test_slow_reader();
	test_heartbeat();
	test_sessions();
	test_info();
	test_ready();
	fake_http_end(&http);
	fake_session_free(&all);
	fake_access_free(&access_);
	conf_fini(&conf);
	free(heritage);
	return done();
}
