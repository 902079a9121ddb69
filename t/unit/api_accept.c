/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Which Accept headers ask POST /input for events. */
#include "api/api_accept.h"

#include "t/unit/fake_http.h"
#include "t/unit/tap.h"

#include "net/http.h"

static bool is_stream;

static void on_request(struct http_req *req, void *arg)
{
	(void)arg;
	is_stream = api_accept_is_stream(req);
	http_reply(req, 204, NULL, "", 0);
}

int main(void)
{
	static const struct {
		const char *headers;
		bool is_stream;
	} cases[] = {
	    {"", false},
	    {"accept: \n", false},
	    {"accept: */*\n", false},
	    {"accept: application/json\n", false},
	    {"accept: text/event-stream\n", true},
	    {"accept: Text/Event-Stream; charset=utf-8\n", true},
	    {"accept: text/event-stream;q=0\n", false},
	    {"accept: text/event-stream;q=0.0, */*\n", false},
	    {"accept: text/event-stream;q=0.5, application/json\n", false},
	    {"accept: application/json;q=0.5, text/event-stream\n", true},
	    {"accept: application/json, text/event-stream\n", true},
	    {"accept: application/json;q=0.8 , text/event-stream; q=0.8\n",
		true},
	    {"accept: text/event-stream, */*;q=0.1\n", true},
	    {"accept: text/html,application/xml;q=0.9,*/*;q=0.8\n", false},
	    {"accept: text/*\n", true},
	    {"accept: text/*;q=0.3, application/json;q=0.4\n", false},
	    {"accept: text/*, text/event-stream;q=0, */*;q=0.1\n", false},
	    {"accept: x-text/event-streams\n", false},
	    {"accept: text/event-stream;q=2\n", false},
	    {"accept: text/event-stream;q=0.1234\n", false},
	    {"accept: text/event-stream;q=x\n", false},
	    {"accept: text/event-stream;v=1;Q=0\n", false},
	    {"accept: ,,;;, text/event-stream,\n", true},
	    {"accept: application/json\naccept: text/event-stream\n", true},
	    {"accept: text/event-stream;q=0.1\naccept: application/json\n",
		false},
	};
	struct http *http = fake_http_new();
	http_route(http, "GET", "/", on_request, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_req *req =
		    fake_http_send(http, "GET", "/", cases[i].headers, "");
		ok(is_stream == cases[i].is_stream, "case %zu wants %s", i,
		    cases[i].is_stream ? "events" : "JSON");
		fake_http_free(&req);
	}
	fake_http_end(&http);
	return done();
}
