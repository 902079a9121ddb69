/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Who a client of the ConnectOnion door is: signatures, the order of frames
 * behind them, onboarding, tools and modes; over fakes of everything else.
 */
#include "oip/oip_socket.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/permit.h"
#include "net/wire.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_session.h"
#include "t/unit/fake_wire.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>

#define ANNA \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define BERT \
	"0x2222222222222222222222222222222222222222222222222222222222222222"
#define SIGNED_BY(who) "\"from\":\"" who "\",\"signature\":\"good\""

static const char *const tools[] = {"echo", NULL};
static const struct agent_about about = {
    .name = "demo",
    .model = "none",
    .tools = tools,
    .skills = "[{\"name\":\"a\",\"location\":\"user\"},"
	      "{\"name\":\"b\",\"location\":\"project\"}]",
};
static struct conf conf;
static struct permit *permit;
static struct door_setup setup;
static struct http *http;
static struct sessions *all;
static struct access *access_;
static struct wire *wire;
static const char *frame;

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
	    .name = "demo",
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

/* Say it, and let no verdict come. */
static void whisper(const char *text)
{
	fake_wire_say(wire, text);
}

static void judge(void)
{
	while (fake_access_waiting(access_))
		fake_access_run(access_);
	fake_session_run(all);
}

static void say(const char *text)
{
	whisper(text);
	judge();
}

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

static void connect_v1(const char *id)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"CONNECT\",\"session_id\":\"%s\",\"payload\":{}"
	    "," SIGNED_BY(ANNA) "}",
	    id);
	say(text);
	forget_frames();
}

static void connect_v2(const char *id)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
	    "{\"type\":\"CONNECT\",\"session_id\":\"%s\","
	    "\"payload\":{\"signed_commands\":1}," SIGNED_BY(ANNA) "}",
	    id);
	say(text);
	forget_frames();
}

/* ---- CONNECT ---- */

