/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The ConnectOnion door with a fake wire and a fake session layer: each test is
 * a conversation of frames.
 */
#include "oip/oip_socket.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "net/wire.h"
#include "core/permit.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_session.h"
#include "t/unit/fake_wire.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const tools[] = {"calculate", "weather", NULL};
static const struct agent_about about = {
    .name = "demo", .model = "demo-1", .tools = tools};
static char folder[] = "/tmp/oip_in.XXXXXX";
static struct conf conf;
static struct permit *permit;
static struct door_setup setup;
static struct http *http;
static struct sessions *all;
static struct access *access_;
static struct wire *wire;
static const char *frame; /* the one that was read last */

/* ---- words of the tests ---- */

static void set_up(void)
{
	all = fake_session_all();
	access_ = fake_access();
	setup = (struct door_setup){
	    .sessions = all,
	    .access = access_,
	    .permit = permit,
	    .conf = &conf,
	    .about = &about,
	    .name = "Demo \"agent\"",
	};
	http = fake_wire_http();
	oip_door.mount(http, &setup);
	wire = fake_wire_open(http, true);
}

static void tear_down(void)
{
	if (wire)
		fake_wire_gone(&wire);
	fake_session_free(&all);
	fake_access_free(&access_);
}

static void say(const char *text)
{
	fake_wire_say(wire, text);
	fake_access_run(access_);
	fake_session_run(all);
}

/* Whether the next frame is exactly this. */
static bool hears(const char *text)
{
	frame = fake_wire_next(wire);
	bool is_same = frame && strcmp(frame, text) == 0;
	if (!is_same)
		printf("# got      %s\n# expected %s\n",
		    frame ? frame : "nothing", text);
	return is_same;
}

/* Whether the next frame has this type and, if it is given, holds this text. */
static bool hears_of(const char *type, const char *text)
{
	char head[80];

	(void)snprintf(head, sizeof(head), "{\"type\":\"%s\"", type);
	frame = fake_wire_next(wire);
	bool is_good = frame && strncmp(frame, head, strlen(head)) == 0 &&
		       (!text || strstr(frame, text));
	if (!is_good)
		printf("# got %s, expected %s %s\n", frame ? frame : "nothing",
		    type, text ? text : "");
	return is_good;
}

static bool hears_error(const char *message)
{
	char text[400];

	(void)snprintf(text, sizeof(text), "\"message\":\"%s\"", message);
	return hears_of("ERROR", text);
}

static bool hears_nothing(void)
{
	frame = fake_wire_next(wire);
	if (frame)
		printf("# got %s\n", frame);
	return !frame;
}

static void forget_frames(void)
{
	while (fake_wire_next(wire))
		continue;
}

/* A client of session "s" that has been greeted. */
static struct session *connect_to(const char *id)
{
	char text[200];

	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"CONNECT\",\"session_id\":\"%s\"}", id);
	say(text);
	forget_frames();
	return fake_session_get(all, id);
}

/* ---- CONNECT ---- */

#define PROTOCOL                                              \
	"\"protocol\":{\"name\":\"oip\",\"version\":\"0.1\"," \
	"\"min_version\":\"0.1\",\"max_version\":\"0.1\","    \
	"\"websocket_path\":\"/ws\"}"

#define MODES                                            \
	"\"session_modes\":{\"currentModeId\":\"auto\"," \
	"\"turnsLeft\":null,\"availableModes\":["        \
	"{\"id\":\"read-only\",\"name\":\"Read only\"}," \
	"{\"id\":\"auto\",\"name\":\"Auto\"}]}"

static void test_connect_new(void)
{
	set_up();
	say("{\"type\":\"CONNECT\"}");
	ok(hears("{\"type\":\"CONNECTED\",\"session_id\":\"made-1\","
		 "\"status\":\"new\"," PROTOCOL "," MODES "}"),
	    "CONNECT without an id makes a new session");
	ok(hears("{\"type\":\"AGENT_PROFILE\",\"session_id\":\"made-1\","
		 "\"name\":\"Demo \\\"agent\\\"\",\"address\":\"0xab\","
		 "\"model\":\"demo-1\",\"tools\":[\"calculate\",\"weather\"],"
		 "\"skills\":[]}"),
	    "AGENT_PROFILE follows CONNECTED");
	ok(hears_nothing(),
	    "no DASHBOARD_SNAPSHOT is sent where there is no page");
	tear_down();
}

static const struct connect_case {
	const char *name;
	const char *frame;
	const char *type;
	const char *text;
} connect_cases[] = {
    {"an unknown id is new, and kept",
	"{\"type\":\"CONNECT\",\"session_id\":\"mine\"}", "CONNECTED",
	"\"session_id\":\"mine\",\"status\":\"new\""},
    {"an empty id asks for a new session",
	"{\"type\":\"CONNECT\",\"session_id\":\"\"}", "CONNECTED",
	"\"session_id\":\"made-"},
    {"a null id asks for a new session",
	"{\"type\":\"CONNECT\",\"session_id\":null}", "CONNECTED",
	"\"session_id\":\"made-"},
    {"an id that is a number is refused",
	"{\"type\":\"CONNECT\",\"session_id\":5}", "ERROR",
	"\"session_id invalid\""},
    {"an id with a control character is refused",
	"{\"type\":\"CONNECT\",\"session_id\":\"a\\u0000b\"}", "ERROR",
	"\"session_id invalid\""},
    {"a conversation that is no object is refused",
	"{\"type\":\"CONNECT\",\"session\":[1]}", "ERROR",
	"\"session invalid\""},
    {"absent identity may be spelled null",
	"{\"type\":\"CONNECT\",\"payload\":null,\"from\":null,"
	"\"signature\":null}",
	"CONNECTED", "\"status\":\"new\""},
    {"a CONNECT that is badly signed is refused",
	"{\"type\":\"CONNECT\",\"payload\":{},\"from\":\"0x1\","
	"\"signature\":\"0x2\"}",
	"ERROR", "\"unauthorized: invalid signature\""},
    {"our protocol is spoken",
	"{\"type\":\"CONNECT\",\"protocol\":{\"name\":\"oip\","
	"\"version\":\"0.1\",\"min_version\":\"0.1\"}}",
	"CONNECTED", PROTOCOL},
    {"another protocol is refused",
	"{\"type\":\"CONNECT\",\"protocol\":{\"name\":\"oip\","
	"\"version\":\"9\"}}",
	"ERROR",
	"\"code\":-32010,\"message\":\"Unsupported OIP protocol\","
	"\"retryable\":false," PROTOCOL},
    {"a protocol that is no object is refused",
	"{\"type\":\"CONNECT\",\"protocol\":\"oip\"}", "ERROR",
	"\"code\":-32010"},
    {"INIT ignores the id", "{\"type\":\"INIT\",\"session_id\":\"mine\"}",
	"CONNECTED", "\"session_id\":\"made-1\",\"status\":\"new\""},
    {"ATTACH needs an id", "{\"type\":\"ATTACH\"}", "ERROR",
	"\"session_id required\""},
    {"ATTACH to an unknown session finds it expired",
	"{\"type\":\"ATTACH\",\"session_id\":\"mine\"}", "CONNECTED",
	"\"session_id\":\"mine\",\"status\":\"expired\""},
};

