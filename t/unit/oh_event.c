/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Events of OpenHands: the journal with every kind of event, in both dialects,
 * against t/golden/openhands; UPDATE_GOLDEN=1 writes them anew. And how
 * calls of tools are shown.
 */
#include "openhands/oh_event.h"

#include "base/json.h"
#include "openhands/oh_tool.h"
#include "t/unit/golden.h"
#include "t/unit/tap.h"

/* What the journal became. */
struct rendering {
	struct buf events;
	enum oh_dialect dialect;
	int64_t call; /* the id of the newest call of a tool */
	uint64_t n_views;
	struct views_memory memory;
};

static void check_json(const struct rendering *r, size_t from, int64_t id)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v = json_parse(&doc, r->events.data + from,
	    r->events.len - from, JSON_UNIQUE_KEYS, &error);
	ok(json_is(v, JSON_OBJECT) && json_get(v, "source") &&
		json_get(v, "timestamp") && json_get(v, "message"),
	    "event %d is an object that has what the web page needs", (int)id);
	json_fini(&doc);
}

/* Returns whether there is such a view. */
static bool render_view(
    struct rendering *r, const struct event *ev, unsigned view)
{
	struct oh_change change;
	const struct oh_context context = {.dialect = r->dialect,
	    .cause = ev->type == EV_TOOL_RESULT ? r->call : -1};
	size_t from = r->events.len;
	if (oh_event_change(&change, ev, view))
		oh_event_put_change(&r->events, &change, r->dialect);
	else if (!oh_event_put(&r->events, ev, view, &context))
		return false;
	check_json(r, from, oh_event_id(ev, view));
	buf_char(&r->events, '\n');
	return true;
}

static void render(const struct event *stored, void *arg)
{
	struct rendering *r = arg;
	struct event ev = *stored;
	if (ev.type == EV_DONE)
		r->memory.said = 0; /* or its message would not be shown */
	ev.views = views_of(&ev, &r->memory);
	ev.first_view = r->n_views + 1;
	for (unsigned view = 0; view < VIEWS; view++) {
		bool is_rendered = render_view(r, &ev, view);
		ok(is_rendered == views_has(&ev, view),
		    "view %u of event %d (%s) is shown if it is counted", view,
		    (int)ev.seq, event_name(ev.type));
		r->n_views += is_rendered;
	}
	is_int((int64_t)views_upto(&ev), (int64_t)r->n_views,
	    "the ids up to event %d are consecutive", (int)ev.seq);
	if (ev.type == EV_TOOL_CALL)
		r->call = oh_event_id(&ev, 0);
}

static void test_golden(enum oh_dialect dialect, const char *name)
{
	struct rendering r = {.dialect = dialect};
	struct buf golden = {0};
	golden_journal(render, &r);
	if (getenv("UPDATE_GOLDEN"))
		ok(golden_write(&r.events, name), "%s is written", name);
	golden_read(&golden, name);
	ok(golden.len > 0 && r.events.len == golden.len &&
		memcmp(r.events.data, golden.data, golden.len) == 0,
	    "the journal becomes %s, byte for byte", name);
	buf_fini(&r.events);
	buf_fini(&golden);
}

static const struct json *parse(struct json_doc *doc, const char *text)
{
	struct json_error error;
	const struct json *v = json_parse(doc, text, strlen(text), 0, &error);
	if (!v)
		abort();
	return v;
}

