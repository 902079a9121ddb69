/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Toolboxes of MCP servers of both generations, by both transports, which also
 * misbehave (t/agents/mcp_server.py).
 */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/stat.h"
#include "mcp/mcp_box.h"
#include "mcp/mcp_wire.h"
#include "net/loop.h"
#include "runner/runner.h"
#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"
#include "t/unit/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* No test takes longer. */
#define PATIENCE_MS 20000

static struct loop *loop;
static struct crew *crew;
static struct conf conf;
static char script[512];
static char log_path[256];

/* A server, and a call of one of its tools. */
struct test {
	struct mcp_boxes *boxes;
	struct toolbox *box;
	struct tool_run *run;
	enum tool_status status;
	int ends;
	int questions;
	struct buf result;
	struct buf output;
	struct buf question;
	struct err err;
	pid_t server; /* of HTTP; 0: none */
};

static bool wait_until(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(loop, PATIENCE_MS, x, is_reached);
}

static bool is_loaded(struct test *x)
{
	return x->box->ops->load(x->box) == TOOLBOX_LOADED;
}

static bool is_broken(struct test *x)
{
	return x->box->ops->load(x->box) == TOOLBOX_BROKEN;
}

static bool has_ended(struct test *x)
{
	return x->ends > 0;
}

static bool has_question(struct test *x)
{
	return x->questions > 0;
}

static bool has_output(struct test *x)
{
	return x->output.len > 0;
}

/* ---- a call ---- */

static void on_output(void *arg, const char *text, size_t len)
{
	struct test *x = arg;

	buf_append(&x->output, text, len);
}

static void on_question(void *arg, const char *body, size_t len)
{
	struct test *x = arg;

	x->questions++;
	buf_reset(&x->question);
	buf_append(&x->question, body, len);
}

static void on_end(
    void *arg, enum tool_status status, const char *result, size_t len)
{
	struct test *x = arg;

	x->run = NULL;
	x->ends++;
	x->status = status;
	buf_reset(&x->result);
	buf_append(&x->result, result, len);
}

static const struct tool_call_ops ops = {
    .on_output = on_output,
    .on_question = on_question,
    .on_end = on_end,
};

static const struct tool *find(struct test *x, const char *name)
{
	const struct tool *tool;

	for (size_t i = 0; (tool = x->box->ops->tool(x->box, i)); i++)
		if (strcmp(tool->name, name) == 0)
			return tool;
	return NULL;
}

static void start(struct test *x, const char *name, const char *args)
{
	char full[80];

	(void)snprintf(full, sizeof full, "t_%s", name);
	const struct tool *tool = find(x, full);
	const struct tool gone = {.name = full};
	const struct tool_call call = {.tool = tool ? tool : &gone,
	    .id = "1",
	    .session_id = "s",
	    .args = args,
	    .args_len = strlen(args)};

	x->ends = x->questions = 0;
	x->run = x->box->ops->start(x->box, &call, &ops, x);
	if (x->ends)
		ok(false, "no call ends from inside its start");
}

/* Call it and return the result; "late" if there is none. */
static const char *call(struct test *x, const char *name, const char *args)
{
	start(x, name, args);
	if (wait_until(x, has_ended))
		return buf_cstr(&x->result);
	x->box->ops->cancel(&x->run);
	return "late";
}

static void answer(struct test *x, const char *json)
{
	x->questions = 0;
	x->box->ops->answer(x->run, json, strlen(json));
}

/* ---- a server ---- */

static const struct mcp_times quick = {
    .probe_ms = 5000, .connect_ms = 5000, .idle_ms = 600000, .retry_ms = 50};

static const struct mcp_times impatient = {
    .probe_ms = 300, .connect_ms = 5000, .idle_ms = 600000, .retry_ms = 50};

static void open_text(
    struct test *x, const char *servers, const struct mcp_times *times)
{
	const struct agent_setup setup = {
	    .spec = agent_spec_of(&conf), .loop = loop, .crew = crew};

	x->boxes = mcp_boxes_open(&setup, servers, times, &x->err);
	x->box = x->boxes ? mcp_boxes_get(x->boxes, 0) : NULL;
}