static void test_connect_cases(void)
{
	for (size_t i = 0; i < sizeof(connect_cases) / sizeof(connect_cases[0]);
	     i++) {
		const struct connect_case *c = &connect_cases[i];
		set_up();
		say(c->frame);
		ok(hears_of(c->type, c->text), "%s", c->name);
		forget_frames();
		if (strcmp(c->type, "ERROR") == 0) {
			say("{\"type\":\"CONNECT\"}");
			ok(hears_of("CONNECTED", NULL),
			    "after that, CONNECT may be tried again");
		}
		tear_down();
	}
}

static void test_long_id(void)
{
	char text[400];

	set_up();
	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"CONNECT\",\"session_id\":\"%0300d\"}", 0);
	say(text);
	ok(hears_error("session_id invalid"), "an id of 300 bytes is refused");
	tear_down();
}

static void test_full(void)
{
	set_up();
	fake_session_full(all, ERR_FULL);
	say("{\"type\":\"CONNECT\"}");
	ok(hears_of("ERROR", "\"code\":-32000") &&
		strstr(frame, "server is full") &&
		strstr(frame, "\"retryable\":true"),
	    "a CONNECT to a full server is refused as retryable");
	say("{\"type\":\"PING\"}");
	ok(hears("{\"type\":\"PONG\"}"),
	    "a socket stays open when the server is full");
	fake_session_full(all, ERR_OK);
	say("{\"type\":\"CONNECT\"}");
	ok(hears_of("CONNECTED", NULL),
	    "a client refused by a full server may connect later");
	tear_down();
}

static void test_second_connect(void)
{
	set_up();
	(void)connect_to("s");
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", "\"status\":\"connected\"") &&
		hears_of("AGENT_PROFILE", NULL) && hears_nothing(),
	    "the same CONNECT again is greeted again");
	say("{\"type\":\"CONNECT\",\"session_id\":\"t\"}");
	ok(hears_error("already authenticated: open a new connection"),
	    "a CONNECT to another session on the same socket is refused");
	say("{\"type\":\"CONNECT\"}");
	ok(hears_error("already authenticated: open a new connection"),
	    "a second CONNECT without an id is refused");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	fake_session_done(fake_session_get(all, "s"), "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", NULL) && hears_nothing(),
	    "a second CONNECT does not double the events");
	tear_down();
}

/* Another worker begins a turn while a client is greeted. */
static void test_turn_while_greeted(void)
{
	struct session *s;

	set_up();
	s = fake_session_get(all, "s");
	fake_session_begin(s, NULL);
	fake_session_done(s, "first", NULL);
	fake_session_begin_at_merge(s);
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", "\"status\":\"connected\""),
	    "a client is greeted before a turn begins elsewhere");
	forget_frames();
	fake_session_done(s, "second", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"result\":\"second\"") && hears_nothing(),
	    "the end of a turn that began during the greeting is told");
	tear_down();
}

/* Another worker ends a turn and begins the next while a client is greeted. */
static void test_turns_while_greeted(void)
{
	static const char *const connects[] = {
	    "{\"type\":\"CONNECT\",\"session_id\":\"s\"}",
	    "{\"type\":\"CONNECT\",\"session_id\":\"s\",\"last_msg_id\":\"b\"}",
	};
	for (size_t i = 0; i < sizeof connects / sizeof *connects; i++) {
		struct session *s;

		set_up();
		s = fake_session_get(all, "s");
		fake_session_begin(s, NULL);
		(void)fake_session_emit(
		    s, EV_ASSISTANT, "b", "\"content\":\"x\"");
		fake_session_begin_at_merge(s);
		say(connects[i]);
		fake_session_run(all);
		ok(hears_of("CONNECTED", "\"status\":\"running\"") &&
			hears_of("AGENT_PROFILE", NULL),
		    "a client is told of the turn that runs: %s", connects[i]);
		ok(hears_of("assistant", "\"id\":\"b\"") &&
			hears_of("OUTPUT", "\"ended at merge\""),
		    "a turn that ends during the greeting is shown: %s",
		    connects[i]);
		fake_session_done(s, "next", NULL);
		fake_session_run(all);
		ok(hears_of("OUTPUT", "\"next\"") && hears_nothing(),
		    "the next turn is shown after it: %s", connects[i]);
		tear_down();
	}
}

static void test_server_newer(void)
{
	struct session *s;

	set_up();
	s = fake_session_get(all, "s");
	fake_session_begin(s, NULL);
	fake_session_done(
	    s, "r", "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\",\"session\":"
	    "{\"messages\":[]}}");
	ok(hears_of("CONNECTED",
	       "\"status\":\"connected\"," PROTOCOL "," MODES
	       ",\"server_newer\":true,\"session\":{\"messages\":[{\"role\":"
	       "\"user\",\"content\":\"hi\"}]},\"chat_items\":[{\"type\":"
	       "\"user\",\"id\":\"msg-0\",\"content\":\"hi\"}]}"),
	    "the server's newer conversation is told");
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(fake_session_log(all)->conversation[0] == '\0',
	    "a client's older conversation is not used");
	tear_down();
	set_up();
	(void)fake_session_get(all, "s");
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\",\"session\":"
	    "{\"iteration\":9}}");
	ok(hears_of("CONNECTED", NULL) && !strstr(frame, "server_newer"),
	    "a client's newer conversation is not answered by the server's");
	fake_session_refuse(all, ERR_BAD_REQUEST, "Invalid file: 0");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"session\":{\"x\":1}}");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(strcmp(fake_session_log(all)->conversation, "{\"iteration\":9}") ==
		0,
	    "the next INPUT begins from the client's newer conversation");
	fake_session_done(fake_session_get(all, "s"), "r", NULL);
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"session\":{\"x\":1}}");
	ok(fake_session_log(all)->conversation[0] == '\0',
	    "later INPUTs go on from the server's conversation");
	tear_down();
}

