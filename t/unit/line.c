/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The line protocol of subprocess agents, and the lines of their standard
 * error.
 */
#include "agent/line.h"
#include "base/line_queue.h"

#include <stdlib.h>
#include <string.h>

#include "runner/scribe.h"
#include "core/stimulus_line.h"
#include "t/unit/tap.h"

/* ---- bytes to lines ---- */

static void test_queue(void)
{
	static const char bytes[] = "one\n\ntwo three\nrest";
	const char *text;
	size_t len;

	for (size_t chunk = 1; chunk < sizeof bytes; chunk++) {
		struct line_queue q;
		char got[64] = "";
		line_init(&q, 100);
		for (size_t i = 0; i < sizeof bytes - 1; i += chunk) {
			size_t left = sizeof bytes - 1 - i;
			line_feed(&q, bytes + i, left < chunk ? left : chunk);
			while (line_next(&q, &text, &len) == LINE_WHOLE) {
				strncat(got, text, len);
				strcat(got, "|");
			}
		}
		ok(strcmp(got, "one||two three|") == 0,
		    "lines are found in chunks of %zu bytes", chunk);
		line_fini(&q);
	}
}

/* What was lent may be overwritten once it was kept. */
static void test_lending(void)
{
	static const char bytes[] = "one\n\ntwo three\nrest\nand more\n";
	const char *text;
	size_t len;

	for (size_t chunk = 1; chunk < sizeof bytes; chunk++) {
		struct line_queue q;
		char got[64] = "", lent[sizeof bytes];
		line_init(&q, 100);
		for (size_t i = 0; i < sizeof bytes - 1; i += chunk) {
			size_t left = sizeof bytes - 1 - i;
			size_t n = left < chunk ? left : chunk;
			memcpy(lent, bytes + i, n);
			line_lend(&q, lent, n);
			/* The last line of each chunk is taken later. */
			for (unsigned k = 0;
			     k < 2 && line_next(&q, &text, &len) == LINE_WHOLE;
			     k++) {
				strncat(got, text, len);
				strcat(got, "|");
			}
			line_keep(&q);
			memset(lent, '\n', sizeof lent);
		}
		while (line_next(&q, &text, &len) == LINE_WHOLE) {
			strncat(got, text, len);
			strcat(got, "|");
		}
		ok(strcmp(got, "one||two three|rest|and more|") == 0,
		    "lines are found in lent chunks of %zu bytes", chunk);
		line_fini(&q);
	}
}

static void test_long_lines(void)
{
	struct line_queue q;
	const char *text;
	size_t len;

	line_init(&q, 5);
	line_feed(&q, "12345\n", 6);
	ok(line_next(&q, &text, &len) == LINE_WHOLE && len == 5,
	    "a line of the limit is taken");
	line_feed(&q, "123456", 6);
	ok(line_next(&q, &text, &len) == LINE_TOO_LONG,
	    "a longer line is refused before its end comes");
	line_fini(&q);
	line_init(&q, 5);
	line_feed(&q, "1\n123456\n", 9);
	ok(line_next(&q, &text, &len) == LINE_WHOLE &&
		line_next(&q, &text, &len) == LINE_TOO_LONG,
	    "a longer line is refused when it came whole");
	line_fini(&q);
	line_init(&q, 5);
	line_lend(&q, "1\n123456", 8);
	ok(line_next(&q, &text, &len) == LINE_WHOLE &&
		line_next(&q, &text, &len) == LINE_TOO_LONG,
	    "a longer line is refused while it is lent");
	line_fini(&q);
}

