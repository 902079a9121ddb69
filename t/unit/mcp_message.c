/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Messages of MCP: what we say, and what servers of both generations answered
 * (recorded: the Python package mcp 2.3.0 and the TypeScript SDK 1.32.2).
 */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "mcp/mcp_message.h"

static struct json_doc doc;

static struct mcp_message read_message(const char *text)
{
	struct mcp_message m;
	struct json_error why;

	mcp_message_read(&m, json_parse(&doc, text, strlen(text), 0, &why));
	return m;
}

/* ---- what a server says ---- */

static const struct {
	const char *title, *text;
	enum mcp_kind kind;
	int id;
} kinds[] = {
    {"a result has the number of its request",
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}", MCP_RESULT, 3},
    {"a number that came back as a text counts",
	"{\"jsonrpc\":\"2.0\",\"id\":\"3\",\"result\":{}}", MCP_RESULT, 3},
    {"a text that is no number is none of ours",
	"{\"jsonrpc\":\"2.0\",\"id\":\"3x\",\"result\":{}}", MCP_RESULT, -1},
    {"a fraction is none of ours",
	"{\"jsonrpc\":\"2.0\",\"id\":3.5,\"result\":{}}", MCP_RESULT, -1},
    {"an error may have no number",
	"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700}}",
	MCP_ERROR, -1},
    {"a method with a number is a request",
	"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"ping\"}", MCP_REQUEST, -1},
    {"a method without a number is a notification",
	"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}",
	MCP_NOTIFICATION, -1},
    {"a result that is no object is invalid",
	"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":[]}", MCP_INVALID, -1},
    {"an object without anything is invalid", "{}", MCP_INVALID, -1},
    {"a text is invalid", "\"result\"", MCP_INVALID, -1},
    {"what is not JSON is invalid", "Listening on stdio", MCP_INVALID, -1},
};

static void test_kinds(void)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct mcp_message m = read_message(kinds[i].text);

		is_int(m.kind, kinds[i].kind, "%s", kinds[i].title);
		is_int(m.id, kinds[i].id, "%s (number)", kinds[i].title);
	}
}

static const struct {
	const char *title, *text, *want;
} errors[] = {
    {"an error is told with its code",
	"{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Unknown tool\"}}",
	"Unknown tool (error -32602)"},
    {"an error is told with its data",
	"{\"id\":1,\"error\":{\"code\":-32042,\"message\":\"Open this\","
	"\"data\":{\"url\":\n\"https://x/\"}}}",
	"Open this (error -32042): {\"url\": \"https://x/\"}"},
    {"an error without a message is told",
	"{\"id\":1,\"error\":{\"code\":\"x\"}}",
	"an error without a message (error 0)"},
};

static void test_errors(void)
{
	struct buf got = {0};

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct mcp_message m = read_message(errors[i].text);

		buf_reset(&got);
		mcp_message_put_error(&got, &m);
		is_str(buf_cstr(&got), errors[i].want, "%s", errors[i].title);
	}
	buf_fini(&got);
}

/* ---- the generation of a server ---- */

static const struct {
	const char *title, *text;
	bool is_spoken, is_modern, tells_changes;
} discoveries[] = {
    {"the Python server is of the modern generation",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"_meta\":{"
	"\"io.modelcontextprotocol/serverInfo\":{\"name\":\"rec\"}},"
	"\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\","
	"\"supportedVersions\":[\"2026-07-28\",\"2025-11-25\"],"
	"\"capabilities\":{\"tools\":{\"listChanged\":true}}}}",
	true, false, true},
    {"a server of a later version only is not spoken to",
	"{\"id\":1,\"result\":{\"supportedVersions\":[\"2027-01-01\"]}}", false,
	false, false},
    {"a modern server that refuses the version names those it supports",
	"{\"id\":1,\"error\":{\"code\":-32022,\"message\":\"Unsupported\","
	"\"data\":{\"supported\":[\"2026-07-28\"]}}}",
	true, true, false},
    {"a refusal with other versions only is one of a modern server",
	"{\"id\":1,\"error\":{\"code\":-32022,\"message\":\"Unsupported\","
	"\"data\":{\"supported\":[\"2027-01-01\"]}}}",
	false, true, false},
    {"the TypeScript server does not know the method",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,"
	"\"message\":\"Method not found\"}}",
	false, false, false},
    {"an older Python server refuses what comes before initialize",
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
	"\"message\":\"Invalid request parameters\",\"data\":\"\"}}",
	false, false, false},
    {"the code of an older server for addresses is not modern",
	"{\"id\":1,\"error\":{\"code\":-32042,\"message\":\"URL\"}}", false,
	false, false},
};

static void test_discoveries(void)
{
	for (size_t i = 0; i < sizeof discoveries / sizeof *discoveries; i++) {
		struct mcp_about about;
		struct mcp_message m = read_message(discoveries[i].text);

		ok(mcp_message_read_discover(&about, &m) ==
			discoveries[i].is_spoken,
		    "%s", discoveries[i].title);
		ok(mcp_message_is_modern_error(&m) == discoveries[i].is_modern,
		    "%s (as an error)", discoveries[i].title);
		ok(about.tells_changes == discoveries[i].tells_changes,
		    "%s (whether it tells changes)", discoveries[i].title);
	}
}

