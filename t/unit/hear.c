/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a client makes of the frames of an agent, without a connection. */
#include "connect/hear.h"

#include <co_connect.h>
#include <string.h>

#include "base/json.h"
#include "connect/client.h"
#include "t/unit/tap.h"

#define ADDRESS \
	"0x3c8a9ec72d119b5fa03e9516242bcdac4496521dcf406baa89bf21b2e079a827"

static struct co_client *c;
static struct buf events;

static void on_event(void *arg, struct co_client *who, const struct co_event *e)
{
	(void)arg;
	(void)who;
	buf_printf(&events, "%s(%s) ", e->type, e->id);
}

static void hear(const char *frame)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, frame, strlen(frame), 0, &why);

	hear_frame(c, v);
	json_fini(&doc);
}

/* A new client that said CONNECT, with an input to be sent. */
static void begin(const char *input_id)
{
	struct co_options o;
	struct co_prompt p;

	co_options_init(&o);
	o.flags = CO_KEYLESS;
	o.relay_url = "";
	o.on_event = on_event;
	buf_reset(&events);
	c = co_connect(ADDRESS, &o, NULL);
	co_prompt_init(&p, "hello");
	p.input_id = input_id;
	(void)co_begin_input(c, &p, CO_NO_TIMEOUT);
	c->phase = PHASE_GREETING;
}

#define CONNECTED(status)                                                    \
	"{\"type\":\"CONNECTED\",\"session_id\":\"s1\",\"status\":\"" status \
	"\"}"

static void connected(const char *input_id)
{
	begin(input_id);
	hear(CONNECTED("new"));
}

/* The connection broke, and CONNECT was said again. */
static void come_back(const char *frame)
{
	c->phase = PHASE_GREETING;
	hear(frame);
}

/* How it ended: "CODE TEXT", or "" if it has not. */
static const char *end(void)
{
	static char text[200];
	struct co_result r;

	*text = '\0';
	if (co_take(c, &r))
		(void)snprintf(
		    text, sizeof(text), "%s %s", co_code_name(r.code), r.text);
	co_free(&c);
	return text;
}

/* ---- the plain way ---- */

static void runs(void)
{
	connected("i1");
	is_int(c->phase, PHASE_OPEN, "CONNECTED opens the connection");
	is_str(co_session_id(c), "s1", "CONNECTED names the session");
	ok(c->op.is_sent && c->op.has_turn, "the input is sent");
	hear("{\"type\":\"user_input\",\"id\":\"e1-0\"}");
	hear("{\"type\":\"mine\"}");
	hear("{\"type\":7}");
	hear("{\"type\":\"PING\"}");
	hear("{}");
	is_str(buf_cstr(&events), "user_input(e1-0) mine() ",
	    "events are told, and nothing else");
	is_str(co_last_event_id(c), "e1-0", "the last event is noted");
	hear("{\"type\":\"OUTPUT\",\"result\":\"ok\",\"input_id\":\"i1\","
	     "\"duration_ms\":12,\"session\":{\"iteration\":1}}");
	is_str(bookmark_text(&c->bookmark.session), "{\"iteration\":1}",
	    "the session is that of the end");
	is_int(c->op.duration_ms, 12, "the duration is known");
	is_str(end(), "ok ok", "OUTPUT is the end");
}

static void fails(void)
{
	connected("i1");
	hear("{\"type\":\"ERROR\",\"code\":-32603,\"message\":\"Unable\"}");
	is_str(end(), "agent Unable", "ERROR is the end of a turn");
	connected("i1");
	hear("{\"type\":\"ERROR\",\"code\":-32029,\"message\":\"too many\","
	     "\"retryable\":true,\"retry_after_ms\":2990}");
	is_int(c->op.retry_after_ms, 2990, "a limit says when to come again");
	is_str(end(), "limit too many", "a limit is an error of its own");
	connected("i1");
	hear("{\"type\":\"ERROR\",\"error\":\"from a relay\"}");
	is_str(end(), "agent from a relay", "a relay's error has its text");
	connected("i1");
	hear("{\"type\":\"ERROR\"}");
	is_str(end(), "agent ", "an ERROR may have no text");
	connected("i1");
	hear("{\"type\":\"OUTPUT\",\"result\":{\"a\":1}}");
	is_str(end(), "ok {\"a\":1}", "a result may be any JSON");
}

static void ignores_stale_errors(void)
{
	connected("i1");
	hear("{\"type\":\"ERROR\",\"message\":\"unknown or stale approval "
	     "response\"}");
	hear("{\"type\":\"ERROR\",\"message\":\"interrupt requires an active "
	     "turn\"}");
	hear(
	    "{\"type\":\"ERROR\",\"code\":\"STALE_ANSWER\",\"message\":\"x\"}");
	ok(client_is_busy(c), "errors about late answers end nothing");
	co_free(&c);
}

/* ---- refusals ---- */

static void is_refused(
    const char *frame, enum co_code code, bool is_final, const char *name)
{
	begin("i1");
	hear(frame);
	is_int(c->fault.code, code, "%s", name);
	is_int(
	    c->fault.is_final, is_final, "%s: whether that is for good", name);
	ok(!c->op.is_sent, "%s: the input is not sent", name);
	co_free(&c);
}

static void refuses(void)
{
	is_refused("{\"type\":\"ERROR\",\"message\":\"unauthorized\"}",
	    CO_ERR_REFUSED, true, "CONNECT is refused");
	is_refused("{\"type\":\"ERROR\",\"error\":\"Agent not connected: 0x\"}",
	    CO_ERR_AWAY, false, "an agent is away");
	is_refused("{\"type\":\"ERROR\",\"message\":\"too many\","
		   "\"code\":-32029,\"retryable\":true}",
	    CO_ERR_LIMIT, false, "CONNECT meets a limit");
	is_refused("{\"type\":\"ONBOARD_REQUIRED\",\"methods\":[]}",
	    CO_ERR_ONBOARD, true, "an agent wants an invite code");
}

