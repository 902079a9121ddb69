/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/memory.h"

#include "t/unit/tap.h"

#define MAX ((size_t)1 << 20)

static struct memory memory;
static struct buf text;
static struct json_doc doc;

static void begin(const char *given, size_t max)
{
	memory_init(&memory, given, strlen(given), max);
}

static void end(void)
{
	memory_fini(&memory);
}

/* The messages now, valid until the next call. */
static const char *messages(void)
{
	buf_reset(&text);
	memory_put_messages(&memory, &text);
	return buf_cstr(&text);
}

/* The conversation after the turn, valid until the next call. */
static const struct json *rendered(void)
{
	struct json_error why;

	buf_reset(&text);
	memory_render(&memory, &text);
	return json_parse(&doc, text.data, text.len, 0, &why);
}

static void test_messages(void)
{
	begin("{}", MAX);
	is_str(messages(), "[]", "a new conversation has no messages");
	memory_add_user(&memory, "hi\n", 3, "[]", 2);
	memory_add_answer(&memory, "", 0, "[]", 2);
	memory_add_answer(&memory, "I look.", 7, "[{\"id\":\"1\"}]", 12);
	memory_add_result(&memory, "1", "found", 5);
	is_str(messages(),
	    "[{\"role\":\"user\",\"content\":\"hi\\n\"},"
	    "{\"role\":\"assistant\",\"content\":\"I look.\","
	    "\"tool_calls\":[{\"id\":\"1\"}]},"
	    "{\"role\":\"tool\",\"tool_call_id\":\"1\","
	    "\"content\":\"found\"}]",
	    "messages have the form of chat completions");
	end();
	begin("{}", MAX);
	memory_add_user(
	    &memory, "", 0, "[\"/9j/AA==\",\"data:image/x,y\"]", 29);
	is_str(messages(),
	    "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
	    "\"\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
	    "\"data:image/jpeg;base64,/9j/AA==\"}},{\"type\":\"image_url\","
	    "\"image_url\":{\"url\":\"data:image/x,y\"}}]}]",
	    "an image without the head of a URL gets one");
	end();
	begin("{}", MAX);
	memory_add_user(&memory, "hi\n", 3, "[]", 2);
	memory_add_result(&memory, "1", "found", 5);
	buf_reset(&text);
	memory_put_transcript(&memory, &text, 1000);
	ok(strstr(buf_cstr(&text), "user: hi") &&
		strstr(buf_cstr(&text), "tool: found"),
	    "a transcript has all messages: %s", buf_cstr(&text));
	buf_reset(&text);
	memory_put_transcript(&memory, &text, 11);
	is_str(buf_cstr(&text), "tool: found",
	    "a transcript that is too long lacks its beginning");
	memory_replace(&memory, "All found.", 10);
	ok(strstr(messages(), "All found.") && !strstr(messages(), "I look"),
	    "a summary stands for all messages");
	end();
}

static void test_given(void)
{
	begin("{\"mode\":\"auto\",\"messages\":[{\"role\":\"user\","
	      "\"content\":\"a\"},7],\"trace\":[{\"type\":\"x\"}],"
	      "\"iteration\":4,\"mine\":[1.0]}",
	    MAX);
	memory_add_user(&memory, "b", 1, "", 0);
	memory_note(
	    &memory, "llm_call", "l1", 2, 1500000, "\"model\":\"m\"", 11);
	const struct json *v = rendered();
	is_int((int64_t)json_count(json_get(v, "messages")), 2,
	    "messages that are no objects are left out");
	is_int((int64_t)json_count(json_get(v, "trace")), 2,
	    "the trace goes on behind that of earlier turns");
	ok(strstr(buf_cstr(&text), "\"ts\":1.500000,\"model\":\"m\"}"),
	    "an entry of the trace has its time and its members");
	ok(strstr(buf_cstr(&text), "\"mine\":[1.0]"),
	    "other members are kept as they are spelled");
	ok(strstr(buf_cstr(&text), "\"iteration\":5"),
	    "the conversation counts as newer");
	end();
}

static void test_grants(void)
{
	begin("{\"permissions\":{\"write\":{\"allowed\":true},"
	      "\"edit\":{\"allowed\":false}}}",
	    MAX);
	ok(memory_is_granted(&memory, "write"), "an earlier grant counts");
	ok(!memory_is_granted(&memory, "edit"), "what is not allowed does not");
	memory_grant(&memory, "Bash(a \"b\")");
	memory_grant(&memory, "Bash(a \"b\")");
	ok(memory_is_granted(&memory, "Bash(a \"b\")"), "a new grant counts");
	ok(!memory_is_granted(&memory, "Bash(a"),
	    "a part of a grant is no grant");
	ok(!memory_is_granted(&memory, "expires"),
	    "a member of a grant is no grant");
	is_int((int64_t)json_count(json_get(rendered(), "permissions")), 3,
	    "old and new grants are kept, each once");
	end();
}

static void test_limits(void)
{
	char fill[600];

	begin("{}", 4096);
	(void)memset(fill, 'x', sizeof fill);
	for (int i = 0; i < 20; i++) {
		memory_add_user(&memory, fill, sizeof fill, "", 0);
		memory_add_answer(&memory, "yes", 3, "[]", 2);
		memory_note(&memory, "llm_call", "l", 1, 0, "\"a\":1", 5);
	}
	const struct json *v = rendered();
	const struct json *list = json_get(v, "messages");
	ok(json_count(list) > 0 &&
		json_str_is(json_get(json_first(list), "role"), "user"),
	    "a long conversation begins with a whole turn");
	ok(text.len < 4096, "a long conversation is within its limit: %zu",
	    text.len);
	end();
	begin("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
	      "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,"
	      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}]}]}",
	    MAX);
	ok(memory_tokens(&memory) >= 1500 && memory_tokens(&memory) < 1600,
	    "an image counts by its price, not by its bytes");
	end();
}

int main(void)
{
	test_messages();
	test_given();
	test_grants();
	test_limits();
	buf_fini(&text);
	json_fini(&doc);
	return done();
}