static void put_list(struct buf *out, const char *words)
{
	char *copy = mem_strdup(words);
	char *rest = copy;

	for (char *w; (w = strsep(&rest, " ")) != NULL;)
		if (*w)
			buf_printf(out, ",\"%s\"", w);
	free(copy);
}

/* A program; more has further members of the setting. */
static void open_program(struct test *x, const char *words, const char *more,
    const struct mcp_times *times)
{
	struct buf text = {0};

	*x = (struct test){0};
	(void)remove(log_path);
	buf_printf(&text,
	    "{\"t\":{\"command\":\"python3\",\"args\":[\"-SE\",\"%s\","
	    "\"stdio\"",
	    script);
	put_list(&text, words);
	buf_printf(&text, ",\"log=%s\"]%s}}", log_path, more);
	open_text(x, buf_cstr(&text), times);
	buf_fini(&text);
}

/* Start a server of HTTP and read its address. */
static void start_http(struct test *x, const char *words, struct buf *url)
{
	struct buf command = {0};
	int ends[2];
	char c;

	buf_printf(&command, "exec python3 -SE %s http %s log=%s", script,
	    words, log_path);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	x->server = fork();
	if (x->server == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execl(
		    "/bin/sh", "sh", "-c", buf_cstr(&command), (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	while (read(ends[0], &c, 1) == 1 && c != '\n')
		buf_char(url, c);
	(void)close(ends[0]);
	buf_fini(&command);
}

static void open_http(struct test *x, const char *words, const char *more)
{
	struct buf text = {0}, url = {0};

	*x = (struct test){0};
	(void)remove(log_path);
	start_http(x, words, &url);
	buf_printf(&text, "{\"t\":{\"url\":\"%s\"%s}}", buf_cstr(&url), more);
	open_text(x, buf_cstr(&text), &quick);
	buf_fini(&text);
	buf_fini(&url);
}

static void close_test(struct test *x)
{
	mcp_boxes_close(&x->boxes);
	if (x->server > 0) {
		(void)kill(x->server, SIGKILL);
		(void)waitpid(x->server, NULL, 0);
	}
	buf_fini(&x->result);
	buf_fini(&x->output);
	buf_fini(&x->question);
}

/* How many messages that came to the server have this text. */
static int count_log(const char *text)
{
	struct buf log = {0};
	FILE *f = fopen(log_path, "re");
	size_t n;
	int found = 0;

	while (f && (n = fread(buf_reserve(&log, 4096), 1, 4096, f)) > 0)
		log.len += n;
	if (f)
		(void)fclose(f);
	for (const char *at = buf_cstr(&log); (at = strstr(at, text)); at++)
		found++;
	buf_fini(&log);
	return found;
}

static bool has_cancelled(struct test *x)
{
	(void)x;
	return count_log("notifications/cancelled") > 0;
}

static uint64_t strange(void)
{
	return stat_mine()->mcp_strange;
}

/* ---- what all servers have in common ---- */

static void test_ask(struct test *x, const char *title)
{
	start(x, "ask", "{}");
	ok(wait_until(x, has_question), "%s: the user is asked", title);
	ok(strstr(buf_cstr(&x->question),
	       "\"options\":[\"red\",\"green\",\"Decline\"]") != NULL,
	    "%s: a question has its choices", title);
	answer(x, "\"green\"");
	ok(wait_until(x, has_question), "%s: each field is asked for", title);
	answer(x, "\"7\"");
	ok(wait_until(x, has_ended), "%s: a call goes on after an answer",
	    title);
	is_str(buf_cstr(&x->result),
	    "{\"action\": \"accept\", \"content\": {\"colour\": \"green\", "
	    "\"count\": 7}}",
	    "%s: the server gets the answers", title);
	start(x, "ask", "{}");
	(void)wait_until(x, has_question);
	answer(x, "\"Decline\"");
	(void)wait_until(x, has_ended);
	is_str(buf_cstr(&x->result), "{\"action\": \"decline\"}",
	    "%s: the user can decline", title);
}

static void test_common(struct test *x, const char *title)
{
	if (!x->boxes) {
		ok(false, "%s: %s", title, x->err.text);
		return;
	}
	ok(wait_until(x, is_loaded), "%s: the tools are loaded", title);
	ok(find(x, "t_echo") != NULL, "%s: a tool has the server's name",
	    title);
	is_str(call(x, "echo", "{\"text\":\"h\xc3\xa4\"}"), "h\xc3\xa4",
	    "%s: a tool is called", title);
	ok(x->status == TOOL_SUCCESS, "%s: a call succeeds", title);
	is_str(call(x, "fail", "{}"), "it broke",
	    "%s: an error of a tool is told", title);
	ok(x->status == TOOL_ERROR, "%s: an error of a tool is one", title);
	is_str(call(x, "sleep", "{\"seconds\":0.05}"), "slept",
	    "%s: a slow tool is waited for", title);
	is_str(buf_cstr(&x->output), "half\n", "%s: progress is output", title);
	is_str(call(x, "nothing", "{}"),
	    "The MCP server t has no such tool any more",
	    "%s: a tool that is not there is not called", title);
	is_str(call(x, "echo", "[]"),
	    "The MCP server t was not asked: the arguments are not a JSON "
	    "object",
	    "%s: arguments that are no object are refused", title);
	test_ask(x, title);
}

static void test_servers(void)
{
	static const struct {
		const char *title, *words;
		bool is_http;
	} servers[] = {
	    {"a program of both generations", "", false},
	    {"a program of the newer generation", "modern", false},
	    {"a program of the older generation", "legacy", false},
	    {"a program that is silent to what it does not know", "mute",
		false},
	    {"a program that prints other things first", "strange", false},
	    {"a program with pages of tools", "pages", false},
	    {"a place of both generations", "", true},
	    {"a place of the newer generation", "modern", true},
	    {"a place with sessions", "legacy session", true},
	    {"a place with event streams and sessions", "legacy session sse",
		true},
	};

	for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
		struct test x;

		if (servers[i].is_http)
			open_http(&x, servers[i].words, "");
		else
			open_program(&x, servers[i].words, "",
			    strcmp(servers[i].words, "mute") == 0 ? &impatient
								  : &quick);
		test_common(&x, servers[i].title);
		close_test(&x);
	}
}

/* ---- what goes wrong ---- */

static void test_cancel(bool is_http, const char *words, const char *title)
{
	struct test x;

	if (is_http)
		open_http(&x, words, "");
	else
		open_program(&x, words, "", &quick);
	(void)wait_until(&x, is_loaded);
	start(&x, "sleep", "{\"seconds\":30}");
	(void)wait_until(&x, has_output);
	x.box->ops->cancel(&x.run);
	ok(x.run == NULL, "%s: a call that is cancelled is gone", title);
	is_str(call(&x, "echo", "{\"text\":\"on\"}"), "on",
	    "%s: calls go on after one that was cancelled", title);
	is_int(x.ends, 1, "%s: a call that was cancelled tells nothing", title);
	if (!is_http || strstr(words, "legacy"))
		ok(wait_until(&x, has_cancelled),
		    "%s: the server is told of a call that was cancelled",
		    title);
	start(&x, "ask", "{}");
	(void)wait_until(&x, has_question);
	x.box->ops->cancel(&x.run);
	is_str(call(&x, "echo", "{\"text\":\"on\"}"), "on",
	    "%s: calls go on after a question that was cancelled", title);
	close_test(&x);
}

static void test_death(void)
{
	struct test x;

	open_program(&x, "", "", &quick);
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "die", "{}"),
	    "The MCP server t failed: it has ended: exit 3. The tool may have "
	    "done its work",
	    "a program that ends is one error of its call");
	ok(is_loaded(&x),
	    "the tools of a program that ended stay for the next attempt");
	is_str(call(&x, "echo", "{\"text\":\"x\"}"),
	    "The MCP server t cannot be asked: it has ended: exit 3",
	    "a call is refused until the next attempt");
	ok(wait_until(&x, is_loaded), "the program is started again");
	loop_a_little(loop);
	for (int i = 0; i < 100 && (x.ends = 0, x.status == TOOL_ERROR); i++)
		(void)call(&x, "echo", "{\"text\":\"back\"}");
	is_str(buf_cstr(&x.result), "back",
	    "a program that was started again is called");
	close_test(&x);
	open_program(&x, "dies", "", &quick);
	ok(wait_until(&x, is_broken),
	    "a program that cannot start is a broken toolbox");
	ok(find(&x, "t_echo") == NULL, "a broken toolbox has no tools");
	close_test(&x);
	x = (struct test){0};
	open_text(&x, "{\"t\":{\"command\":\"/nonexistent\"}}", &quick);
	ok(wait_until(&x, is_broken),
	    "a program that does not exist is a broken toolbox");
	close_test(&x);
}