static void test_tools(void)
{
	static const struct {
		const char *call;  /* [name, args] */
		const char *shown; /* message, action */
	} cases[] = {
	    {"[\"bash\",{\"command\":\"ls\"}]",
		"\"Running command: ls\",\"action\":\"run\",\"args\":{"
		"\"command\":\"ls\""},
	    {"[\"shell\",{\"timeout\":1,\"cmd\":\"a \\\"b\\\"\"}]",
		"\"Running command: a \\\"b\\\"\",\"action\":\"run\",\"args\":{"
		"\"command\":\"a \\\"b\\\"\""},
	    {"[\"bash\",{\"command\":5}]",
		"\"I am interacting with the MCP server with name:\\n```\\n"
		"bash\\n```\\nand arguments:\\n```\\n{\\\"command\\\":5}\\n```"
		"\",\"action\":\"call_tool_mcp\",\"args\":{\"name\":\"bash\","
		"\"arguments\":{\"command\":5}"},
	    {"[\"bas\",{\"command\":\"ls\"}]",
		"\"I am interacting with the MCP server with name:\\n```\\n"
		"bas\\n```\\nand arguments:\\n```\\n{\\\"command\\\":\\\"ls"
		"\\\"}\\n```\",\"action\":\"call_tool_mcp\""},
	    {"[\"write_file\",{\"file_path\":\"/a\",\"content\":\"x\"}]",
		"\"Writing file: /a\",\"action\":\"write\",\"args\":{"
		"\"path\":\"/a\",\"content\":\"x\""},
	    {"[\"write\",{\"path\":\"/a\"}]",
		"\"Writing file: /a\",\"action\":\"write\",\"args\":{"
		"\"path\":\"/a\",\"content\":\"\""},
	    {"[\"read_file\",{\"path\":\"/a\"}]",
		"\"Reading file: /a\",\"action\":\"read\""},
	    {"[\"edit\",{\"file_path\":\"/a\"}]",
		"\"Editing file: /a\",\"action\":\"edit\""},
	    {"[\"python\",{\"code\":\"1+1\"}]",
		"\"Running code in IPython: 1+1\",\"action\":\"run_ipython\""},
	    {"[\"browse\",{\"url\":\"http://x\"}]",
		"\"Browsing http://x\",\"action\":\"browse\""},
	    {"[\"bash shell\",{\"command\":\"ls\"}]",
		"\"I am interacting with the MCP server with name:\\n```\\n"
		"bash shell\\n```"},
	    {"[\"search\",null]",
		"\"I am interacting with the MCP server with name:\\n```\\n"
		"search\\n```\\nand arguments:\\n```\\n{}\\n```\",\"action\":"
		"\"call_tool_mcp\",\"args\":{\"name\":\"search\",\"arguments\":"
		"{}"},
	    {"[5,{}]",
		"\"I am interacting with the MCP server with name:\\n```\\n"
		"\\n```"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_doc doc = {0};
		struct oh_tool tool;
		struct buf out = {0};
		const struct json *name =
		    json_first(parse(&doc, cases[i].call));
		oh_tool_init(&tool, name, json_next(name));
		oh_tool_put_message(&out, &tool);
		buf_char(&out, ',');
		oh_tool_put_action(&out, &tool, true);
		ok(strncmp(buf_cstr(&out), cases[i].shown,
		       strlen(cases[i].shown)) == 0,
		    "%s is shown as an action", cases[i].call);
		if (strncmp(out.data, cases[i].shown, strlen(cases[i].shown)))
			printf("# %s\n", out.data);
		oh_tool_fini(&tool);
		buf_fini(&out);
		json_fini(&doc);
	}
}

static void test_outcomes(void)
{
	static const struct {
		const char *call; /* [name, args, result] */
		bool is_error;
		const char *shown;
	} cases[] = {
	    {"[\"bash\",{\"command\":\"ls\"},\"a\"]", false,
		"\"Command `ls` executed with exit code 0.\",\"observation\":"
		"\"run\",\"content\":\"a\",\"extras\":{\"command\":\"ls\","
		"\"metadata\":{\"exit_code\":0,\"pid\":-1},\"hidden\":false},"
		"\"success\":true"},
	    {"[\"bash\",{\"command\":\"ls\"},\"no\"]", true,
		"\"Command `ls` executed with exit code 1.\",\"observation\":"
		"\"run\",\"content\":\"no\",\"extras\":{\"command\":\"ls\","
		"\"metadata\":{\"exit_code\":1,\"pid\":-1},\"hidden\":false},"
		"\"success\":false"},
	    {"[\"read\",{\"path\":\"/a\"},\"x\"]", false,
		"\"I read the file /a.\",\"observation\":\"read\",\"content\":"
		"\"x\",\"extras\":{\"path\":\"/a\"}"},
	    {"[\"read\",{\"path\":\"/a\"},\"gone\"]", true,
		"\"gone\",\"observation\":\"error\",\"content\":\"gone\","
		"\"extras\":{\"error_id\":\"\"}"},
	    {"[\"search\",{\"q\":1},null]", false,
		"\"null\",\"observation\":\"mcp\",\"content\":\"null\","
		"\"extras\":{\"name\":\"search\",\"arguments\":{\"q\":1}}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_doc doc = {0};
		struct oh_tool tool;
		struct buf out = {0};
		const struct json *name =
		    json_first(parse(&doc, cases[i].call));
		const struct json *result = json_next(json_next(name));
		oh_tool_init(&tool, name, json_next(name));
		oh_tool_put_outcome(&out, &tool, cases[i].is_error, result);
		buf_char(&out, ',');
		oh_tool_put_observation(&out, &tool, cases[i].is_error, result);
		is_str(buf_cstr(&out), cases[i].shown,
		    "the result of %s is shown%s", cases[i].call,
		    cases[i].is_error ? " as an error" : "");
		oh_tool_fini(&tool);
		buf_fini(&out);
		json_fini(&doc);
	}
}

/* How an interrupt and the end after it are shown. */
static void test_interrupt(const char *body, const char *state)
{
	struct views_memory memory = {0};
	struct oh_change change;
	struct buf out = {0};
	const struct oh_context context = {.dialect = OH_UI, .cause = -1};
	struct event stop = {.type = EV_INTERRUPT,
	    .id = "",
	    .body = body,
	    .body_len = strlen(body),
	    .first_view = 1};
	struct event end = {
	    .type = EV_DONE, .id = "", .body = "", .first_view = 2};
	stop.views = views_of(&stop, &memory);
	end.views = views_of(&end, &memory);
	buf_printf(&out, "\"agent_state\":\"%s\"", state);
	char *says = strdup(buf_cstr(&out));
	buf_reset(&out);
	ok(oh_event_put(&out, &stop, 0, &context) &&
		strstr(buf_cstr(&out), says),
	    "an interrupt {%s} is shown as the wish %s", body, state);
	buf_reset(&out);
	ok(oh_event_change(&change, &end, 1), "the end has a state");
	oh_event_put_change(&out, &change, OH_UI);
	ok(strstr(buf_cstr(&out), says),
	    "the end after an interrupt {%s} is the state %s", body, state);
	free(says);
	buf_fini(&out);
}

int main(void)
{
	test_golden(OH_DOC, "openhands/doc.jsonl");
	test_golden(OH_UI, "openhands/ui.jsonl");
	test_tools();
	test_outcomes();
	test_interrupt("", "stopped");
	test_interrupt("\"is_pause\":true", "paused");
	test_interrupt("\"is_pause\":false", "stopped");
	return done();
}
