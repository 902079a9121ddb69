/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The ways to an agent: forms of URLs, and the choice among endpoints. */
#include "connect/way.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static void knows_forms(void)
{
	static const struct {
		const char *url, *base, *socket;
	} cases[] = {
	    {"http://h:8000", "http://h:8000", "ws://h:8000/ws"},
	    {"http://h:8000/", "http://h:8000", "ws://h:8000/ws"},
	    {"https://h", "https://h", "wss://h/ws"},
	    {"https://h:443/", "https://h", "wss://h/ws"},
	    {"ws://h:8000/ws", "http://h:8000", "ws://h:8000/ws"},
	    {"wss://h/agents/one/ws/", "https://h/agents/one",
		"wss://h/agents/one/ws"},
	    {"http://[::1]:8000/x?y=z", "http://[::1]:8000/x",
		"ws://[::1]:8000/x/ws"},
	    {"ftp://h/", NULL, NULL},
	    {"h:8000", NULL, NULL},
	};

	for (size_t i = 0; i < N(cases); i++) {
		char *base = way_base(cases[i].url);
		char *socket = way_socket(cases[i].url);
		is_str(base, cases[i].base, "%s has a base", cases[i].url);
		is_str(
		    socket, cases[i].socket, "%s has a socket", cases[i].url);
		free(base);
		free(socket);
	}
	char *http = way_relay_http("wss://relay/a", "/api/agents/0x1");
	char *input = way_relay_socket("ws://relay:1", "/ws/input");
	is_str(http, "https://relay/a/api/agents/0x1",
	    "a relay is asked over HTTP");
	is_str(input, "ws://relay:1/ws/input", "a relay has a tunnel");
	free(http);
	free(input);
}

static void chooses(void)
{
	static const struct {
		const char *name, *endpoints;
		bool takes_clear;
		const char *want;
	} cases[] = {
	    {"nothing", "[]", true, ""},
	    {"no list", "{\"a\":\"http://h\"}", true, ""},
	    {"no texts", "[1,null,[\"http://h\"],{}]", true, ""},
	    {"sockets", "[\"ws://h/ws\",\"wss://h/ws\"]", true, ""},
	    {"the close ones first",
		"[\"http://8.8.8.8\",\"http://192.168.1.2:8000\","
		"\"http://localhost:1\",\"http://10.0.0.1\"]",
		true,
		"http://localhost:1 http://192.168.1.2:8000 http://10.0.0.1 "
		"http://8.8.8.8"},
	    {"TLS before clear",
		"[\"http://h\",\"https://h\",\"http://10.1.1.1\","
		"\"https://10.1.1.1\"]",
		true, "https://10.1.1.1 http://10.1.1.1 https://h http://h"},
	    {"what only looks private",
		"[\"http://110.1.2.3\",\"http://172.32.0.1\","
		"\"http://172.31.0.1\",\"http://127.0.0.1.example\"]",
		true,
		"http://172.31.0.1 http://110.1.2.3 http://172.32.0.1 "
		"http://127.0.0.1.example"},
	    {"TLS alone", "[\"http://localhost\",\"https://h\"]", false,
		"https://h"},
	    {"each once", "[\"http://h/\",\"http://h\",\"http://H:80/ws\"]",
		true, "http://h"},
	    {"no password", "[\"http://me:word@h\"]", true, ""},
	    {"the best eight",
		"[\"http://a\",\"http://b\",\"http://c\",\"http://d\","
		"\"http://e\",\"http://f\",\"http://g\",\"http://h\","
		"\"http://i\",\"https://j\",\"http://[::1]\"]",
		true,
		"http://[::1] https://j http://a http://b http://c http://d "
		"http://e http://f"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct buf text = {0}, got = {0};
		struct json_doc doc = {0};
		struct json_error why;
		char *bases[WAY_MAX];

		buf_printf(&text, "{\"endpoints\":%s}", cases[i].endpoints);
		size_t n = way_choose(bases,
		    json_parse(&doc, text.data, text.len, 0, &why),
		    cases[i].takes_clear);
		for (size_t j = 0; j < n; j++) {
			buf_printf(&got, "%s%s", j ? " " : "", bases[j]);
			free(bases[j]);
		}
		is_str(buf_cstr(&got), cases[i].want,
		    "of endpoints, %s: they are chosen", cases[i].name);
		buf_fini(&text);
		buf_fini(&got);
		json_fini(&doc);
	}
}

int main(void)
{
	knows_forms();
	chooses();
	return done();
}