static void test_hang(void)
{
	const struct mcp_times times = {
	    .probe_ms = 50, .connect_ms = 100, .retry_ms = 10};
	struct test x;

	open_program(&x, "hang", "", &times);
	ok(wait_until(&x, is_broken),
	    "a program that answers nothing is a broken toolbox");
	close_test(&x);
	open_http(&x, "hang", "");
	mcp_boxes_close(&x.boxes);
	ok(x.boxes == NULL, "a place that answers nothing can be closed");
	close_test(&x);
}

static void test_strange(void)
{
	struct test x;
	uint64_t before;

	open_program(&x, "", ",\"timeout\":1", &quick);
	(void)wait_until(&x, is_loaded);
	before = strange();
	is_str(call(&x, "wrong_id", "{}"),
	    "The MCP server t gave no answer within 1000 ms (timeout). The "
	    "tool may have done its work",
	    "an answer with another id is none");
	is_int((int)(strange() - before), 1,
	    "an answer with another id is counted");
	is_str(call(&x, "garbage", "{}"), "after garbage",
	    "what is not JSON-RPC does not end a call");
	is_int((int)(strange() - before), 5, "what is not JSON-RPC is counted");
	close_test(&x);
	open_http(&x, "", "");
	(void)wait_until(&x, is_loaded);
	ok(strstr(call(&x, "garbage", "{}"), "is not JSON") != NULL,
	    "a stream with what is not JSON ends its call");
	close_test(&x);
}