static void test_old_clients(void)
{
	set_up();
	say("{\"type\":\"INIT\"}");
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"session\":{\"turn\":4}}");
	ok(strcmp(fake_session_log(all)->conversation, "{\"turn\":4}") == 0,
	    "INPUT brings the conversation when CONNECT brought none");
	tear_down();
	set_up();
	fake_session_begin(fake_session_get(all, "s"), NULL);
	say("{\"type\":\"ATTACH\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", "\"status\":\"running\""),
	    "ATTACH finds a running turn");
	tear_down();
	set_up();
	fake_session_begin(fake_session_get(all, "s"), NULL);
	fake_session_done(fake_session_get(all, "s"), "r", NULL);
	fake_session_expire(fake_session_get(all, "s"));
	say("{\"type\":\"ATTACH\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", "\"status\":\"completed\""),
	    "ATTACH finds a finished record");
	tear_down();
}

/* ---- INPUT ---- */

static void test_turn(void)
{
	struct session *s;

	set_up();
	s = connect_to("s");
	say("{\"type\":\"INPUT\",\"prompt\":\"hi\",\"input_id\":\"q\"}");
	ok(hears_nothing(), "INPUT is answered by what the agent says");
	ok(!fake_session_log(all)->is_unscoped,
	    "the input_id of a connected socket belongs to its session");
	(void)fake_session_emit(s, EV_THINKING, "e1", "\"content\":\"hm\"");
	fake_session_run(all);
	ok(hears_of("thinking",
	       "\"content\":\"hm\",\"id\":\"e1\",\"ts\":1702234567.123458,"
	       "\"session_id\":\"s\"}"),
	    "events come with id, ts and session_id");
	fake_session_done(s, "Hola", "{\"turn\":1}");
	fake_session_run(all);
	ok(hears("{\"type\":\"OUTPUT\",\"result\":\"Hola\",\"duration_ms\":12,"
		 "\"input_id\":\"q\",\"session_id\":\"s\",\"session\":"
		 "{\"turn\":1},\"chat_items\":[]}"),
	    "OUTPUT has result, session and the client's input_id");
	say("{\"type\":\"INPUT\",\"prompt\":\"more\"}");
	fake_session_fail(s, "killed");
	fake_session_run(all);
	ok(hears("{\"type\":\"ERROR\",\"code\":-32603,"
		 "\"message\":\"Unable to run agent\",\"reason\":\"killed\","
		 "\"duration_ms\":12,\"session_id\":\"s\"}"),
	    "a turn that fails ends in one ERROR");
	ok(hears_nothing(), "a failed turn ends in one frame");
	fake_session_lose_record(s);
	say("{\"type\":\"INPUT\",\"prompt\":\"more\"}");
	fake_session_lose_record(s);
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"session\":{\"session_id\":"),
	    "a record that is gone is a session with an id alone");
	tear_down();
}

static void test_runtime_input(void)
{
	struct session *s;

	set_up();
	s = connect_to("s");
	say("{\"type\":\"INPUT\",\"prompt\":\"a\"}");
	say("{\"type\":\"INPUT\",\"prompt\":\"b\",\"input_id\":\"q\"}");
	ok(hears("{\"type\":\"RUNTIME_INPUT_ACK\",\"session_id\":\"s\","
		 "\"id\":\"added-1\"}"),
	    "INPUT in a running turn is acknowledged");
	say("{\"type\":\"INPUT\",\"prompt\":\"b\",\"input_id\":\"q\"}");
	ok(hears_of("RUNTIME_INPUT_ACK", NULL),
	    "a repeated INPUT in a running turn is acknowledged again");
	(void)fake_session_emit(s, EV_ASK_USER, "e", "\"question\":\"Q\"");
	fake_session_run(all);
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"A\"}");
	ok(hears_of("RUNTIME_INPUT_ACK", "\"answer\":true"),
	    "INPUT answers a question that waits");
	fake_session_refuse(all, ERR_NOT_ACCEPTING, NULL);
	say("{\"type\":\"INPUT\",\"prompt\":\"b\"}");
	ok(hears("{\"type\":\"ERROR\",\"code\":\"RUNTIME_INPUT_REJECTED\","
		 "\"message\":\"running turn is not accepting runtime input; "
		 "retry after OUTPUT\",\"session_id\":\"s\","
		 "\"retryable\":true}"),
	    "an INPUT that a turn does not take is rejected as retryable");
	tear_down();
}

static const struct refused_case {
	const char *name;
	const char *frame;
	const char *message;
} refused_cases[] = {
    {"an absent prompt", "{\"type\":\"INPUT\"}", "prompt required"},
    {"an empty prompt", "{\"type\":\"INPUT\",\"prompt\":\"\"}",
	"prompt required"},
    {"a prompt that is a number", "{\"type\":\"INPUT\",\"prompt\":5}",
	"prompt required"},
    {"an input_id that is a number",
	"{\"type\":\"INPUT\",\"prompt\":\"p\",\"input_id\":5}",
	"input_id invalid"},
    {"an input_id with a NUL",
	"{\"type\":\"INPUT\",\"prompt\":\"p\",\"input_id\":\"a\\u0000\"}",
	"input_id invalid"},
    {"a signed prompt",
	"{\"type\":\"INPUT\",\"prompt\":\"p\",\"signature\":\"x\"}",
	"unauthorized: signed request required"},
};

static void test_refused_inputs(void)
{
	set_up();
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]);
	     i++) {
		say(refused_cases[i].frame);
		ok(hears_error(refused_cases[i].message) && hears_nothing(),
		    "%s is refused before CONNECT", refused_cases[i].name);
	}
	(void)connect_to("s");
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]);
	     i++) {
		say(refused_cases[i].frame);
		ok(hears_error(refused_cases[i].message) && hears_nothing(),
		    "%s is refused after CONNECT", refused_cases[i].name);
	}
	fake_session_refuse(all, ERR_BAD_REQUEST, "Invalid file: 0");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"files\":[5]}");
	ok(hears("{\"type\":\"ERROR\",\"message\":\"Invalid file: 0\","
		 "\"session_id\":\"s\"}"),
	    "a bad file is told as the session layer says it");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"input_id\":\"q\"}");
	say("{\"type\":\"INPUT\",\"prompt\":\"x\",\"input_id\":\"q\"}");
	ok(hears_error("input_id reused with different input"),
	    "an input_id names one input");
	tear_down();
}

