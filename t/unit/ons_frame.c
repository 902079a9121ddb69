/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What the events of a command tell its dashboard. */
#include "onsembl/ons_frame.h"

#include "base/json.h"
#include "onsembl/ons_wants.h"
#include "t/unit/tap.h"

static struct ons_frames frames;
static struct ons_frame_view view;
static uint64_t seq;

static void begin(bool is_here)
{
	view = (struct ons_frame_view){
	    .command = {"c1", 2}, .agent = {"a1", 2}, .is_here = is_here};
	seq = 0;
}

/* The messages of an event, without what they all have. */
static const char *said(enum event_type type, const char *body)
{
	static struct buf out;
	const struct event ev = {
	    .seq = ++seq,
	    .time_us = 7000,
	    .type = type,
	    .body = body,
	    .body_len = strlen(body),
	};
	size_t from = 0;
	buf_reset(&out);
	ons_frame_put(&frames, &view, &ev);
	for (size_t i = 0; i < frames.n; i++) {
		struct json_doc doc = {0};
		struct json_error why;
		size_t n;
		const char *text = frames.text.data + from;
		const struct json *m =
		    json_parse(&doc, text, frames.end[i] - from, 0, &why);
		const char *type_text = json_text(json_get(m, "type"), &n);
		buf_printf(&out, "%.*s ", (int)n, type_text);
		static const char *const usual[] = {
		    "commandId", "agentId", "timestamp", NULL};
		json_put_without(&out, json_get(m, "payload"), usual);
		buf_char(&out, '\n');
		from = frames.end[i];
		json_fini(&doc);
	}
	return buf_cstr(&out);
}

static void test_hosted(void)
{
	begin(true);
	is_str(said(EV_INPUT, "\"prompt\":\"hi\""),
	    "\"COMMAND_STATUS\" {\"status\":\"QUEUED\"}\n"
	    "\"COMMAND_STATUS\" {\"status\":\"EXECUTING\",\"startedAt\":7}\n",
	    "a command of the hosted agent is queued and executes");
	is_str(said(EV_ASSISTANT, "\"content\":\"one\\u001b[1m\""),
	    "\"TERMINAL_STREAM\" {\"content\":\"one\\u001b[1m\\n\","
	    "\"streamType\":\"STDOUT\",\"sequence\":2}\n",
	    "a text of the agent is a line");
	is_str(said(EV_TOOL_CALL,
		   "\"tool_id\":\"t1\",\"name\":\"ls\",\"args\":{\"a\":1}"),
	    "\"TERMINAL_STREAM\" {\"content\":\"> ls {\\\"a\\\":1}\\n\","
	    "\"streamType\":\"STDOUT\",\"sequence\":3}\n"
	    "\"TRACE_STREAM\" {\"trace\":{\"commandId\":\"c1\",\"agentId\":"
	    "\"a1\",\"traceId\":\"t1\",\"parentId\":null,\"type\":"
	    "\"TOOL_CALL\",\"name\":\"ls\",\"content\":{\"toolName\":\"ls\","
	    "\"toolInput\":{\"a\":1}},\"startedAt\":7}}\n",
	    "a call of a tool is a line and a trace");
	is_str(said(EV_LLM_CALL, ""), "", "a call of a model is not told");
	is_str(said(EV_DONE, "\"result\":\"two\",\"duration_ms\":5"),
	    "\"TERMINAL_STREAM\" {\"content\":\"two\\n\",\"streamType\":"
	    "\"STDOUT\",\"sequence\":5}\n"
	    "\"COMMAND_STATUS\" {\"status\":\"COMPLETED\",\"exitCode\":0,"
	    "\"duration\":5,\"executionTime\":5,\"completedAt\":7}\n"
	    "\"COMMAND_COMPLETE\" {\"status\":\"COMPLETED\",\"exitCode\":0,"
	    "\"duration\":5,\"executionTime\":5}\n",
	    "a result that was not said is output, and the command is over");
	is_str(said(EV_FAILED, "\"reason\":\"timeout\""), "",
	    "a command ends once");
}

static void test_ends(void)
{
	begin(true);
	(void)said(EV_INPUT, "");
	(void)said(EV_ASSISTANT, "\"content\":\"same\"");
	is_str(said(EV_DONE, "\"result\":\"same\""),
	    "\"COMMAND_STATUS\" {\"status\":\"COMPLETED\",\"exitCode\":0,"
	    "\"completedAt\":7}\n"
	    "\"COMMAND_COMPLETE\" {\"status\":\"COMPLETED\",\"exitCode\":0}\n",
	    "a result that the agent has said is not said again");
	begin(true);
	(void)said(EV_INPUT, "");
	(void)said(EV_INTERRUPT, "");
	is_str(said(EV_FAILED, "\"reason\":\"interrupted\""),
	    "\"COMMAND_STATUS\" {\"status\":\"CANCELLED\",\"error\":"
	    "\"interrupted\",\"completedAt\":7}\n"
	    "\"COMMAND_COMPLETE\" {\"status\":\"CANCELLED\",\"error\":"
	    "\"interrupted\"}\n",
	    "a command that was interrupted is cancelled");
}