static void test_limits(void)
{
	struct test x;

	open_program(&x, "", "", &quick);
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "flood", "{\"n\":6000}"), "flooded",
	    "a program that sends too much is held back, and heard");
	(void)call(&x, "big", "{\"n\":300000}");
	is_int((int)x.result.len, TOOL_RESULT_MAX, "a long result is cut");
	ok(strstr(buf_cstr(&x.result), "[cut: 300000 bytes in all]") != NULL,
	    "a result that is cut says how long it was");
	is_str(call(&x, "big", "{\"n\":9000000}"),
	    "The MCP server t gave no answer: its answer is too long. The tool "
	    "may have done its work",
	    "a message beyond all measure is one error of its call");
	is_str(call(&x, "echo", "{\"text\":\"on\"}"), "on",
	    "calls go on after it");
	close_test(&x);
	open_http(&x, "", "");
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "flood", "{\"n\":6000}"), "flooded",
	    "a place that sends too much is held back, and heard");
	is_str(call(&x, "big", "{\"n\":9000000}"),
	    "The MCP server t gave no answer: its answer is too long. The tool "
	    "may have done its work",
	    "an answer beyond all measure is one error of its call");
	close_test(&x);
}

static void test_pace(void)
{
	struct mcp_pace pace = {0};
	int n = 0;

	while (mcp_pace_take(&pace, 7999))
		n++;
	is_int(n, MCP_WIRE_MESSAGES_PER_S,
	    "a server is read from up to a number of messages a second");
	ok(mcp_pace_take(&pace, 8000), "more are read in the next second");
}

/* ---- life ---- */

static bool has_ended_program(struct test *x)
{
	(void)x;
	return stat_mine()->mcp_starts == 0 || waitpid(-1, NULL, WNOHANG) < 0;
}

static bool has_grown(struct test *x)
{
	return find(x, "t_grown") != NULL;
}

static void test_idle(void)
{
	const struct mcp_times times = {
	    .probe_ms = 300, .connect_ms = 5000, .idle_ms = 50, .retry_ms = 50};
	struct test x;
	uint64_t starts = stat_mine()->mcp_starts;

	open_program(&x, "", "", &times);
	(void)wait_until(&x, is_loaded);
	ok(wait_until(&x, has_ended_program),
	    "a program that is not used is ended");
	ok(is_loaded(&x) && find(&x, "t_echo"),
	    "the tools of a program that is not used stay known");
	is_str(call(&x, "echo", "{\"text\":\"again\"}"), "again",
	    "the next call starts it again");
	is_int((int)(stat_mine()->mcp_starts - starts), 2,
	    "a program that is used again is started once more");
	close_test(&x);
}