static void test_bare_input(void)
{
	set_up();
	say("{\"type\":\"PONG\"}");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(hears_of(
	       "CONNECTED", "\"session_id\":\"made-1\",\"status\":\"new\"") &&
		hears_of("AGENT_PROFILE", NULL),
	    "a first INPUT opens an anonymous session");
	fake_session_done(fake_session_get(all, "made-1"), "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"result\":\"r\"") && hears_nothing(),
	    "a first INPUT runs a turn");
	say("{\"type\":\"INPUT\",\"prompt\":\"q\"}");
	fake_session_done(fake_session_get(all, "made-1"), "r2", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"result\":\"r2\""),
	    "the next INPUT of a socket stays in its session");
	tear_down();
}

static void test_bare_refused(void)
{
	set_up();
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"session_id\":\"s\"}");
	ok(hears_error("authenticate first (send CONNECT)"),
	    "an INPUT that names a session needs CONNECT");
	say("{\"type\":\"INTERRUPT\"}");
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(hears("{\"type\":\"ERROR\",\"message\":"
		 "\"authenticate first (send CONNECT)\"}"),
	    "INPUT after another frame needs CONNECT");
	tear_down();
}

#define BARE "{\"type\":\"INPUT\",\"prompt\":\"p\",\"input_id\":\"q\"}"

static void test_bare_repeated(void)
{
	set_up();
	say(BARE);
	ok(hears_of("CONNECTED", "made-1") && hears_of("AGENT_PROFILE", NULL),
	    "a first INPUT with an id opens a session");
	ok(fake_session_log(all)->is_unscoped,
	    "the input_id of a first INPUT belongs to no session");
	fake_wire_gone(&wire);
	wire = fake_wire_open(http, true);
	say(BARE);
	ok(hears_of("CONNECTED",
	       "\"session_id\":\"made-1\",\"status\":\"running\"") &&
		hears_of("AGENT_PROFILE", NULL),
	    "a repeated first INPUT comes back to its session");
	(void)fake_session_emit(fake_session_get(all, "made-1"), EV_THINKING,
	    "e1", "\"content\":\"hm\"");
	fake_session_done(fake_session_get(all, "made-1"), "r", NULL);
	fake_session_run(all);
	ok(hears_of("thinking", NULL) &&
		hears_of("OUTPUT", "\"input_id\":\"q\"") && hears_nothing(),
	    "a repeated first INPUT hears its turn once");
	fake_wire_gone(&wire);
	wire = fake_wire_open(http, true);
	say(BARE);
	ok(hears_of("CONNECTED",
	       "\"session_id\":\"made-1\",\"status\":\"connected\"") &&
		hears_of("AGENT_PROFILE", NULL) &&
		hears_of("OUTPUT", "\"result\":\"r\"") &&
		strstr(frame, "\"input_id\":\"q\"") && hears_nothing(),
	    "a repeated first INPUT gets the result after the turn");
	fake_wire_gone(&wire);
	wire = fake_wire_open(http, true);
	say("{\"type\":\"INPUT\",\"prompt\":\"other\",\"input_id\":\"q\"}");
	ok(hears_of("CONNECTED", "\"status\":\"new\"") &&
		hears_of("AGENT_PROFILE", NULL) &&
		hears_error("input_id reused with different input") &&
		hears_nothing(),
	    "another INPUT with a known input_id learns nothing");
	fake_wire_gone(&wire);
	ok(fake_session_log(all)->opens == 0, "no handle is left open");
	tear_down();
}

static void test_repeated(void)
{
	struct session *s;

	set_up();
	s = connect_to("s");
	say(BARE);
	say(BARE);
	ok(hears_nothing(), "an INPUT sent twice waits for the one turn");
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"input_id\":\"q\"") && hears_nothing(),
	    "an INPUT sent twice gets one OUTPUT");
	say(BARE);
	ok(hears_of("OUTPUT", "\"input_id\":\"q\"") && hears_nothing(),
	    "a repeated INPUT gets the OUTPUT again after the turn");
	say("{\"type\":\"INPUT\",\"prompt\":\"f\",\"input_id\":\"f\"}");
	fake_session_fail(s, "exited");
	fake_session_run(all);
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"f\",\"input_id\":\"f\"}");
	ok(hears_of("ERROR", "\"code\":-32603") &&
		strstr(frame, "\"reason\":\"exited\"") && hears_nothing(),
	    "a failed one hears its ERROR again");
	tear_down();
}

static void test_flood(void)
{
	set_up();
	(void)connect_to("s");
	for (int i = 0; i < 20; i++)
		fake_wire_say(wire, "{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	for (int i = 0; i < 4; i++)
		ok(hears_error("too many inputs at once; wait for an answer"),
		    "input %d in a flood is refused at once", 17 + i);
	fake_session_run(all);
	ok(fake_wire_count(wire) == 15,
	    "the first 16 INPUTs of a flood are taken");
	tear_down();
}

static void test_gone_while_calling(void)
{
	set_up();
	(void)connect_to("s");
	fake_wire_say(wire, "{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	fake_wire_gone(&wire);
	ok(fake_session_log(all)->forgotten == 1,
	    "a client that goes forgets its inputs");
	fake_session_run(all);
	ok(session_status(fake_session_get(all, "s")) == SESSION_RUNNING,
	    "a turn goes on when its client is gone");
	tear_down();
}

/* ---- replay ---- */

static struct session *running_session(void)
{
	struct session *s = fake_session_get(all, "s");

	fake_session_begin(s, NULL);
	fake_session_done(s, "first", NULL);
	fake_session_begin(s, "q");
	(void)fake_session_emit(s, EV_LLM_CALL, "l", "");
	(void)fake_session_emit(s, EV_LLM_RESULT, "l", "");
	(void)fake_session_emit(s, EV_THINKING, "t", "\"content\":\"c\"");
	return s;
}

static void test_replay_whole(void)
{
	struct session *s;

	set_up();
	s = running_session();
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\","
	    "\"last_msg_id\":\"unknown\"}");
	ok(hears_of("CONNECTED", "\"status\":\"running\"") &&
		hears_of("AGENT_PROFILE", NULL),
	    "a CONNECT to a running session says running");
	ok(hears("{\"type\":\"reset\",\"recovered\":false,"
		 "\"session_id\":\"s\"}"),
	    "an unknown last_msg_id gets a reset");
	ok(hears_of("llm_call", NULL) && hears_of("llm_result", NULL) &&
		hears_of("thinking", NULL) && hears_nothing(),
	    "an unknown last_msg_id gets the whole running turn");
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "\"input_id\":\"q\"") && hears_nothing(),
	    "live events and one OUTPUT follow the replay");
	tear_down();
}

