/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Questions of MCP servers to the user of a tool. */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "mcp/mcp_ask.h"

/* As the Python package mcp 2.3.0 asks. */
#define COLOUR                                                                 \
	"{\"message\":\"Which "                                                \
	"colour?\",\"mode\":\"form\",\"requestedSchema\":"                     \
	"{\"properties\":{\"colour\":{\"description\":\"Which one\",\"enum\":" \
	"[\"red\",\"green\"],\"title\":\"Colour\",\"type\":\"string\"},"       \
	"\"count\":{\"description\":\"How many\",\"minimum\":1,\"title\":"     \
	"\"Count\",\"type\":\"integer\"},\"note\":{\"title\":\"Note\","        \
	"\"type\":\"string\"}},\"required\":[\"colour\",\"count\"],"           \
	"\"type\":\"object\"}}"

#define FIELD(schema)                                                  \
	"{\"message\":\"?\",\"requestedSchema\":{\"type\":\"object\"," \
	"\"properties\":{\"x\":" schema "},\"required\":[\"x\"]}}"

#define MANY                                                             \
	"{\"type\":\"array\",\"items\":{\"anyOf\":[{\"const\":\"#f00\"," \
	"\"title\":\"Red\"},{\"const\":\"#0f0\",\"title\":\"Green, dark\"}]}}"

static const struct {
	const char *title, *params;
	const char *answers[5];
	const char *want;
} cases[] = {
    {"a form is filled in field by field", COLOUR,
	{"\"green\"", "\"3\"", "\"shiny\""},
	"{\"action\":\"accept\",\"content\":{\"colour\":\"green\",\"count\":3,"
	"\"note\":\"shiny\"}}"},
    {"an optional field may be left out", COLOUR,
	{"\"green\"", "\"3\"", "\"\""},
	"{\"action\":\"accept\",\"content\":{\"colour\":\"green\",\"count\":3}"
	"}"},
    {"an answer that does not fit is asked for again", COLOUR,
	{"\"blue\"", "\"red\"", "\"3.5\"", "\"3\"", "\"\""},
	"{\"action\":\"accept\",\"content\":{\"colour\":\"red\",\"count\":3}}"},
    {"three answers that do not fit end the question", COLOUR,
	{"\"blue\"", "\"NaN\"", "17"}, "{\"action\":\"cancel\"}"},
    {"the user may decline", COLOUR, {"\"red\"", "\"Decline\""},
	"{\"action\":\"decline\"}"},
    {"an empty answer declines what is required",
	FIELD("{\"type\":\"string\"}"), {"\"\""}, "{\"action\":\"decline\"}"},
    {"an answer that is no text declines what is required",
	FIELD("{\"type\":\"string\"}"), {"{}"}, "{\"action\":\"decline\"}"},
    {"truth values are Yes and No", FIELD("{\"type\":\"boolean\"}"), {"\"no\""},
	"{\"action\":\"accept\",\"content\":{\"x\":false}}"},
    {"a number may have a fraction", FIELD("{\"type\":\"number\"}"),
	{"\"-1e3\""}, "{\"action\":\"accept\",\"content\":{\"x\":-1e3}}"},
    {"a choice is known by its title",
	FIELD("{\"type\":\"string\",\"oneOf\":[{\"const\":\"#f00\",\"title\":"
	      "\"Red\"}]}"),
	{"\"Red\""}, "{\"action\":\"accept\",\"content\":{\"x\":\"#f00\"}}"},
    {"a choice is known by an older server's name",
	FIELD("{\"type\":\"string\",\"enum\":[\"a\",\"b\"],\"enumNames\":"
	      "[\"A\",\"B\"]}"),
	{"\"B\""}, "{\"action\":\"accept\",\"content\":{\"x\":\"b\"}}"},
    {"several choices come as a list", FIELD(MANY),
	{"[\"Red\",\"Green, dark\"]"},
	"{\"action\":\"accept\",\"content\":{\"x\":[\"#f00\",\"#0f0\"]}}"},
    {"several choices come as a text", FIELD(MANY), {"\"Green, dark, Red\""},
	"{\"action\":\"accept\",\"content\":{\"x\":[\"#0f0\",\"#f00\"]}}"},
    {"the longest of several choices counts",
	FIELD("{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"a, b\","
	      "\"b\"]}}"),
	{"\"a, b, a\""},
	"{\"action\":\"accept\",\"content\":{\"x\":[\"a, b\",\"a\"]}}"},
    {"a text that only begins with a choice is none of them", FIELD(MANY),
	{"\"Red, Greenish\"", "\"\""}, "{\"action\":\"decline\"}"},
    {"a text is passed on as it is", FIELD("{\"type\":\"string\"}"),
	{"\"a \\\"b\\\" \\u00e4\""},
	"{\"action\":\"accept\",\"content\":{\"x\":\"a \\\"b\\\" \xc3\xa4\"}}"},
    {"a form without fields is accepted", "{\"message\":\"Sure?\"}",
	{"\"accept\""}, "{\"action\":\"accept\",\"content\":{}}"},
    {"a form without fields is declined", "{\"message\":\"Sure?\"}",
	{"\"what?\""}, "{\"action\":\"decline\"}"},
    {"an address is accepted",
	"{\"mode\":\"url\",\"message\":\"Log in\",\"url\":\"https://x/\"}",
	{"\"Accept\""}, "{\"action\":\"accept\"}"},
    {"an address that is missing is declined at once",
	"{\"mode\":\"url\",\"message\":\"Log in\"}", {NULL},
	"{\"action\":\"decline\"}"},
    {"a form that is no object is declined at once",
	"{\"message\":\"?\",\"requestedSchema\":{\"properties\":[1]}}", {NULL},
	"{\"action\":\"decline\"}"},
    {"nothing at all is a question to accept", "null", {"\"Accept\""},
	"{\"action\":\"accept\",\"content\":{}}"},
};

