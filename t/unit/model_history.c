/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/json.h"
#include "model/history.h"

#define CALL(id)                                                           \
	"{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":" \
	"\"f\",\"arguments\":\"{}\"}}"
#define RESULT(id, text)                                                     \
	"{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"" text \
	"\"}"
#define IMAGE(url) \
	"{\"type\":\"image_url\",\"image_url\":{\"url\":\"" url "\"}}"
#define TEXT "{\"type\":\"text\",\"text\":\"a\"}"
#define OF_USER(content) "[{\"role\":\"user\",\"content\":" content "}]"
#define USER "{\"role\":\"user\",\"content\":\"a\"}"

static const struct {
	const char *title, *in, *want;
} cases[] = {
    {"a user's message keeps role and content only",
	"[{\"role\":\"user\",\"content\":\"a\",\"id\":7,\"ts\":1}]",
	"[" USER "]"},
    {"content in parts stays as it is",
	"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}"
	"]",
	"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}"
	"]"},
    {"values that are no parts are left out", OF_USER("[1,null," TEXT ",{}]"),
	OF_USER("[" TEXT "]")},
    {"parts of an unknown type are left out",
	OF_USER("[{\"type\":\"audio\"}," TEXT "]"), OF_USER("[" TEXT "]")},
    {"an image as data is kept", OF_USER("[" IMAGE("data:image/x,y") "]"),
	OF_USER("[" IMAGE("data:image/x,y") "]")},
    {"an image behind https: is kept", OF_USER("[" IMAGE("HTTPS://h/x") "]"),
	OF_USER("[" IMAGE("HTTPS://h/x") "]")},
    {"a file of the model's server is left out",
	OF_USER("[" IMAGE("file:///x") "," TEXT "]"), OF_USER("[" TEXT "]")},
    {"a neighbour of the model's server is left out",
	OF_USER("[" IMAGE("http://h/x") "," TEXT "]"), OF_USER("[" TEXT "]")},
    {"data that is no image is left out",
	OF_USER("[" IMAGE("data:text/html,x") "," TEXT "]"),
	OF_USER("[" TEXT "]")},
    {"content without any part that counts is empty",
	OF_USER("[" IMAGE("file:///x") "]"), OF_USER("\"\"")},
    {"content that is null beside calls becomes empty",
	"[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALL(
	    "1") "]}," RESULT("1", "r") "]",
	"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[" CALL(
	    "1") "]}," RESULT("1", "r") "]"},
    {"a call without its result is interrupted",
	"[{\"role\":\"assistant\",\"tool_calls\":[" CALL("1") "," CALL(
	    "2") "]}," RESULT("2", "r") "," USER "]",
	"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[" CALL(
	    "1") "," CALL("2") "]}," RESULT("1",
	    HISTORY_INTERRUPTED) "," RESULT("2", "r") "," USER "]"},
    {"a result that answers no call is left out",
	"[" RESULT("9", "r") "," USER "]", "[" USER "]"},
    {"an assistant message without text and calls is left out",
	"[{\"role\":\"assistant\",\"content\":\"\"}," USER "]", "[" USER "]"},
    {"a call without an id is left out",
	"[{\"role\":\"assistant\",\"content\":\"x\",\"tool_calls\":[{"
	"\"function\":{\"name\":\"f\"}}]}]",
	"[{\"role\":\"assistant\",\"content\":\"x\"}]"},
    {"a call without arguments gets an empty object",
	"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"function\":{"
	"\"name\":\"f\"}}]}," RESULT("1", "r") "]",
	"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[" CALL(
	    "1") "]}," RESULT("1", "r") "]"},
    {"what a provider wants back with a call is kept",
	"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"function\":{"
	"\"name\":\"f\"},\"extra_content\":{\"g\":[1]}}]}," RESULT(
	    "1", "r") "]",
	"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":"
	"\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
	"\"arguments\":\"{}\"},\"extra_content\":{\"g\":[1]}}]}," RESULT(
	    "1", "r") "]"},
    {"messages of other roles are left out",
	"[{\"role\":\"internal\",\"content\":\"x\"},7,null," USER "]",
	"[" USER "]"},
    {"no messages are an empty array", "[]", "[]"},
    {"what is no array is an empty array", "{\"role\":\"user\"}", "[]"},
};

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_doc doc = {0};
		struct json_error error;
		struct buf got = {0};
		history_write(&got, json_parse(&doc, cases[i].in,
					strlen(cases[i].in), 0, &error));
		is_str(buf_cstr(&got), cases[i].want, "%s", cases[i].title);
		json_fini(&doc);
		buf_fini(&got);
	}
	return done();
}