static const struct replay_case {
	const char *name;
	const char *last;
	bool is_over;
	const char *frames[5];
} replay_cases[] = {
    {"a known id goes on after its first event", "\"l\"", false,
	{"llm_result", "thinking"}},
    {"the last id leaves nothing to replay", "\"t\"", false, {NULL}},
    {"a null id replays all", "null", false,
	{"llm_call", "llm_result", "thinking"}},
    {"an id that is a number replays all", "5", false,
	{"llm_call", "llm_result", "thinking"}},
    {"a turn that ended meanwhile is told from the id on", "\"l\"", true,
	{"llm_result", "thinking", "OUTPUT"}},
    {"its last id leaves the OUTPUT", "\"t\"", true, {"OUTPUT"}},
    {"a turn that ended is not told without an id", "null", true, {NULL}},
    {"a turn that ended is not told to an unknown id, but a hole is", "\"x\"",
	true, {"reset"}},
};

static void test_replay_cases(void)
{
	char text[200];

	for (size_t i = 0; i < sizeof(replay_cases) / sizeof(replay_cases[0]);
	     i++) {
		const struct replay_case *c = &replay_cases[i];
		bool is_good = true;
		set_up();
		if (c->is_over)
			fake_session_done(
			    running_session(), "r", "{\"messages\":[]}");
		else
			(void)running_session();
		(void)snprintf(text, sizeof(text),
		    "{\"type\":\"CONNECT\",\"session_id\":\"s\","
		    "\"last_msg_id\":%s}",
		    c->last);
		say(text);
		is_good = hears_of("CONNECTED", NULL) &&
			  hears_of("AGENT_PROFILE", NULL);
		for (int n = 0; c->frames[n]; n++)
			is_good = hears_of(c->frames[n], NULL) && is_good;
		ok(hears_nothing() && is_good, "%s", c->name);
		tear_down();
	}
}

static void test_replay_trimmed(void)
{
	struct session *s;

	set_up();
	s = running_session();
	fake_session_trim(s, session_head(s) - 1);
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", NULL) && hears_of("AGENT_PROFILE", NULL) &&
		hears_of("reset", "\"missed\":") &&
		hears_of("thinking", NULL) && hears_nothing(),
	    "events that are gone are told as a hole");
	tear_down();
}

static void test_replay_questions(void)
{
	struct session *s;

	set_up();
	s = running_session();
	(void)fake_session_emit(s, EV_ASK_USER, "a1", "\"question\":\"old\"");
	(void)fake_session_emit(s, EV_ANSWER, "x", "");
	(void)fake_session_emit(s, EV_APPROVAL_NEEDED, "a2", "\"tool\":\"t\"");
	(void)fake_session_emit(s, EV_ANSWER, "x", "");
	(void)fake_session_emit(
	    s, EV_PLAN_REVIEW, "a3", "\"plan_content\":\"p\"");
	(void)fake_session_emit(s, EV_ANSWER, "x", "");
	(void)fake_session_emit(s, EV_ASK_USER, "a4", "\"question\":\"new\"");
	(void)fake_session_emit(s, EV_THINKING, "t2", "\"content\":\"c\"");
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\","
	    "\"last_msg_id\":\"t\"}");
	ok(hears_of("CONNECTED", NULL) && hears_of("AGENT_PROFILE", NULL) &&
		hears_of("ask_user", "\"question\":\"new\"") &&
		hears_of("thinking", NULL) && hears_nothing(),
	    "only the question that still waits is replayed");
	(void)fake_session_emit(s, EV_APPROVAL_NEEDED, "a5", "\"tool\":\"t\"");
	fake_session_run(all);
	ok(hears_of("approval_needed", NULL), "live questions always come");
	tear_down();
}

static void test_two_clients(void)
{
	struct wire *first, *second;
	struct session *s;

	set_up();
	first = wire;
	s = connect_to("s");
	wire = second = fake_wire_open(http, true);
	(void)connect_to("s");
	wire = first;
	say("{\"type\":\"INPUT\",\"prompt\":\"p\",\"input_id\":\"q\"}");
	(void)fake_session_emit(s, EV_THINKING, "t", "\"content\":\"c\"");
	fake_session_run(all);
	ok(hears_of("thinking", NULL) && hears_nothing(),
	    "the client that asked hears the events");
	wire = second;
	ok(hears_of("thinking", NULL) && hears_nothing(),
	    "another client of the session hears the events");
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", NULL) && hears_nothing(),
	    "the second client hears one OUTPUT");
	fake_wire_gone(&wire);
	wire = first;
	ok(hears_of("OUTPUT", NULL) && hears_nothing(),
	    "the first client hears one OUTPUT");
	tear_down();
}

static void test_slow_client(void)
{
	char body[5000];
	struct session *s;
	size_t sent = 0, taken;

	set_up();
	s = connect_to("s");
	fake_wire_stall(wire, true);
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	(void)snprintf(body, sizeof(body), "\"content\":\"%04000d\"", 0);
	for (int i = 0; i < 500; i++)
		(void)fake_session_emit(s, EV_THINKING, "t", body);
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	taken = fake_wire_count(wire);
	ok(taken > 10 && taken < 100,
	    "a client that does not read is sent no more than the mark");
	while (sent < 501 && fake_wire_count(wire) > 0) {
		while (fake_wire_next(wire))
			sent++;
		fake_wire_stall(wire, false);
		fake_wire_stall(wire, true);
	}
	ok(sent == 501, "a slow client gets all frames in order as it reads");
	tear_down();
}

/* ---- answers ---- */