static void test_change(void)
{
	struct test x;

	open_program(&x, "legacy", "", &quick);
	(void)wait_until(&x, is_loaded);
	(void)call(&x, "grow", "{}");
	ok(wait_until(&x, has_grown), "a tool that a program adds is there");
	is_str(call(&x, "grown", "{\"text\":\"new\"}"), "new",
	    "a tool that was added is called");
	close_test(&x);
}

static void test_environment(void)
{
	struct test x;

	(void)setenv("MCP_SECRET", "secret", 1);
	(void)setenv("MCP_GIVEN", "given", 1);
	open_program(&x, "", ",\"env\":{\"MINE\":\"${MCP_GIVEN}\"}", &quick);
	(void)wait_until(&x, is_loaded);
	const char *names = call(&x, "environment", "{}");
	ok(strstr(names, "MINE") && strstr(names, "PATH"),
	    "a program has the variables that the setting names");
	ok(!strstr(names, "MCP_SECRET") && !strstr(names, "MCP_GIVEN"),
	    "a program has no others of the server's");
	is_str(call(&x, "where", "{}"), conf.project_dir,
	    "a program runs in the project");
	close_test(&x);
	x = (struct test){0};
	open_text(&x, "{\"t\":{\"command\":\"x\",\"args\":[\"${MCP_UNSET}\"]}}",
	    NULL);
	ok(!x.boxes, "a variable that is not set is refused");
	is_str(x.err.text, "t: the environment variable MCP_UNSET is not set",
	    "the variable that is not set is named");
}

static void test_trust(void)
{
	struct test x;

	open_program(&x, "", "", &quick);
	(void)wait_until(&x, is_loaded);
	is_int((int)find(&x, "t_echo")->flags, 0,
	    "what a server says of its tools does not count");
	close_test(&x);
	open_program(&x, "", ",\"trusted\":true", &quick);
	(void)wait_until(&x, is_loaded);
	is_int((int)find(&x, "t_echo")->flags, TOOL_READ_ONLY | TOOL_IDEMPOTENT,
	    "what a trusted server says of its tools counts");
	close_test(&x);
}

/* Two calls in which the server asks: nobody knows which one it means. */
static void test_two_questions(const char *words, bool is_asked)
{
	struct test x, y = {0};

	open_program(&x, words, "", &quick);
	(void)wait_until(&x, is_loaded);
	y.box = x.box;
	start(&y, "sleep", "{\"seconds\":1}");
	(void)wait_until(&y, has_output);
	start(&x, "ask", "{}");
	if (is_asked) {
		ok(wait_until(&x, has_question),
		    "a newer server may ask during several calls");
		is_int(y.questions, 0, "the user of another call is not asked");
		x.box->ops->cancel(&x.run);
	} else {
		ok(wait_until(&x, has_ended),
		    "an older server's question during several calls ends");
		is_str(buf_cstr(&x.result), "{\"action\": \"cancel\"}",
		    "no user is asked if it is not known which");
	}
	(void)wait_until(&y, has_ended);
	close_test(&x);
	close_test(&y);
}

/* ---- HTTP ---- */

static void test_resume(void)
{
	struct test x;

	open_http(&x, "", "");
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "cut", "{}"), "resumed",
	    "a stream that is cut before its answer is resumed");
	is_int(count_log("\"get\": \"e3\""), 1,
	    "a stream is resumed from its last event");
	close_test(&x);
}

static void test_session(void)
{
	struct test x;

	open_http(&x, "legacy session", "");
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "forget", "{}"), "forgotten",
	    "a place with sessions forgets them");
	is_str(call(&x, "echo", "{\"text\":\"again\"}"), "again",
	    "a call that meets a session that is gone begins another");
	is_int(count_log("\"method\": \"initialize\""), 2,
	    "a new session begins with initialize");
	close_test(&x);
}

static bool is_refused(struct test *x)
{
	(void)x;
	return count_log("\"refused\": \"notifications/cancelled\"") > 0;
}