static struct mcp_ask *ask(const char *params)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct mcp_ask *a = mcp_ask_new(
	    "shop", json_parse(&doc, params, strlen(params), 0, &why));

	json_fini(&doc);
	return a;
}

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mcp_ask *a = ask(cases[i].params);
		struct buf got = {0};
		size_t n = 0;

		while (n < 5 && cases[i].answers[n] && !mcp_ask_is_over(a)) {
			const char *answer = cases[i].answers[n++];
			mcp_ask_answer(a, answer, strlen(answer));
		}
		ok(mcp_ask_is_over(a) && (n == 5 || !cases[i].answers[n]),
		    "%s (after so many answers)", cases[i].title);
		mcp_ask_put_result(a, &got);
		is_str(buf_cstr(&got), cases[i].want, "%s", cases[i].title);
		buf_fini(&got);
		mcp_ask_free(&a);
	}
}

static struct buf question;

static const char *put(const struct mcp_ask *a)
{
	struct json_doc doc = {0};
	struct json_error why;

	buf_reset(&question);
	mcp_ask_put_question(a, &question);
	ok(json_parse(&doc, question.data, question.len, 0, &why) != NULL,
	    "a question is JSON");
	json_fini(&doc);
	return buf_cstr(&question);
}

static void test_questions(void)
{
	struct mcp_ask *a = ask(COLOUR);

	is_str(put(a),
	    "{\"question\":\"shop asks: Which colour?\\n\\nColour: Which one\","
	    "\"options\":[\"red\",\"green\",\"Decline\"],"
	    "\"multi_select\":false}",
	    "a question has the choices of its field");
	mcp_ask_answer(a, "\"red\"", 5);
	mcp_ask_answer(a, "\"x\"", 3);
	is_str(put(a),
	    "{\"question\":\"shop asks: Which colour?\\n\\nCount: How many "
	    "(an empty answer declines)\\n\\nThe last answer did not fit: it "
	    "is not a whole number\",\"options\":[],\"multi_select\":false}",
	    "a question says why it is asked again");
	mcp_ask_free(&a);
	a = ask("{\"mode\":\"url\",\"message\":\"Log in\",\"url\":"
		"\"https://x/\"}");
	is_str(put(a),
	    "{\"question\":\"shop asks: Log in\\n\\nTo go on, open "
	    "https://x/\",\"options\":[\"Accept\",\"Decline\"],"
	    "\"multi_select\":false}",
	    "a question shows the address to open");
	mcp_ask_free(&a);
	a = ask(FIELD(MANY));
	is_str(put(a),
	    "{\"question\":\"shop asks: ?\\n\\nx\",\"options\":[\"Red\","
	    "\"Green, dark\",\"Decline\"],\"multi_select\":true}",
	    "a question may have several answers");
	mcp_ask_free(&a);
}

/* Ask for one of n choices. */
static struct mcp_ask *ask_choices(size_t n)
{
	struct buf params = {0};

	buf_str(&params, "{\"requestedSchema\":{\"properties\":{\"x\":"
			 "{\"type\":\"string\",\"enum\":[");
	for (size_t i = 0; i < n; i++)
		buf_printf(&params, "%s\"c%zu\"", i ? "," : "", i);
	buf_str(&params, "]}}}}");
	struct mcp_ask *a = ask(buf_cstr(&params));
	buf_fini(&params);
	return a;
}

static void test_limits(void)
{
	struct mcp_ask *a = ask_choices(MCP_ASK_CHOICES);

	ok(!mcp_ask_is_over(a), "a field may have the maximum of choices");
	mcp_ask_free(&a);
	a = ask_choices(MCP_ASK_CHOICES + 1);
	ok(mcp_ask_is_over(a),
	    "a field with too many choices is not asked for");
	mcp_ask_free(&a);
}

int main(void)
{
	test_answers();
	test_limits();
	test_questions();
	buf_fini(&question);
	return done();
}