static const struct answer_case {
	const char *name;
	enum event_type kind;
	const char *frame;
	const char *answer; /* NULL: an ERROR with 'error' */
	const char *error;
} answer_cases[] = {
    {"an answer is a string", EV_ASK_USER,
	"{\"type\":\"ASK_USER_RESPONSE\",\"answer\":\"A\\n\"}", "\"A\\n\"",
	NULL},
    {"several choices are joined", EV_ASK_USER,
	"{\"type\":\"ASK_USER_RESPONSE\",\"answer\":[\"A\",\"B\",3]}",
	"\"A, B, 3\"", NULL},
    {"no choice is an empty answer", EV_ASK_USER,
	"{\"type\":\"ASK_USER_RESPONSE\",\"answer\":[]}", "\"\"", NULL},
    {"an answer of another type is refused", EV_ASK_USER,
	"{\"type\":\"ASK_USER_RESPONSE\",\"answer\":5}", NULL,
	"answer required"},
    {"a plan gets any text", EV_PLAN_REVIEW,
	"{\"type\":\"PLAN_REVIEW_RESPONSE\",\"message\":\"fine\"}", "\"fine\"",
	NULL},
    {"a plan without text is refused", EV_PLAN_REVIEW,
	"{\"type\":\"PLAN_REVIEW_RESPONSE\"}", NULL, "message required"},
    {"a yes has a scope", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true,"
	"\"scope\":\"session\"}",
	"{\"approved\":true,\"scope\":\"session\"}", NULL},
    {"a yes without a scope is for once", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true}",
	"{\"approved\":true,\"scope\":\"once\"}", NULL},
    {"a yes of unknown scope is a no", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true,"
	"\"scope\":\"ever\"}",
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_hard\"}",
	NULL},
    {"\"yes\" is a no", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":\"yes\"}",
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_hard\"}",
	NULL},
    {"a no has mode and feedback", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":false,\"scope\":"
	"\"session\",\"mode\":\"reject_soft\",\"feedback\":\"not "
	"\\\"now\\\"\"}",
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_soft\","
	"\"feedback\":\"not \\\"now\\\"\"}",
	NULL},
    {"a no of unknown mode is a hard one", EV_APPROVAL_NEEDED,
	"{\"type\":\"APPROVAL_RESPONSE\",\"approved\":false,\"mode\":7}",
	"{\"approved\":false,\"scope\":\"once\",\"mode\":\"reject_hard\"}",
	NULL},
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]);
	     i++) {
		const struct answer_case *c = &answer_cases[i];
		const struct fake_session_log *log;
		set_up();
		log = fake_session_log(all);
		(void)connect_to("s");
		say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
		(void)fake_session_emit(
		    fake_session_get(all, "s"), c->kind, "e", "");
		fake_session_run(all);
		forget_frames();
		say(c->frame);
		ok(c->answer ? hears_nothing() && log->answer_kind == c->kind &&
				   strcmp(log->answer, c->answer) == 0
			     : hears_error(c->error) && log->answer[0] == '\0',
		    "%s", c->name);
		tear_down();
	}
}

static const char *const stray_answers[] = {
    "ASK_USER_RESPONSE\",\"answer\":\"A",
    "PLAN_REVIEW_RESPONSE\",\"message\":\"A", "ULW_RESPONSE", "prompt_update",
    "APPROVAL_RESPONSE"};

static void test_stray_answers(void)
{
	char text[120];
	size_t n = sizeof(stray_answers) / sizeof(stray_answers[0]);

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(
		    text, sizeof(text), "{\"type\":\"%s\"}", stray_answers[i]);
		set_up();
		say(text);
		ok(hears_of("ERROR", "\"unknown message type: '"),
		    "%.12s before CONNECT is unknown", stray_answers[i]);
		(void)connect_to("s");
		say(text);
		ok(hears_of("ERROR", "\"unknown message type: '"),
		    "%.12s before any turn is unknown", stray_answers[i]);
		say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
		say(text);
		if (i + 1 < n)
			ok(hears_nothing(), "%.12s in a turn is passed over",
			    stray_answers[i]);
		else
			ok(hears_error("unknown or stale approval response"),
			    "a stray approval in a turn is refused");
		tear_down();
	}
}

static void test_double_approval(void)
{
	static const char yes[] =
	    "{\"type\":\"APPROVAL_RESPONSE\",\"approved\":true}";
	struct session *s;

	set_up();
	s = connect_to("s");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	(void)fake_session_emit(s, EV_APPROVAL_NEEDED, "e", "");
	fake_session_run(all);
	forget_frames();
	say("{\"type\":\"ASK_USER_RESPONSE\",\"answer\":\"A\"}");
	ok(fake_session_log(all)->answer[0] == '\0',
	    "an answer of another kind leaves the approval waiting");
	say(yes);
	say(yes);
	ok(hears_nothing(), "a second approval disturbs nothing");
	fake_session_done(s, "r", NULL);
	fake_session_run(all);
	forget_frames();
	say(yes);
	ok(hears_nothing(), "an approval after the turn is ignored");
	tear_down();
}

/* ---- other frames ---- */