/* ---- questions ---- */

#define ASK                                                               \
	"{\"type\":\"ask_user\",\"id\":\"e1-1\",\"question\":\"Which?\"," \
	"\"options\":[\"a\"]}"

static void asks(void)
{
	struct co_result r;

	connected("i1");
	hear(ASK);
	is_int(co_state(c), CO_WAITING, "a question makes the turn wait");
	ok(co_take(c, &r) && r.code == CO_ERR_QUESTION,
	    "a question is a result");
	ok(!co_take(c, &r), "a question is told once");
	is_int(co_review(c, "x"), CO_ERR_STATE, "a plan was not asked about");
	is_int(co_answer(c, "a"), CO_OK, "a question is answered");
	is_int(co_state(c), CO_WORKING, "an answer makes the turn go on");
	come_back(CONNECTED("running"));
	hear(ASK);
	is_int(
	    co_state(c), CO_WORKING, "an answered question is not asked again");
	ok(c->answers.len > 0,
	    "the answer to it is kept until the turn goes on");
	hear("{\"type\":\"ask_user\",\"id\":\"e1-2\",\"text\":\"And?\"}");
	is_int(co_state(c), CO_WAITING, "another question is asked");
	ok(c->answers.len == 0, "the answer before it has arrived");
	hear("{\"type\":\"OUTPUT\",\"result\":\"done\"}");
	ok(!co_question(c), "the end of the turn is the end of its questions");
	is_str(end(), "ok done", "a turn may end while it asks");
}

static void asks_in_vain(void)
{
	connected("i1");
	is_int(co_interrupt(c), CO_OK, "a turn is interrupted");
	hear(ASK);
	ok(!co_question(c), "a question after an interrupt is not asked");
	ok(c->answers.len > 0, "an interrupt is kept until the turn ends");
	hear("{\"type\":\"OUTPUT\",\"result\":\"stopped\"}");
	is_int(
	    co_interrupt(c), CO_ERR_STATE, "an ended turn is not interrupted");
	is_str(end(), "ok stopped", "an interrupted turn has an end");
}

/* ---- coming back ---- */

static void comes_back(void)
{
	connected("i1");
	come_back(CONNECTED("running"));
	hear("{\"type\":\"OUTPUT\",\"result\":\"late\"}");
	is_str(end(), "ok late", "a turn that still runs is gone on with");

	connected("i1");
	come_back(CONNECTED("connected"));
	ok(!strncmp(end(), "lost ", 5), "a turn that is not known is lost");

	connected("i1");
	come_back("{\"type\":\"CONNECTED\",\"session_id\":\"s1\",\"status\":"
		  "\"new\",\"server_newer\":true,\"session\":{\"user_prompt\":"
		  "\"hello\",\"result\":\"found\"}}");
	is_str(end(), "ok found", "an end may be in the conversation");

	connected("i1");
	come_back("{\"type\":\"CONNECTED\",\"session_id\":\"s1\",\"status\":"
		  "\"new\",\"server_newer\":true,\"session\":{\"user_prompt\":"
		  "\"other\",\"result\":\"found\"}}");
	ok(!strncmp(end(), "lost ", 5), "the end of another turn is not ours");

	connected("i1");
	come_back("{\"type\":\"CONNECTED\",\"session_id\":\"s1\",\"status\":"
		  "\"connected\",\"server_newer\":false,\"session\":{"
		  "\"user_prompt\":\"hello\",\"result\":\"found\"}}");
	ok(!strncmp(end(), "lost ", 5),
	    "the end of the turn before is not that of ours");
}

/* ---- inputs that join a turn ---- */

static void joins(void)
{
	connected("i1");
	hear("{\"type\":\"RUNTIME_INPUT_ACK\",\"id\":\"r1\"}");
	hear("{\"type\":\"OUTPUT\",\"result\":\"theirs\",\"input_id\":\"i0\"}");
	ok(client_is_busy(c), "the end of the turn before is not ours");
	hear("{\"type\":\"OUTPUT\",\"result\":\"ours\",\"input_id\":\"i1\"}");
	is_str(end(), "ok ours", "our input has a turn of its own");

	connected("i1");
	hear("{\"type\":\"RUNTIME_INPUT_ACK\",\"id\":\"r1\"}");
	hear("{\"type\":\"user_input\",\"id\":\"r1\",\"runtime_input\":true}");
	hear("{\"type\":\"OUTPUT\",\"result\":\"both\",\"input_id\":\"i0\"}");
	is_str(end(), "ok both", "the turn that took our input ends it");

	connected("i1");
	hear("{\"type\":\"RUNTIME_INPUT_ACK\",\"id\":\"r1\"}");
	hear("{\"type\":\"input_dropped\",\"id\":\"r1\"}");
	hear(
	    "{\"type\":\"OUTPUT\",\"result\":\"stopped\",\"input_id\":\"i0\"}");
	is_str(end(), "ok stopped", "the turn that dropped our input ends it");

	connected("i1");
	hear("{\"type\":\"RUNTIME_INPUT_ACK\",\"id\":\"r1\",\"answer\":true}");
	hear("{\"type\":\"OUTPUT\",\"result\":\"told\",\"input_id\":\"i0\"}");
	is_str(end(), "ok told", "the turn that our input answered ends it");
}

int main(void)
{
	runs();
	fails();
	ignores_stale_errors();
	refuses();
	asks();
	asks_in_vain();
	comes_back();
	joins();
	buf_fini(&events);
	return done();
}
