/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* ADMIN_ frames: who may, what they are bound to, and what comes back. */
#include "oip/oip_admin.h"

#include "base/log.h"
#include "core/agent.h"
#include "core/conf.h"
#include "door/door.h"
#include "oip/oip_socket.h"
#include "net/wire.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_session.h"
#include "t/unit/fake_wire.h"
#include "t/unit/tap.h"
#include "access/lists.h"

#include <stdio.h>
#include <string.h>

#define ANNA \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define BERT \
	"0x2222222222222222222222222222222222222222222222222222222222222222"
#define SIGNED ",\"from\":\"" ANNA "\",\"signature\":\"good\"}"
#define ASK(type, members)                                                  \
	"{\"type\":\"" type "\",\"payload\":{\"type\":\"" type "\"" members \
	"}" SIGNED

static const struct agent_about about = {.name = "demo", .model = "none"};
static struct conf conf;
static struct door_setup setup;
static struct http *http;
static struct sessions *all;
static struct access *access_;
static struct wire *wire;

static void set_up(const char *level)
{
	all = fake_session_all();
	access_ = fake_access();
	fake_access_level(access_, level);
	setup = (struct door_setup){
	    .sessions = all,
	    .access = access_,
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

/* The next frame; "" when there is none. */
static const char *hear(void)
{
	const char *frame = fake_wire_next(wire);
	return frame ? frame : "";
}

static const char *ask(const char *frame)
{
	fake_wire_say(wire, frame);
	fake_access_run(access_);
	return hear();
}

static void expect(const char *got, const char *text, const char *name)
{
	if (!ok(strstr(got, text) != NULL, "%s", name))
		printf("# got %s, expected %s\n", got, text);
}

/* ---- one frame ---- */

#define DONE(action)                                      \
	"{\"type\":\"ADMIN_RESULT\",\"action\":\"" action \
	"\",\"success\":true,\"message\":\"changed\",\"level\":\"contact\"}"
#define REFUSED(text) "{\"type\":\"ERROR\",\"message\":\"" text "\"}"

static const struct {
	const char *name;
	const char *level;
	const char *frame;
	const char *answer;
} cases[] = {
    {"an admin promotes", "admin",
	ASK("ADMIN_PROMOTE", ",\"client_id\":\"" BERT "\""), DONE("promote")},
    {"an admin demotes", "admin",
	ASK("ADMIN_DEMOTE", ",\"client_id\":\"" BERT "\""), DONE("demote")},
    {"an admin blocks", "admin",
	ASK("ADMIN_BLOCK", ",\"client_id\":\"" BERT "\""), DONE("block")},
    {"an admin unblocks", "admin",
	ASK("ADMIN_UNBLOCK", ",\"client_id\":\"" BERT "\""), DONE("unblock")},
    {"an admin looks at a level", "admin",
	ASK("ADMIN_GET_LEVEL", ",\"client_id\":\"" BERT "\""),
	"{\"type\":\"ADMIN_RESULT\",\"action\":\"get_level\",\"client_id\":"
	"\"" BERT "\",\"level\":\"contact\"}"},
    {"an admin may not make admins", "admin",
	ASK("ADMIN_ADD", ",\"admin_id\":\"" BERT "\""),
	REFUSED("forbidden: super admin only")},
    {"our own key makes an admin", "super",
	ASK("ADMIN_ADD", ",\"admin_id\":\"" BERT "\""), DONE("add_admin")},
    {"our own key removes an admin", "super",
	ASK("ADMIN_REMOVE", ",\"admin_id\":\"" BERT "\""),
	DONE("remove_admin")},
    {"a client on the whitelist may not promote", "whitelist",
	ASK("ADMIN_PROMOTE", ",\"client_id\":\"" BERT "\""),
	REFUSED("forbidden: admin only")},
    {"a client on the whitelist may not make admins", "whitelist",
	ASK("ADMIN_ADD", ",\"admin_id\":\"" BERT "\""),
	REFUSED("forbidden: admin only")},
    {"a command without client_id is refused", "admin",
	ASK("ADMIN_PROMOTE", ""), REFUSED("client_id required")},
    {"a command without admin_id is refused", "super",
	ASK("ADMIN_ADD", ",\"client_id\":\"" BERT "\""),
	REFUSED("admin_id required")},
    {"a client_id that is a pattern is refused", "admin",
	ASK("ADMIN_PROMOTE", ",\"client_id\":\"0x*\""),
	REFUSED("client_id invalid")},
    {"an admin_id that is no address is refused", "super",
	ASK("ADMIN_ADD", ",\"admin_id\":\"bert\""),
	REFUSED("admin_id invalid")},
    {"what was signed to promote does not block", "admin",
	"{\"type\":\"ADMIN_BLOCK\",\"payload\":{\"type\":\"ADMIN_PROMOTE\","
	"\"client_id\":\"" BERT "\"}" SIGNED,
	REFUSED("unauthorized: signed command type mismatch")},
    {"a payload without type and recipient is refused", "admin",
	"{\"type\":\"ADMIN_BLOCK\",\"payload\":{\"client_id\":\"" BERT
	"\"}" SIGNED,
	REFUSED("unauthorized: wrong recipient")},
    {"a payload without type but for us is done", "admin",
	"{\"type\":\"ADMIN_BLOCK\",\"payload\":{\"to\":\"x\",\"client_id\":"
	"\"" BERT "\"}" SIGNED,
	DONE("block")},
    {"a command with a bad signature is refused", "admin",
	"{\"type\":\"ADMIN_PROMOTE\",\"payload\":{\"type\":\"ADMIN_PROMOTE\","
	"\"client_id\":\"" BERT "\"},\"from\":\"" ANNA
	"\",\"signature\":\"x\"}",
	REFUSED("unauthorized: invalid signature")},
    {"a command without a signature is refused", "admin",
	"{\"type\":\"ADMIN_PROMOTE\",\"client_id\":\"" BERT "\"}",
	REFUSED("unauthorized: signed request required")},
};

static void test_frames(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_up(cases[i].level);
		expect(ask(cases[i].frame), cases[i].answer, cases[i].name);
		tear_down();
	}
}

/* ---- sockets whose commands are signed ---- */

static void connect_v2(void)
{
	fake_wire_say(wire, "{\"type\":\"CONNECT\",\"session_id\":\"s\","
			    "\"payload\":{\"signed_commands\":1}" SIGNED);
	fake_access_run(access_);
	fake_session_run(all);
	while (*hear())
		continue;
}

static void test_v2(void)
{
	set_up("admin");
	connect_v2();
	expect(ask(ASK("ADMIN_BLOCK", ",\"client_id\":\"" BERT "\"")),
	    REFUSED("unauthorized: signed command nonce required"),
	    "an admin command on a v2 socket needs a nonce");
	expect(ask(ASK("ADMIN_BLOCK",
		   ",\"nonce\":\"1\",\"client_id\":\"" BERT "\"")),
	    DONE("block"),
	    "an admin command with a nonce on a v2 socket is done");
	expect(ask("{\"type\":\"ADMIN_BLOCK\",\"client_id\":\"" BERT
		   "\",\"payload\":{\"type\":\"ADMIN_BLOCK\",\"nonce\":"
		   "\"2\"}" SIGNED),
	    REFUSED("client_id required"), "only what is signed counts");
	tear_down();
}

/* ---- changes on their way ---- */

static void test_limit(void)
{
	set_up("admin");
	for (int i = 0; i < 9; i++) {
		fake_wire_say(
		    wire, ASK("ADMIN_PROMOTE", ",\"client_id\":\"" BERT "\""));
		fake_access_judge(access_);
	}
	expect(hear(), REFUSED("too many calls at once; wait for a result"),
	    "a ninth change of a client on its way is refused");
	fake_access_run(access_);
	int n = 0;
	while (strcmp(hear(), DONE("promote")) == 0)
		n++;
	is_int(n, 8, "eight changes of a client on their way are answered");
	tear_down();
}

static void test_leaving(void)
{
	set_up("admin");
	fake_wire_say(
	    wire, ASK("ADMIN_PROMOTE", ",\"client_id\":\"" BERT "\""));
	fake_access_judge(access_);
	fake_wire_gone(&wire);
	fake_access_run(access_);
	is_str(fake_access_changed(access_)->id, BERT,
	    "the change of a client that left is made, and told to nobody");
	tear_down();
}

static void test_broken_lists(void)
{
	set_up("admin");
	fake_access_break_lists(access_);
	expect(ask(ASK("ADMIN_PROMOTE", ",\"client_id\":\"" BERT "\"")),
	    REFUSED("misconfigured: cannot write contacts.txt"),
	    "lists that cannot be written are named");
	tear_down();
}

int main(void)
{
	log_threshold(LOG_ERROR);
	conf_init(&conf);
	test_frames();
	test_v2();
	test_limit();
	test_leaving();
	test_broken_lists();
	conf_fini(&conf);
	return done();
}