static const struct frame_case {
	const char *name;
	const char *frame;
	const char *answer;
} frame_cases[] = {
    {"PING gets PONG", "{\"type\":\"PING\"}", "{\"type\":\"PONG\"}"},
    {"PONG gets nothing", "{\"type\":\"PONG\"}", NULL},
    {"an empty frame has no type", "",
	"{\"type\":\"ERROR\",\"message\":\"unknown message type: None\"}"},
    {"an empty object has no type", "{}",
	"{\"type\":\"ERROR\",\"message\":\"unknown message type: None\"}"},
    {"an unknown type is told as Python does", "{\"type\":\"FOO\"}",
	"{\"type\":\"ERROR\",\"message\":\"unknown message type: 'FOO'\"}"},
    {"its quotes too", "{\"type\":\"it's\\n\"}",
	"{\"type\":\"ERROR\",\"message\":"
	"\"unknown message type: \\\"it's\\\\n\\\"\"}"},
    {"a type may be a number", "{\"type\":5}",
	"{\"type\":\"ERROR\",\"message\":\"unknown message type: 5\"}"},
    {"a type may be true", "{\"type\":true}",
	"{\"type\":\"ERROR\",\"message\":\"unknown message type: True\"}"},
    {"an array is no frame", "[1]",
	"{\"type\":\"ERROR\",\"message\":\"Invalid JSON: Expecting object at "
	"line 1 col 1 (pos 0)\",\"received\":\"[1]\"}"},
    {"bad JSON is told with its place", "{type: 1}",
	"{\"type\":\"ERROR\",\"message\":\"Invalid JSON: Expecting property "
	"name enclosed in double quotes at line 1 col 2 (pos 1)\","
	"\"received\":\"{type: 1}\"}"},
    {"a guest signs", "{\"type\":\"ONBOARD_SUBMIT\"}",
	"{\"type\":\"ERROR\",\"message\":"
	"\"unauthorized: signed request required\"}"},
    {"modes need CONNECT", "{\"type\":\"mode_change\",\"mode\":\"auto\"}",
	"{\"type\":\"ERROR\",\"message\":\"mode change is unavailable\"}"},
    {"EXEC needs CONNECT", "{\"type\":\"EXEC\",\"tool\":\"bash\"}",
	"{\"type\":\"ERROR\",\"message\":"
	"\"authenticate first (send CONNECT)\"}"},
    {"INTERRUPT needs a turn", "{\"type\":\"INTERRUPT\"}",
	"{\"type\":\"ERROR\",\"message\":"
	"\"interrupt requires an active turn\"}"},
    {"an unknown session is not found",
	"{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":\"x\"}}",
	"{\"type\":\"SESSION_STATUS\",\"session_id\":\"x\","
	"\"status\":\"not_found\"}"},
    {"no session is not found", "{\"type\":\"SESSION_STATUS\"}",
	"{\"type\":\"SESSION_STATUS\",\"session_id\":null,"
	"\"status\":\"not_found\"}"},
    {"there are no providers to stop",
	"{\"type\":\"PROVIDER_INTERRUPT\",\"requestId\":\"r\","
	"\"invocationId\":\"i\"}",
	"{\"type\":\"PROVIDER_INTERRUPT_ACK\",\"requestId\":\"r\","
	"\"invocationId\":\"i\",\"accepted\":false,\"reason\":\"not_active\"}"},
    {"an empty requestId is invalid",
	"{\"type\":\"PROVIDER_INTERRUPT\",\"requestId\":\"\"}",
	"{\"type\":\"PROVIDER_INTERRUPT_ACK\",\"requestId\":\"\","
	"\"invocationId\":null,\"accepted\":false,"
	"\"reason\":\"invalid_request\"}"},
    {"an old stop is refused", "{\"type\":\"PROVIDER_INTERRUPT\"}",
	"{\"type\":\"ERROR\",\"message\":"
	"\"provider stop requires the exact active provider run\"}"},
    {"a provider's input has a revision",
	"{\"type\":\"PROVIDER_INPUT\",\"requestId\":\"r\",\"text\":\"t\","
	"\"stateRevision\":0}",
	"{\"type\":\"PROVIDER_INPUT_ACK\",\"requestId\":\"r\","
	"\"invocationId\":null,\"accepted\":false,"
	"\"reason\":\"invalid_revision\"}"},
    {"a provider's input has a text",
	"{\"type\":\"PROVIDER_INPUT\",\"requestId\":\"r\","
	"\"stateRevision\":1}",
	"{\"type\":\"PROVIDER_INPUT_ACK\",\"requestId\":\"\","
	"\"invocationId\":null,\"accepted\":false,"
	"\"reason\":\"invalid_request\"}"},
};

static void test_frames(void)
{
	set_up();
	for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]);
	     i++) {
		const struct frame_case *c = &frame_cases[i];
		say(c->frame);
		ok((c->answer ? hears(c->answer) : true) && hears_nothing(),
		    "%s", c->name);
	}
	fake_wire_say_binary(wire);
	ok(hears("{\"type\":\"ERROR\",\"message\":\"Invalid JSON: Expecting "
		 "text frame at line 1 col 1 (pos 0)\"}"),
	    "a binary frame is refused");
	(void)connect_to("s");
	ok(fake_wire_closed(wire) == 0, "no wrong frame closes the socket");
	say("{\"type\":\"EXEC\",\"exec_id\":\"x\",\"tool\":\"bash\"}");
	ok(hears("{\"type\":\"EXEC_RESULT\",\"exec_id\":\"x\",\"tool\":"
		 "\"bash\",\"status\":\"error\",\"error\":\"forbidden: exec "
		 "requires an authenticated caller\",\"duration_ms\":0}"),
	    "EXEC needs a caller");
	say("{\"type\":\"EXEC\",\"exec_id\":5}");
	ok(hears("{\"type\":\"EXEC_RESULT\",\"exec_id\":null,\"status\":"
		 "\"error\",\"error\":\"tool required\",\"duration_ms\":0}"),
	    "EXEC needs a tool");
	tear_down();
}

static void test_received(void)
{
	struct buf text = {0};

	set_up();
	for (int i = 0; i < 201; i++)
		buf_str(&text, "é");
	say(buf_cstr(&text));
	ok(hears_of("ERROR", "é...(truncated)\"}"),
	    "a long bad text is cut after whole characters");
	ok(frame && strlen(strstr(frame, "\"received\":")) ==
			strlen("\"received\":\"\"}") + 400 + 14,
	    "a long bad text is cut to 200 characters");
	buf_reset(&text);
	for (int i = 0; i < 100000; i++)
		buf_char(&text, '[');
	say(buf_cstr(&text));
	ok(hears_of("ERROR", "\"received\":\"[[[["), "deep nesting is refused");
	buf_fini(&text);
	tear_down();
}

static void test_interrupt(void)
{
	struct session *s;

	set_up();
	s = connect_to("s");
	say("{\"type\":\"INTERRUPT\"}");
	ok(hears_error("interrupt requires an active turn"),
	    "an idle session has nothing to interrupt");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	say("{\"type\":\"INTERRUPT\"}");
	ok(hears_nothing() && fake_session_log(all)->interrupts == 1 &&
		!fake_session_log(all)->pauses,
	    "a running turn is interrupted");
	say("{\"type\":\"NEWS\"}");
	ok(hears_nothing(), "unknown frames in a turn are passed over");
	fake_session_done(s, "What would you like me to do?", NULL);
	fake_session_run(all);
	ok(hears_of("OUTPUT", "What would you like me to do?"),
	    "an interrupted turn ends with OUTPUT");
	tear_down();
}

static void test_session_status(void)
{
	struct session *s;

	set_up();
	s = connect_to("s");
	say("{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":\"s\"}}");
	ok(hears_of("SESSION_STATUS", "\"status\":\"connected\""),
	    "an idle session is connected");
	fake_session_begin(s, NULL);
	say("{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":\"s\"}}");
	ok(hears_of("SESSION_STATUS", "\"status\":\"running\""),
	    "a session with a turn is running");
	fake_wire_gone(&wire);
	wire = fake_wire_open(http, true);
	say("{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":\"s\"}}");
	ok(hears_of("SESSION_STATUS", "\"status\":\"running\""),
	    "another socket may ask for the status of a session");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(hears_of("CONNECTED", NULL),
	    "a socket that asked for a status may send a first INPUT");
	tear_down();
}