static void test_connect(void)
{
	set_up();
	whisper("{\"type\":\"CONNECT\",\"session_id\":\"s\",\"payload\":{}"
		"," SIGNED_BY(ANNA) "}");
	ok(hears_nothing() && wire->is_paused,
	    "a signed CONNECT waits for its verdict, and reading stops");
	whisper("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	whisper("{\"type\":\"PING\"}");
	ok(hears_nothing(), "frames behind a CONNECT wait for its verdict");
	judge();
	ok(hears_of("CONNECTED", "\"session_id\":\"s\"") &&
		hears_of("AGENT_PROFILE", NULL) && hears_of("PONG", NULL),
	    "frames are answered in their order after the verdict");
	ok(!wire->is_paused && strcmp(fake_session_log(all)->prompt, "p") == 0,
	    "reading goes on after the verdict");
	tear_down();
}

static void test_bad_signature(void)
{
	set_up();
	say("{\"type\":\"CONNECT\",\"payload\":{},\"from\":\"" ANNA
	    "\",\"signature\":\"bad\"}");
	ok(hears_error("unauthorized: invalid signature") && hears_nothing(),
	    "a bad signature is never taken for an anonymous caller");
	say("{\"type\":\"CONNECT\",\"payload\":{}," SIGNED_BY(ANNA) "}");
	ok(hears_of("CONNECTED", NULL),
	    "a CONNECT with a good signature may follow a refused one");
	tear_down();
}

static void test_closed(void)
{
	set_up();
	fake_access_close(access_, true);
	say("{\"type\":\"CONNECT\"}");
	ok(hears_error("unauthorized: signed request required"),
	    "where nobody may be anonymous, CONNECT has to be signed");
	tear_down();
	set_up();
	fake_access_close(access_, true);
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(hears_error("authenticate first (send CONNECT)"),
	    "a bare INPUT where nobody may be anonymous is refused");
	tear_down();
}

static void test_gone_while_waiting(void)
{
	set_up();
	whisper("{\"type\":\"CONNECT\",\"payload\":{}," SIGNED_BY(ANNA) "}");
	whisper("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	fake_wire_gone(&wire);
	judge();
	ok(fake_session_log(all)->opens == 0,
	    "a client that leaves before its verdict leaves nothing behind");
	tear_down();
}

static void test_foreign_session(void)
{
	set_up();
	connect_v1("hers");
	struct wire *first = wire;
	wire = fake_wire_open(http, true);
	say("{\"type\":\"CONNECT\",\"session_id\":\"hers\",\"payload\":{}"
	    "," SIGNED_BY(BERT) "}");
	ok(hears_of("CONNECTED", "\"status\":\"new\"") &&
		!strstr(frame, "\"hers\""),
	    "a CONNECT to the session of another client gets a new one");
	say("{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":"
	    "\"hers\"}}");
	ok(hears_of("AGENT_PROFILE", NULL) &&
		hears_of("SESSION_STATUS", "\"not_found\""),
	    "the status of another client's session is not_found");
	fake_wire_gone(&wire);
	wire = first;
	say("{\"type\":\"SESSION_STATUS\",\"session\":{\"session_id\":"
	    "\"hers\"}}");
	ok(hears_of("SESSION_STATUS", "\"connected\""),
	    "the status of a session is shown to its owner");
	tear_down();
}

static void test_profile(void)
{
	set_up();
	say("{\"type\":\"CONNECT\"}");
	ok(hears_of("CONNECTED", NULL) &&
		hears_of("AGENT_PROFILE", "\"skills\":[{\"name\":\"b\""),
	    "a stranger is told of the skills of the project");
	tear_down();
	set_up();
	fake_access_level(access_, "contact");
	say("{\"type\":\"CONNECT\",\"payload\":{}," SIGNED_BY(ANNA) "}");
	ok(hears_of("CONNECTED", NULL) &&
		hears_of("AGENT_PROFILE", "\"skills\":[{\"name\":\"a\""),
	    "a contact is told of all skills");
	tear_down();
}

/* ---- commands ---- */

static const struct {
	const char *name;
	const char *frame;
	const char *error;
} command_cases[] = {
    {"an unsigned one", "{\"type\":\"INPUT\",\"prompt\":\"p\"}",
	"unauthorized: signed command required"},
    {"one of another signer",
	"{\"type\":\"INPUT\",\"payload\":{\"type\":\"INPUT\",\"nonce\":\"n\"}"
	"," SIGNED_BY(BERT) "}",
	"unauthorized: command signer does not own this connection"},
    {"one of another type",
	"{\"type\":\"INPUT\",\"payload\":{\"type\":\"EXEC\",\"nonce\":\"n\"}"
	"," SIGNED_BY(ANNA) "}",
	"unauthorized: signed command type mismatch"},
    {"one with an empty nonce",
	"{\"type\":\"INPUT\",\"payload\":{\"type\":\"INPUT\",\"nonce\":\"\"}"
	"," SIGNED_BY(ANNA) "}",
	"unauthorized: signed command nonce required"},
    {"one without a nonce",
	"{\"type\":\"INPUT\",\"payload\":{\"type\":\"INPUT\"}," SIGNED_BY(
	    ANNA) "}",
	"unauthorized: signed command nonce required"},
    {"a badly signed one",
	"{\"type\":\"INPUT\",\"payload\":{\"type\":\"INPUT\"},\"from\":\"" ANNA
	"\",\"signature\":\"bad\"}",
	"unauthorized: invalid signature"},
    {"an unknown one that is unsigned", "{\"type\":\"FOO\"}",
	"unauthorized: signed command required"},
};

static void test_commands(void)
{
	set_up();
	connect_v2("s");
	for (size_t i = 0; i < sizeof(command_cases) / sizeof(command_cases[0]);
	     i++) {
		say(command_cases[i].frame);
		ok(hears_error(command_cases[i].error) && hears_nothing(),
		    "a socket with signed commands refuses %s",
		    command_cases[i].name);
	}
	say("{\"type\":\"INPUT\",\"prompt\":\"no\",\"payload\":{\"type\":"
	    "\"INPUT\",\"prompt\":\"yes\",\"nonce\":\"n\"}," SIGNED_BY(
		ANNA) "}");
	ok(strcmp(fake_session_log(all)->prompt, "yes") == 0,
	    "only what is signed counts, not what stands beside it");
	say("{\"type\":\"PING\"}");
	ok(hears_of("PONG", NULL), "signs of life need no signature");
	tear_down();
}

static void test_signed_input(void)
{
	set_up();
	connect_v1("s");
	say("{\"type\":\"INPUT\",\"prompt\":\"no\",\"payload\":{\"prompt\":"
	    "\"yes\"}," SIGNED_BY(ANNA) "}");
	ok(strcmp(fake_session_log(all)->prompt, "yes") == 0,
	    "a signed INPUT runs the signed prompt");
	say("{\"type\":\"INPUT\",\"prompt\":\"no\",\"payload\":{\"prompt\":"
	    "\"x\"},\"from\":\"" ANNA "\",\"signature\":\"bad\"}");
	ok(hears_error("unauthorized: invalid signature") &&
		strcmp(fake_session_log(all)->prompt, "yes") == 0,
	    "a badly signed INPUT runs no prompt");
	tear_down();
	set_up();
	say("{\"type\":\"INPUT\",\"payload\":{\"prompt\":\"first\"}," SIGNED_BY(
	    ANNA) "}");
	ok(hears_of("CONNECTED", "\"status\":\"new\"") &&
		strcmp(fake_session_log(all)->prompt, "first") == 0,
	    "a signed INPUT may come first");
	tear_down();
}

static void test_blocked(void)
{
	set_up();
	connect_v1("s");
	fake_access_level(access_, "blocked");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(hears_error("forbidden: blocked") &&
		fake_session_log(all)->prompt[0] == 0,
	    "a blocked client can do nothing more on an open connection");
	tear_down();
}

/* ---- onboarding ---- */

static void test_onboarding(void)
{
	set_up();
	fake_access_door(access_);
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\",\"payload\":{}"
	    "," SIGNED_BY(ANNA) "}");
	ok(hears_of("ONBOARD_REQUIRED",
	       "\"identity\":\"" ANNA "\",\"methods\":[\"invite_code\"]") &&
		hears_nothing(),
	    "a stranger is told of the doors that are open");
	say("{\"type\":\"ONBOARD_SUBMIT\",\"payload\":{\"invite_code\":\"x\"}"
	    "," SIGNED_BY(ANNA) "}");
	ok(hears_error("Invalid invite code"), "a wrong code does not fit");
	say("{\"type\":\"ONBOARD_SUBMIT\",\"payload\":{\"invite_code\":"
	    "\"code\"}," SIGNED_BY(BERT) "}");
	ok(hears_error("unauthorized: signer does not match CONNECT"),
	    "an invite code from another signer is refused");
	say("{\"type\":\"ONBOARD_SUBMIT\",\"payload\":{\"invite_code\":"
	    "\"code\"}," SIGNED_BY(ANNA) "}");
	ok(hears_of("ONBOARD_SUCCESS",
	       "\"level\":\"contact\",\"message\":\"Invite code verified. "
	       "You are now a contact.\"") &&
		hears_of("CONNECTED", "\"session_id\":\"s\""),
	    "after the right one the CONNECT that waited is answered");
	forget_frames();
	say("{\"type\":\"INPUT\",\"prompt\":\"\"}");
	ok(hears_nothing(), "an empty INPUT that comes by itself is no fault");
	say("{\"type\":\"INPUT\",\"prompt\":\"p\"}");
	ok(strcmp(fake_session_log(all)->prompt, "p") == 0 && hears_nothing(),
	    "a turn runs after onboarding");
	tear_down();
}

/* ---- tools and modes ---- */

static const struct {
	const char *name;
	const char *level;
	const char *frame;
	const char *result;
} exec_cases[] = {
    {"a stranger", "stranger",
	"{\"type\":\"EXEC\",\"exec_id\":\"1\",\"tool\":\"echo\"}",
	"\"error\":\"forbidden: exec requires a contact or admin, you are "
	"stranger\""},
    {"no tool", "contact", "{\"type\":\"EXEC\",\"exec_id\":\"1\"}",
	"\"error\":\"tool required\""},
    {"a tool that is not permitted", "contact",
	"{\"type\":\"EXEC\",\"exec_id\":\"1\",\"tool\":\"rm\"}",
	"\"error\":\"blocked: 'rm' is not in the permission whitelist. Allow "
	"it by adding a rule to .co/host.yaml permissions.\""},
    {"a tool that is not there", "contact",
	"{\"type\":\"EXEC\",\"exec_id\":\"1\",\"tool\":\"gone\"}",
	"\"error\":\"unknown tool 'gone' (available: ['echo'])\""},
    {"arguments that are no object", "contact",
	"{\"type\":\"EXEC\",\"exec_id\":\"1\",\"tool\":\"echo\",\"args\":[]}",
	"\"error\":\"args must be an object\""},
    {"a contact", "contact",
	"{\"type\":\"EXEC\",\"exec_id\":\"1\",\"tool\":\"echo\",\"args\":"
	"{\"a\":1}}",
	"\"exec_id\":\"1\",\"tool\":\"echo\",\"status\":\"success\","
	"\"result\":\"{\\\"a\\\":1}\""},
};

static void test_exec(void)
{
	for (size_t i = 0; i < sizeof(exec_cases) / sizeof(exec_cases[0]);
	     i++) {
		set_up();
		fake_access_level(access_, exec_cases[i].level);
		connect_v1("s");
		say(exec_cases[i].frame);
		ok(hears_of("EXEC_RESULT", exec_cases[i].result),
		    "EXEC answers %s", exec_cases[i].name);
		tear_down();
	}
}

static const struct {
	const char *word;
	const char *type;
	const char *text;
} mode_cases[] = {
    {"auto", "mode_changed", "\"mode\":\"auto\",\"turns_left\":null"},
    {"plan", "mode_changed", "\"mode\":\"plan\",\"turns_left\":null"},
    {"safe", "mode_changed", "\"mode\":\"safe\",\"turns_left\":null"},
    {":workspace", "mode_changed", "\"mode\":\":workspace\""},
    {"ulw", "ERROR", "\"message\":\"Permission mode is not available\""},
    {"bogus", "ERROR",
	"\"message\":\"Unsupported permission profile: 'bogus'\""},
};

static void test_modes(void)
{
	for (size_t i = 0; i < sizeof(mode_cases) / sizeof(mode_cases[0]);
	     i++) {
		char text[100];
		set_up();
		connect_v1("s");
		(void)snprintf(text, sizeof(text),
		    "{\"type\":\"mode_change\",\"mode\":\"%s\"}",
		    mode_cases[i].word);
		say(text);
		ok(hears_of(mode_cases[i].type, mode_cases[i].text),
		    "mode %s is answered", mode_cases[i].word);
		tear_down();
	}
	set_up();
	connect_v1("s");
	fake_session_begin(fake_session_get(all, "s"), NULL);
	say("{\"type\":\"mode_change\",\"mode\":\"auto\"}");
	ok(hears_of("ERROR", "\"code\":-32000,\"message\":\"Session is busy\""),
	    "a mode changes between turns only");
	tear_down();
}

static void test_full_access(void)
{
	conf.full_access_turns = 5;
	set_up();
	fake_access_level(access_, "contact");
	connect_v1("s");
	say("{\"type\":\"mode_change\",\"mode\":\"ulw\",\"turns\":3}");
	ok(hears_of("mode_changed", "\"mode\":\"ulw\",\"turns_left\":3"),
	    "full access is for so many turns");
	say("{\"type\":\"mode_change\",\"mode\":\"full-access\",\"turns\":9}");
	ok(hears_of(
	       "mode_changed", "\"mode\":\"full-access\",\"turns_left\":5"),
	    "full access lasts no more turns than the operator allows");
	tear_down();
	set_up();
	connect_v1("s");
	say("{\"type\":\"mode_change\",\"mode\":\"full-access\"}");
	ok(hears_error("Permission mode is not available"),
	    "a stranger may not change to full access");
	tear_down();
	conf.full_access_turns = 0;
}

int main(void)
{
	struct err err;

	log_threshold(LOG_ERROR);
	conf_init(&conf);
	free(conf.address);
	conf.address = mem_strdup("0xab");
	permit = permit_open(
	    "{\"echo\":{\"allowed\":true},\"gone\":{\"allowed\":true}}", &err);
	ok(permit != NULL, "there are permissions");
	test_connect();
	test_bad_signature();
	test_closed();
	test_gone_while_waiting();
	test_foreign_session();
	test_profile();
	test_commands();
	test_signed_input();
	test_blocked();
	test_onboarding();
	test_exec();
	test_modes();
	test_full_access();
	permit_close(&permit);
	conf_fini(&conf);
	return done();
}