static void test_after_long_lines(void)
{
	static const char *const bytes = "1234567890\nnext\n123456\nlast\n";
	struct line_queue q;
	const char *text;
	size_t len;

	for (size_t chunk = 1; chunk <= strlen(bytes); chunk++) {
		char got[64] = "";
		enum line_state state;
		line_init(&q, 5);
		for (size_t i = 0; i < strlen(bytes); i += chunk) {
			size_t left = strlen(bytes) - i;
			line_lend(&q, bytes + i, left < chunk ? left : chunk);
			while (
			    (state = line_next(&q, &text, &len)) != LINE_NONE) {
				strcat(got, state == LINE_WHOLE ? "=" : "!");
				strncat(got, text, len < 5 ? len : 5);
			}
			line_keep(&q);
		}
		ok(strcmp(got, "!12345=next!12345=last") == 0,
		    "lines after those that are too long are found in chunks "
		    "of %zu bytes",
		    chunk);
		line_fini(&q);
	}
}

/* ---- what a process says ---- */

static bool is_bytes(const char *got, size_t len, const char *want)
{
	if (!want || !got)
		return !want && !got;
	return len == strlen(want) && memcmp(got, want, len) == 0;
}

static void test_ends(void)
{
	static const struct {
		const char *text;
		enum line_kind kind;
		const char *result;
		const char *session;
		const char *message;
	} cases[] = {
	    {"", LINE_BLANK, NULL, NULL, NULL},
	    {" \t\r", LINE_BLANK, NULL, NULL, NULL},
	    {"{\"type\":\"OUTPUT\",\"result\":\"a\\nb\"}\r", LINE_OUTPUT,
		"a\nb", NULL, NULL},
	    {"{\"result\":\"\",\"type\":\"OUTPUT\",\"session\":{\"a\":1.0}}",
		LINE_OUTPUT, "", "{\"a\":1.0}", NULL},
	    {"{\"type\":\"OUTPUT\",\"result\":\"x\",\"session\":null}",
		LINE_OUTPUT, "x", NULL, NULL},
	    {"{\"type\":\"ERROR\",\"message\":\"no\"}", LINE_ERROR, NULL, NULL,
		"no"},
	    {"{\"type\":\"EXEC_RESULT\",\"status\":\"success\","
	     "\"result\":\"4\"}",
		LINE_EXEC_RESULT, "4", NULL, NULL},
	    {"{\"type\":\"EXEC_RESULT\",\"status\":\"error\","
	     "\"error\":\"bad\"}",
		LINE_ERROR, NULL, NULL, "bad"},
	    {"{\"type\":\"LOG\",\"text\":\"a\\nb\"}", LINE_LOG, NULL, NULL,
		"a\nb"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct line l = {0};
		struct err err = {0};
		int rc = line_read(
		    &l, cases[i].text, strlen(cases[i].text), 1, &err);
		ok(rc == 0 && l.kind == cases[i].kind &&
			is_bytes(l.result, l.result_len, cases[i].result) &&
			is_bytes(l.session, l.session_len, cases[i].session) &&
			is_bytes(l.message, l.message_len, cases[i].message),
		    "'%s' is read", cases[i].text);
		line_free(&l);
	}
}

static void test_events(void)
{
	static const struct {
		const char *text;
		enum event_type type;
		const char *body; /* a part of it */
	} cases[] = {
	    {"{\"type\":\"thinking\",\"content\":\"hm\"}", EV_THINKING,
		"\"content\":\"hm\""},
	    {"{\"type\":\"tool_call\",\"tool_id\":\"1\",\"name\":\"x\"}",
		EV_TOOL_CALL, "\"tool_id\":\"1\""},
	    {"{\"type\":\"my_own\",\"x\":[1.50]}", EV_CUSTOM, "\"x\":[1.50]"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct line l = {0};
		struct err err = {0};
		int rc = line_read(
		    &l, cases[i].text, strlen(cases[i].text), 1, &err);
		ok(rc == 0 && l.kind == LINE_EVENT &&
			l.draft.type == cases[i].type &&
			memmem(l.draft.body.data, l.draft.body.len,
			    cases[i].body, strlen(cases[i].body)),
		    "'%s' is an event", cases[i].text);
		line_free(&l);
	}
}

static void test_plain_text(void)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
	    {"hello", "a line is not JSON: hello"},
	    {"0 {\"type\": \"READY\"}",
		"a line is not JSON; numbers before lines need "
		"agent_persistent: true (of a trust agent: "
		"trust_agent_persistent): 0 {\"type\": \"READY\"}"},
	    {"[]", "a line is not a JSON object: []"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct line l = {0};
		struct err err = {0};
		(void)line_read(
		    &l, cases[i].text, strlen(cases[i].text), 1, &err);
		is_str(err.text, cases[i].says, "the refusal of %s shows it",
		    cases[i].text);
		line_free(&l);
	}
}

static void test_garbage(void)
{
	static const char *const cases[] = {
	    "hello",
	    "{",
	    "[]",
	    "\"OUTPUT\"",
	    "{}",
	    "{\"type\":7}",
	    "{\"type\":\"OUTPUT\"}",
	    "{\"type\":\"OUTPUT\",\"result\":7}",
	    "{\"type\":\"OUTPUT\",\"result\":\"x\",\"session\":[]}",
	    "{\"type\":\"ERROR\"}",
	    "{\"type\":\"EXEC_RESULT\",\"result\":\"x\"}",
	    "{\"type\":\"EXEC_RESULT\",\"status\":\"success\"}",
	    "{\"type\":\"EXEC_RESULT\",\"status\":\"error\",\"result\":\"x\"}",
	    "{\"type\":\"thinking\"}",
	    "{\"type\":\"thinking\",\"content\":1}",
	    "{\"type\":\"done\",\"result\":\"x\"}",
	    "{\"type\":\"input\",\"prompt\":\"x\"}",
	    "{\"type\":\"thinking\",\"content\":\"\xff\"}",
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct line l = {0};
		struct err err = {0};
		ok(line_read(&l, cases[i], strlen(cases[i]), 1, &err) == -1 &&
			err.code == ERR_BAD_REQUEST && err.text[0],
		    "case %zu is refused: %s", i, err.text);
		line_free(&l);
	}
}

/* ---- what a process is told ---- */

static bool is_line(struct buf *b, const char *text)
{
	bool is_same = strcmp(buf_cstr(b), text) == 0;

	if (!is_same)
		fprintf(stderr, "# got  %s\n# want %s\n", buf_cstr(b), text);
	return is_same;
}

static void test_input(void)
{
	static const struct agent_file file = {"a\"b", "/up/a", 12};
	struct agent_input in = {
	    .session_id = "s",
	    .turn = 9,
	    .client_turn = 2,
	    .prompt = "say\n\"hi\"",
	    .prompt_len = 8,
	    .session = "{\"messages\":\r\n[1]}",
	    .session_len = 18,
	    .files = &file,
	    .n_files = 1,
	};
	struct buf out = {0};

	line_input(&out, &in);
	ok(is_line(&out,
	       "{\"type\":\"INPUT\",\"session_id\":\"s\",\"turn\":2,"
	       "\"prompt\":\"say\\n\\\"hi\\\"\",\"images\":[],\"files\":"
	       "[{\"name\":\"a\\\"b\",\"path\":\"/up/a\",\"size\":12}],"
	       "\"session\":{\"messages\":  [1]}}\n"),
	    "an input is one line, however the client spelled its session");
	buf_fini(&out);
}

static void test_exec(void)
{
	struct agent_exec x = {
	    .session_id = "s",
	    .tool = "a\"b",
	    .args = "{\"n\":\n1}",
	    .args_len = 8,
	    .is_owner = true,
	};
	struct buf out = {0};

	line_exec(&out, &x);
	ok(is_line(&out, "{\"type\":\"EXEC\",\"session_id\":\"s\",\"tool\":"
			 "\"a\\\"b\",\"args\":{\"n\": 1},\"owner\":true}\n"),
	    "a call of a tool is one line");
	buf_fini(&out);
	x.args_len = 0;
	x.is_owner = false;
	line_exec(&out, &x);
	ok(strstr(buf_cstr(&out), "\"args\":{},\"owner\":false}\n") != NULL,
	    "a call of a tool without arguments is one line");
	buf_fini(&out);
}

static void test_stimuli(void)
{
	static const struct {
		enum event_type type;
		const char *body;
		const char *line;
	} cases[] = {
	    {EV_INTERRUPT, "", "{\"type\":\"INTERRUPT\"}\n"},
	    {EV_MORE_INPUT, "\"prompt\":\"so\"",
		"{\"type\":\"INPUT\",\"id\":\"e1\",\"prompt\":\"so\"}\n"},
	    {EV_ANSWER, "\"kind\":\"ask_user\",\"answer\":[\"a\",\n\"b\"]",
		"{\"type\":\"ASK_USER_RESPONSE\",\"answer\":[\"a\", \"b\"]}\n"},
	    {EV_ANSWER, "\"kind\":\"plan_review\",\"answer\":\"go\"",
		"{\"type\":\"PLAN_REVIEW_RESPONSE\",\"message\":\"go\"}\n"},
	    {EV_ANSWER,
		"\"kind\":\"approval_needed\",\"answer\":"
		"{\"approved\":true,\"type\":\"x\",\"scope\":\"once\"}",
		"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true,"
		"\"scope\":\"once\"}\n"},
	    {EV_ANSWER, "\"kind\":\"other\",\"answer\":1", ""},
	    {EV_ANSWER, "\"kind\":\"ask_user\"", ""},
	    {EV_START, "", ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		struct event ev = {
		    .type = cases[i].type,
		    .id = "e1",
		    .id_len = 2,
		    .body = cases[i].body,
		    .body_len = strlen(cases[i].body),
		};
		bool is_put = stimulus_line(&out, &ev);
		ok(is_put == (cases[i].line[0] != '\0') &&
			is_line(&out, cases[i].line),
		    "stimulus %zu becomes its line", i);
		buf_fini(&out);
	}
}

/* ---- standard error ---- */

static struct buf heard;
static unsigned n_heard;

static void hear(void *arg, const char *text, size_t len)
{
	(void)arg;
	n_heard++;
	buf_append(&heard, text, len);
	buf_char(&heard, '|');
}

static void test_scribe(void)
{
	struct scribe s = {0};

	scribe_feed(&s, "a\n\nb", 4, 0, hear, NULL);
	scribe_feed(&s, "c\nd", 3, 0, hear, NULL);
	scribe_end(&s, hear, NULL);
	ok(is_line(&heard, "a|bc|d|"), "standard error is told by lines");
	s = (struct scribe){0};
	buf_reset(&heard);
	for (int i = 0; i < 10000; i++)
		scribe_feed(&s, "x", 1, 0, hear, NULL);
	scribe_feed(&s, "\ny\n", 3, 0, hear, NULL);
	scribe_end(&s, hear, NULL);
	ok(heard.len == SCRIBE_LINE_MAX + 3, "a long line is cut");
	s = (struct scribe){0};
	n_heard = 0;
	buf_reset(&heard);
	for (int i = 0; i < 1000; i++)
		scribe_feed(&s, "x\n", 2, 0, hear, NULL);
	scribe_feed(&s, "y\n", 2, 1000, hear, NULL);
	scribe_end(&s, hear, NULL);
	ok(n_heard == SCRIBE_LINES + 2 &&
		strstr(buf_cstr(&heard), "|(800 lines dropped)|y|"),
	    "lines above the rate are counted and dropped");
	buf_fini(&heard);
}

int main(void)
{
	test_queue();
	test_lending();
	test_long_lines();
	test_after_long_lines();
	test_ends();
	test_events();
	test_garbage();
	test_plain_text();
	test_input();
	test_exec();
	test_stimuli();
	test_scribe();
	return done();
}