static void test_dialed_in(void)
{
	begin(false);
	is_str(said(EV_INPUT, ""),
	    "\"COMMAND_STATUS\" {\"status\":\"QUEUED\"}\n",
	    "a command for another machine is queued");
	is_str(said(EV_COMMAND_STATUS, "\"status\":\"sent\""),
	    "\"COMMAND_STATUS\" {\"status\":\"EXECUTING\",\"startedAt\":7}\n",
	    "a command that was sent executes");
	is_str(said(EV_TERMINAL_OUTPUT,
		   "\"content\":\"\\u001b[31mx\",\"stream\":\"stderr\","
		   "\"sequence\":9"),
	    "\"TERMINAL_STREAM\" {\"content\":\"\\u001b[31mx\","
	    "\"streamType\":\"STDERR\",\"sequence\":9}\n",
	    "output keeps its escapes, stream and number");
	is_str(said(EV_COMMAND_STATUS,
		   "\"status\":\"failed\",\"exit_code\":-2,\"duration_ms\":3,"
		   "\"error\":\"no such file\""),
	    "\"COMMAND_STATUS\" {\"status\":\"FAILED\",\"exitCode\":-2,"
	    "\"duration\":3,\"executionTime\":3,\"error\":\"no such file\","
	    "\"completedAt\":7}\n"
	    "\"COMMAND_COMPLETE\" {\"status\":\"FAILED\",\"exitCode\":-2,"
	    "\"duration\":3,\"executionTime\":3,\"error\":\"no such file\"}\n",
	    "the end that the machine reports is the end of the command");
	is_str(said(EV_DONE, "\"result\":\"x\""), "",
	    "the end of the turn adds nothing to a reported end");
}

static void test_gap(void)
{
	begin(false);
	ons_frame_put_gap(&frames, &view, 12, 7);
	ok(frames.n == 1 &&
		strstr(buf_cstr(&frames.text), "12 events are missing here"),
	    "a gap is one line that counts the events");
	ok(strstr(buf_cstr(&frames.text), "\"content\":\"[co-hostd"),
	    "a gap before all output has no line before it");
	view.has_output = true;
	ons_frame_put_gap(&frames, &view, 12, 7);
	ok(strstr(buf_cstr(&frames.text), "\"content\":\"\\n[co-hostd"),
	    "a gap in output begins a line of its own");
}

static const char *wants(const char *text, bool *is_good)
{
	static struct buf out;
	struct json_doc doc = {0};
	struct json_error why;
	struct ons_wants w = {0};
	*is_good =
	    ons_wants_read(&w, json_parse(&doc, text, strlen(text), 0, &why));
	buf_reset(&out);
	buf_char(&out, '{');
	ons_wants_put(&out, &w);
	buf_char(&out, '}');
	ons_wants_fini(&w);
	json_fini(&doc);
	return buf_cstr(&out);
}

static void test_wants(void)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
	    {"{}", "[],\"commands\":[],\"traces\":false,\"terminals\":false"},
	    {"{\"agents\":[],\"commands\":{\"all\":true}}",
		"[\"*\"],\"commands\":[\"*\"],\"traces\":false,"
		"\"terminals\":false"},
	    {"{\"agents\":[\"a\",\"b\",\"a\"],\"traces\":true,"
	     "\"terminals\":false}",
		"[\"a\",\"b\"],\"commands\":[],\"traces\":true,"
		"\"terminals\":false"},
	    {"{\"agents\":[\"*\"],\"commands\":null}",
		"[\"*\"],\"commands\":[],\"traces\":false,"
		"\"terminals\":false"},
	};
	bool is_good;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char want[256];
		(void)snprintf(want, sizeof want,
		    "{\"subscriptions\":{\"agents\":%s}}", cases[i].want);
		is_str(wants(cases[i].text, &is_good), want,
		    "the subscriptions %s are understood", cases[i].text);
		ok(is_good, "the subscriptions %s are accepted", cases[i].text);
	}
	(void)wants("{\"agents\":[7]}", &is_good);
	ok(!is_good, "an id that is no text is refused");
	(void)wants("{\"agents\":[\"\"]}", &is_good);
	ok(!is_good, "an empty id is refused");
}

static void test_changes(void)
{
	struct ons_wants w = {0};
	const struct span agent = {"agent", 5}, a = {"a", 1}, none = {0};
	ok(ons_wants_change(&w, agent, a, false, true) &&
		ons_set_has(&w.agents, "a") && !ons_set_has(&w.agents, "b"),
	    "one agent is wanted");
	ok(ons_wants_change(&w, agent, a, false, false) &&
		!ons_set_has(&w.agents, "a"),
	    "an agent that was wanted is not wanted any more");
	ok(ons_wants_change(&w, agent, none, true, true) &&
		ons_set_has(&w.agents, "b"),
	    "all agents are wanted");
	ok(!ons_wants_change(&w, agent, none, false, true),
	    "a change without an id is refused");
	int n = 0;
	char id[16];
	for (; n < 1000; n++) {
		struct span s = {id, 0};
		s.len = (size_t)snprintf(id, sizeof id, "agent-%d", n);
		if (!ons_wants_change(&w, agent, s, false, true))
			break;
	}
	is_int(n, ONS_WANTS_MAX, "a set has so many ids at most");
	ons_wants_fini(&w);
}

int main(void)
{
	test_hosted();
	test_ends();
	test_dialed_in();
	test_gap();
	test_wants();
	test_changes();
	ons_frames_fini(&frames);
	return done();
}