/* What happens meanwhile when a session is gone. */
static void test_session_meanwhile(void)
{
	struct test x;

	open_http(&x, "legacy session sse", "");
	struct test y = {.box = x.box};
	(void)wait_until(&x, is_loaded);
	(void)call(&x, "forget", "{}");
	start(&x, "echo", "{\"text\":\"one\"}");
	start(&y, "echo", "{\"text\":\"two\"}");
	(void)wait_until(&x, has_ended);
	(void)wait_until(&y, has_ended);
	is_str(buf_cstr(&x.result), "one",
	    "the first of two calls is sent again in the new session");
	is_str(buf_cstr(&y.result), "two",
	    "the second of two calls is sent again in the new session");
	start(&x, "sleep", "{\"seconds\":30}");
	(void)wait_until(&x, has_output);
	(void)call(&y, "forget", "{}");
	x.box->ops->cancel(&x.run);
	(void)wait_until(&x, is_refused);
	is_str(call(&y, "echo", "{\"text\":\"three\"}"), "three",
	    "a call begins another session after a refused cancellation");
	(void)call(&x, "grow", "{}");
	(void)call(&x, "forget", "{}");
	ok(wait_until(&x, has_grown),
	    "a list of tools begins another session if its own is gone");
	buf_fini(&y.result);
	buf_fini(&y.output);
	close_test(&x);
}

static void test_headers(void)
{
	struct test x;

	open_http(&x, "", "");
	(void)wait_until(&x, is_loaded);
	is_str(call(&x, "marked", "{\"r\":\"us-west1\"}"), "us-west1",
	    "a marked argument is repeated as a header");
	ok(count_log("\"Mcp-Method\": \"tools/call\", \"Mcp-Name\": "
		     "\"marked\"") == 1,
	    "a call names its method and tool in headers");
	ok(count_log("\"Mcp-Protocol-Version\": \"2026-07-28\"") == 3,
	    "each request says its version");
	close_test(&x);
}

static void test_token(void)
{
	struct test x;

	(void)setenv("MCP_TOKEN", "good", 1);
	open_http(&x, "token=good", ",\"token_env\":\"MCP_TOKEN\"");
	ok(wait_until(&x, is_loaded), "a place is shown the token");
	close_test(&x);
	open_http(&x, "token=other", ",\"token_env\":\"MCP_TOKEN\"");
	ok(wait_until(&x, is_broken),
	    "a place that refuses the token is a broken toolbox");
	ok(count_log("\"initialize\"") == 0,
	    "a refused token is no sign of an older server");
	close_test(&x);
	x = (struct test){0};
	open_text(&x, "{\"t\":{\"url\":\"http://127.0.0.1:1/\"}}", &quick);
	ok(wait_until(&x, is_broken), "a place that is not there is a broken "
				      "toolbox");
	close_test(&x);
}

static void set_up(void)
{
	const char *top = getenv("TOP_SRCDIR");
	const char *build = getenv("TOP_BUILDDIR");

	loop = loop_new();
	loop_crew_open(&crew, loop, 2, 100);
	runner_inherit_orphans();
	conf_init(&conf);
	free(conf.project_dir);
	conf.project_dir = scratch_path("project");
	(void)mkdir(conf.project_dir, 0755);
	free(conf.libexec_dir);
	conf.libexec_dir = mem_strdup(build ? build : ".");
	(void)snprintf(script, sizeof script, "%s/t/agents/mcp_server.py",
	    top ? top : ".");
	(void)snprintf(log_path, sizeof log_path, "%s/log", scratch_dir());
}

int main(void)
{
	set_up();
	test_servers();
	test_cancel(false, "modern", "a newer program");
	test_cancel(false, "legacy", "an older program");
	test_cancel(true, "modern", "a newer place");
	test_cancel(true, "legacy session", "an older place");
	test_death();
	test_hang();
	test_strange();
	test_limits();
	test_pace();
	test_idle();
	test_change();
	test_environment();
	test_trust();
	test_two_questions("modern", true);
	test_two_questions("legacy", false);
	test_resume();
	test_session();
	test_session_meanwhile();
	test_headers();
	test_token();
	loop_crew_close(&crew);
	conf_fini(&conf);
	return done();
}