static const struct {
	const char *title, *version;
	bool is_spoken;
} versions[] = {
    {"a server of 2025-11-25 is spoken to", "\"2025-11-25\"", true},
    {"a server of 2024-11-05 is spoken to", "\"2024-11-05\"", true},
    {"initialize cannot agree on a version that needs none", "\"2026-07-28\"",
	false},
    {"a server without a version is not spoken to", "null", false},
};

static void test_initialize(void)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		struct buf text = {0};
		struct mcp_about about;

		buf_printf(&text,
		    "{\"id\":2,\"result\":{\"protocolVersion\":%s,"
		    "\"capabilities\":{\"tools\":{}},\"serverInfo\":{}}}",
		    versions[i].version);
		struct mcp_message m = read_message(buf_cstr(&text));
		ok(mcp_message_read_initialize(&about, &m) ==
			versions[i].is_spoken,
		    "%s", versions[i].title);
		ok(about.has_tools, "%s (it has tools)", versions[i].title);
		buf_fini(&text);
	}
}

/* ---- what we say ---- */

#define META                                                                   \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"              \
	"\"2026-07-28\",\"io.modelcontextprotocol/clientInfo\":{\"name\":"     \
	"\"co-hostd\",\"version\":\"" PACKAGE_VERSION                          \
	"\"},\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":" \
	"{\"form\":{},\"url\":{}}}"

static struct buf said;

static void say_is(const char *want, const char *title)
{
	struct json_error why;

	is_str(buf_cstr(&said), want, "%s", title);
	ok(json_parse(&doc, said.data, said.len, JSON_UNIQUE_KEYS, &why) !=
		NULL,
	    "%s (JSON)", title);
	buf_reset(&said);
}

static void test_openings(void)
{
	mcp_message_put_discover(&said, 1);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\","
	       "\"params\":{" META "}}}",
	    "a server is asked what it is");
	mcp_message_put_initialize(&said, 2);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"initialize\","
	       "\"params\":{\"protocolVersion\":\"2025-11-25\","
	       "\"capabilities\":{\"elicitation\":{\"form\":{},\"url\":{}}},"
	       "\"clientInfo\":{\"name\":\"co-hostd\",\"version\":"
	       "\"" PACKAGE_VERSION "\"}}}",
	    "a connection to an older server is opened");
	mcp_message_put_initialized(&said);
	say_is("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\","
	       "\"params\":{}}",
	    "an older server is told that the connection is open");
	mcp_message_put_listen(&said, 4);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":"
	       "\"subscriptions/listen\",\"params\":{\"notifications\":"
	       "{\"toolsListChanged\":true}," META "}}}",
	    "a server is asked to tell changes");
}

static void test_calls(void)
{
	struct mcp_message_call call = {
	    .name = "say", .args = "{\"x\":\n1}", .args_len = 8};

	mcp_message_put_call(&said, MCP_LEGACY, 5, &call);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\","
	       "\"params\":{\"name\":\"say\",\"arguments\":{\"x\": 1},"
	       "\"_meta\":{\"progressToken\":5}}}",
	    "a tool of an older server is called");
	mcp_message_put_call(&said, MCP_MODERN, 5, &call);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\","
	       "\"params\":{\"name\":\"say\",\"arguments\":{\"x\": 1}," META
	       ",\"progressToken\":5}}}",
	    "a tool of a modern server is called");
	call.responses = "{\"k\":{\"action\":\"accept\"}}";
	call.state = "\"abc\"";
	mcp_message_put_call(&said, MCP_MODERN, 6, &call);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/call\","
	       "\"params\":{\"name\":\"say\",\"arguments\":{\"x\": 1},"
	       "\"inputResponses\":{\"k\":{\"action\":\"accept\"}},"
	       "\"requestState\":\"abc\"," META ",\"progressToken\":6}}}",
	    "a call goes on with what the user said");
	mcp_message_put_cancelled(&said, 6, "the user \"stopped\"");
	say_is("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
	       "\"params\":{\"requestId\":6,\"reason\":"
	       "\"the user \\\"stopped\\\"\"}}",
	    "a call is cancelled");
}

static void test_lists(void)
{
	struct json_doc page = {0};
	struct json_error why;
	const struct json *cursor = json_parse(&page, "\"p\\n2\"", 6, 0, &why);

	mcp_message_put_list(&said, MCP_LEGACY, 3, NULL);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\","
	       "\"params\":{}}",
	    "the tools of an older server are asked for");
	mcp_message_put_list(&said, MCP_MODERN, 3, cursor);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\","
	       "\"params\":{\"cursor\":\"p\\n2\"," META "}}}",
	    "the next page of tools is asked for");
	json_fini(&page);
}

static void test_answers(void)
{
	struct span id = {"\"a\"", 3};

	mcp_message_put_result(&said, id, "{}");
	say_is("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{}}",
	    "a request of the server is answered");
	mcp_message_put_refusal(&said, id);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32601,"
	       "\"message\":\"Method not found\"}}",
	    "a request that we do not know is refused");
	mcp_message_put_ping(&said, 9);
	say_is("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\","
	       "\"params\":{}}",
	    "a server is asked for a sign of life");
}

int main(void)
{
	test_kinds();
	test_errors();
	test_discoveries();
	test_initialize();
	test_openings();
	test_calls();
	test_lists();
	test_answers();
	json_fini(&doc);
	buf_fini(&said);
	return done();
}
