/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Results of tools of MCP servers as text. */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "mcp/mcp_content.h"

#include <stdlib.h>

#define TEXT(s) "{\"type\":\"text\",\"text\":\"" s "\"}"

static const struct {
	const char *title, *result, *want;
	bool is_error;
} cases[] = {
    {"a text is shown as it is",
	"{\"content\":[" TEXT("a\\nb") "],\"isError\":false,"
				       "\"structuredContent\":{\"result\":1}}",
	"a\nb", false},
    {"texts are one below the other",
	"{\"content\":[" TEXT("a") "," TEXT("b") "]}", "a\nb", false},
    {"an error of a tool is one for the model",
	"{\"content\":[" TEXT("it broke") "],\"isError\":true}", "it broke",
	true},
    {"a result that is structured only is shown as JSON",
	"{\"content\":[],\"structuredContent\":{\"a\":\n[1]}}", "{\"a\": [1]}",
	false},
    {"a result without content is empty", "{}", "", false},
    {"content that is no list is none", "{\"content\":{\"type\":\"text\"}}", "",
	false},
    {"a picture is noted, with its size",
	"{\"content\":[{\"type\":\"image\",\"mimeType\":\"image/png\","
	"\"data\":\"aGVsbG8=\"}]}",
	"[image (image/png) of 5 bytes, not shown]", false},
    {"a picture that is repeated as structured content is noted once",
	"{\"content\":[{\"type\":\"image\",\"data\":\"aGVsbG8=\"}],"
	"\"structuredContent\":{\"type\":\"image\",\"data\":\"aGVsbG8=\"}}",
	"[image of 5 bytes, not shown]", false},
    {"pictures that are repeated as a list are noted once",
	"{\"content\":[{\"type\":\"image\",\"data\":\"aGVsbG8=\"}],"
	"\"structuredContent\":{\"result\":[{\"type\":\"image\","
	"\"data\":\"aGVsbG8=\"}]}}",
	"[image of 5 bytes, not shown]", false},
    {"structured content beside a picture is shown",
	"{\"content\":[{\"type\":\"image\",\"data\":\"aGVsbG8=\"}],"
	"\"structuredContent\":{\"width\":3}}",
	"[image of 5 bytes, not shown]\n{\"width\":3}", false},
    {"a sound is noted",
	"{\"content\":[{\"type\":\"audio\",\"data\":\"aGVsbG8=\"}]}",
	"[audio of 5 bytes, not shown]", false},
    {"an embedded text has its address above it",
	"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":"
	"\"file:///a\",\"mimeType\":\"text/plain\",\"text\":\"hi\"}}]}",
	"[resource file:///a (text/plain)]\nhi", false},
    {"an embedded binary resource is noted",
	"{\"content\":[{\"type\":\"resource\",\"resource\":{\"uri\":"
	"\"file:///a\",\"blob\":\"aGVsbG8=\"}}]}",
	"[resource file:///a]\n[binary data of 5 bytes, not shown]", false},
    {"a link is shown with its description",
	"{\"content\":[{\"type\":\"resource_link\",\"uri\":\"file:///a\","
	"\"name\":\"A\",\"description\":\"the first\"}]}",
	"[resource file:///a (A)] the first", false},
    {"content of a type that comes later is noted",
	"{\"content\":[{\"type\":\"smell\"}," TEXT("a") "]}",
	"[content of an unknown type]\na", false},
};

static void test_forms(void)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf got = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].result;

		buf_reset(&got);
		ok(mcp_content_put(&got,
		       json_parse(&doc, text, strlen(text), 0, &why),
		       1000) != cases[i].is_error,
		    "%s (whether it succeeded)", cases[i].title);
		is_str(buf_cstr(&got), cases[i].want, "%s", cases[i].title);
	}
	buf_fini(&got);
	json_fini(&doc);
}

static void test_limit(void)
{
	struct buf text = {0};

	buf_str(&text, "head");
	for (int i = 0; i < 50; i++)
		buf_str(&text, "\xc3\xa4");
	ok(!mcp_content_cut(&text, 4, 100),
	    "a result of just the maximum size is not cut");
	ok(mcp_content_cut(&text, 4, 99), "a longer result is cut");
	ok(text.len <= 4 + 99, "a cut result is within the maximum");
	ok(memmem(text.data, text.len, "[cut: 100 bytes in all]", 23) != NULL,
	    "a cut result says how long it was");
	for (size_t max = 60; max < 100; max++) {
		struct json_doc doc = {0};
		struct json_error why;
		struct buf json = {0};
		struct buf again = {0};
		buf_append(&again, "head", 4);
		for (int i = 0; i < 50; i++)
			buf_str(&again, "\xc3\xa4");
		(void)mcp_content_cut(&again, 4, max);
		buf_char(&json, '"');
		for (size_t i = 0; i < again.len; i++)
			buf_char(
			    &json, again.data[i] == '\n' ? ' ' : again.data[i]);
		buf_char(&json, '"');
		if (!json_parse(&doc, json.data, json.len, 0, &why))
			ok(false, "a result cut at %zu bytes is UTF-8", max);
		json_fini(&doc);
		buf_fini(&json);
		buf_fini(&again);
	}
	buf_fini(&text);
}

int main(void)
{
	test_forms();
	test_limit();
	return done();
}