static void test_signs_of_life(void)
{
	struct wire *other;
	unsigned before;

	set_up();
	(void)connect_to("s");
	before = fake_session_log(all)->touches;
	say("{\"type\":\"PONG\"}");
	ok(fake_session_log(all)->touches == before + 1,
	    "PONG keeps the session");
	fake_wire_pass_ms(20000);
	ok(hears_nothing(), "there is no PING before its time");
	other = fake_wire_open(http, true);
	fake_wire_pass_ms(10000);
	ok(hears("{\"type\":\"PING\"}") && hears_nothing(),
	    "PING comes every 30 s");
	ok(fake_wire_count(other) == 0, "PING comes by each socket's own time");
	fake_wire_pass_ms(20000);
	ok(fake_wire_count(other) == 1 && fake_wire_count(wire) == 0,
	    "PING comes before CONNECT");
	fake_wire_pass_ms(10000);
	ok(hears("{\"type\":\"PING\"}"), "PING comes again after another 30 s");
	fake_wire_gone(&other);
	fake_wire_pass_ms(90000);
	ok(hears("{\"type\":\"PING\"}") && fake_wire_closed(wire) == 0,
	    "a client that never answers is not closed");
	tear_down();
}

/* ---- the page ---- */

static void write_page(const char *text)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/dashboard.html", folder);
	if (!text) {
		(void)unlink(path); /* may not be there */
		return;
	}
	f = fopen(path, "w");
	ok(f && fputs(text, f) >= 0 && fclose(f) == 0, "a page is written");
}

static void end_a_turn(void)
{
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	fake_session_done(fake_session_get(all, "s"), "r", NULL);
	fake_session_run(all);
}

static void test_dashboard(void)
{
	write_page("<p>\"one\"</p>");
	set_up();
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\"}");
	ok(hears_of("CONNECTED", NULL) && hears_of("AGENT_PROFILE", NULL) &&
		hears("{\"type\":\"DASHBOARD_SNAPSHOT\",\"html\":"
		      "\"<p>\\\"one\\\"</p>\",\"session_id\":\"s\"}"),
	    "DASHBOARD_SNAPSHOT follows AGENT_PROFILE");
	end_a_turn();
	ok(hears_of("OUTPUT", NULL) && hears_nothing(),
	    "an unchanged page is not sent after OUTPUT");
	write_page("<p>two</p>");
	fake_wire_pass_ms(2000);
	end_a_turn();
	ok(hears_of("OUTPUT", NULL) &&
		hears_of("DASHBOARD_SNAPSHOT", "<p>two</p>"),
	    "a changed page is sent after OUTPUT");
	write_page(NULL);
	fake_wire_pass_ms(2000);
	end_a_turn();
	ok(hears_of("OUTPUT", NULL) && hears_nothing(),
	    "a page that was removed is not told");
	tear_down();
}

/* ---- the log ---- */

static void read_log(struct buf *text, const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		return;
	text->len += fread(buf_reserve(text, 65536), 1, 65536, f);
	(void)fclose(f); /* only read */
}

static const char *const log_lines[] = {
    "⚡ ws+ 127.0.0.1 (0 active)\n",
    "OIP_COMPAT transport=direct peer=legacy outcome=accepted\n",
    "✓ CONNECT identity=anonymous session=s-12... status=new\n",
    "  ↑ client session: 2 messages\n",
    "✓ INPUT identity=anonymous session=s-12... prompt=line\\ntwo...\n",
    "  ↑ 1 images, 0 files\n",
    "↳ RUNTIME_INPUT session=s-12... prompt=more...\n",
    "← recv: INTERRUPT\n",
    "⚡ ws- (1 active)\n",
};

static void test_log(void)
{
	char path[64];
	struct buf text = {0};

	(void)snprintf(path, sizeof(path), "%s/log", folder);
	ok(log_open(path) == 0, "a log is opened");
	log_threshold(LOG_INFO);
	set_up();
	say("{\"type\":\"CONNECT\",\"session_id\":\"s-1234\",\"session\":"
	    "{\"messages\":[1,2]}}");
	say("{\"type\":\"INPUT\",\"prompt\":\"line\\ntwo\",\"images\":[\"x\"]"
	    "}");
	say("{\"type\":\"INPUT\",\"prompt\":\"more\"}");
	say("{\"type\":\"INTERRUPT\"}");
	fake_wire_gone(&wire);
	read_log(&text, path);
	for (size_t i = 0; i < sizeof(log_lines) / sizeof(log_lines[0]); i++)
		ok(strstr(buf_cstr(&text), log_lines[i]) != NULL,
		    "the log has %.*s", (int)strlen(log_lines[i]) - 1,
		    log_lines[i]);
	log_threshold(LOG_ERROR);
	(void)unlink(path); /* the folder is removed next */
	buf_fini(&text);
	tear_down();
}

/* ---- the door itself ---- */

static void test_door(void)
{
	struct wire *refused;

	set_up();
	refused = fake_wire_open(http, false);
	ok(!refused && fake_wire_status() == 400,
	    "a handshake that is none is refused");
	(void)connect_to("s");
	oip_door.close_all();
	ok(fake_wire_closed(wire) == 1012,
	    "a restart closes every socket with 1012");
	refused = fake_wire_open(http, true);
	ok(!refused && fake_wire_status() == 503,
	    "a handshake during a restart is refused with 503");
	tear_down();
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = mem_strdup(text);
}

int main(void)
{
	log_threshold(LOG_ERROR);
	struct err err;
	conf_init(&conf);
	permit = permit_open("", &err);
	ok(mkdtemp(folder) != NULL, "there is a folder");
	set_text(&conf.address, "0xab");
	set_text(&conf.co_dir, folder);
	set_text(&conf.project_dir, folder);
	test_connect_new();
	test_connect_cases();
	test_long_id();
	test_full();
	test_second_connect();
	test_turn_while_greeted();
	test_turns_while_greeted();
	test_server_newer();
	test_old_clients();
	test_turn();
	test_runtime_input();
	test_refused_inputs();
	test_bare_input();
	test_bare_refused();
	test_bare_repeated();
	test_repeated();
	test_flood();
	test_gone_while_calling();
	test_replay_whole();
	test_replay_cases();
	test_replay_trimmed();
	test_replay_questions();
	test_two_clients();
	test_slow_client();
	test_answers();
	test_stray_answers();
	test_double_approval();
	test_frames();
	test_received();
	test_interrupt();
	test_session_status();
	test_signs_of_life();
	test_dashboard();
	test_log();
	test_door();
	conf_fini(&conf);
	ok(rmdir(folder) == 0, "the folder is removed");
	return done();
}
