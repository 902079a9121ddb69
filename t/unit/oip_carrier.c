/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The ConnectOnion protocol over wires that are no WebSockets: a wire made of
 * memory, as a direct client's and as one behind a relay.
 */
#include "oip/oip_carrier.h"

#include "base/log.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "core/permit.h"
#include "door/console.h"
#include "door/door.h"
#include "oip/oip_socket.h"
#include "net/wire.h"
#include "proc/shm.h"
#include "t/unit/fake_access.h"
#include "t/unit/fake_session.h"
#include "t/unit/fake_wire.h"
#include "t/unit/tap.h"
#include "limits/limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ANNA \
	"0x1111111111111111111111111111111111111111111111111111111111111111"
#define SIGNED_CONNECT                                                \
	"{\"type\":\"CONNECT\",\"payload\":{},\"from\":\"" ANNA "\"," \
	"\"signature\":\"good\"}"

/* Messages and sockets that an address may have in these tests. */
#define MOST_MESSAGES 3
#define MOST_SOCKETS 2

static const char *const tools[] = {"calculate", NULL};
static const struct agent_about about = {
    .name = "demo", .model = "demo-1", .tools = tools};
static struct conf conf;
static struct permit *permit;
static struct heritage *heritage;
static size_t heritage_size;
static struct door_setup setup;
static struct sessions *all;
static struct access *access_;
static struct wire *wire;
static int console[2];

/* ---- words of the tests ---- */

static void set_up(void)
{
	int fd = shm_create("oip-carrier", sizeof(struct heritage));

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		fatal("no shared memory");
	(void)close(fd); /* the map stays */
	atomic_store(&heritage->slots[0].generation, 1);
	all = fake_session_all();
	access_ = fake_access();
	setup = (struct door_setup){
	    .sessions = all,
	    .access = access_,
	    .limits = limits_new(&conf, heritage, 0, 1),
	    .permit = permit,
	    .conf = &conf,
	    .about = &about,
	    .name = "demo",
	};
}

static void tear_down(void)
{
	if (wire)
		fake_wire_gone(&wire);
	limits_free(&setup.limits);
	fake_session_free(&all);
	fake_access_free(&access_);
	(void)munmap(heritage, heritage_size);
}

/* A wire as a relay's link makes it. */
static struct wire *relayed(const char *place)
{
	struct wire *w = fake_wire_new();

	w->origin = WIRE_RELAYED;
	w->peer = "";
	w->place = place;
	w->peer_is_loopback = false;
	return w;
}

static struct wire *remote(void)
{
	struct wire *w = fake_wire_new();

	w->peer = w->place = "192.0.2.1";
	w->peer_is_loopback = false;
	return w;
}

static void say(const char *text)
{
	fake_wire_say(wire, text);
	fake_access_run(access_);
	fake_session_run(all);
}

/* Whether the client got a frame of this type; those before it are dropped. */
static const char *hears(const char *type)
{
	char head[80];
	const char *frame;

	(void)snprintf(head, sizeof(head), "{\"type\":\"%s\"", type);
	while ((frame = fake_wire_next(wire)))
		if (strncmp(frame, head, strlen(head)) == 0)
			return frame;
	return NULL;
}

/* What the console said since the last call. */
static const char *console_said(void)
{
	static char text[4096];
	ssize_t n = read(console[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* ---- tests ---- */

static const struct origin_case {
	const char *name;
	enum wire_origin origin;
	const char *line;
} origins[] = {
    {"direct", WIRE_DIRECT, "transport=direct peer=legacy outcome=accepted"},
    {"relayed", WIRE_RELAYED, "transport=relay peer=legacy outcome=accepted"},
};

static void test_turn(const struct origin_case *c)
{
	struct session *s;

	set_up();
	wire = c->origin == WIRE_RELAYED ? relayed("7") : fake_wire_new();
	(void)console_said();
	oip_serve(&setup, wire, NULL);
	say(SIGNED_CONNECT);
	ok(hears("CONNECTED") != NULL, "a %s client is greeted", c->name);
	is_int(fake_access_was_relayed(access_), c->origin == WIRE_RELAYED,
	    "access learns whether a %s client came through a relay", c->name);
	ok(strstr(console_said(), c->line) != NULL,
	    "the console names the transport of a %s client", c->name);
	say("{\"type\":\"INPUT\",\"prompt\":\"hello\",\"payload\":{},\"from\":"
	    "\"" ANNA "\",\"signature\":\"good\"}");
	is_str(fake_session_log(all)->prompt, "hello",
	    "a %s client begins a turn", c->name);
	s = fake_session_get(all, "made-1");
	fake_session_done(s, "good bye", NULL);
	fake_session_run(all);
	ok(hears("OUTPUT") != NULL, "a %s client gets the end of its turn",
	    c->name);
	fake_wire_gone(&wire);
	is_int(fake_session_log(all)->opens, 0,
	    "the session of a %s client is released with its wire", c->name);
	tear_down();
}

static void test_seal(const struct origin_case *c)
{
	set_up();
	wire = c->origin == WIRE_RELAYED ? relayed("7") : fake_wire_new();
	oip_serve(&setup, wire, NULL);
	say("{\"type\":\"SEAL\"}");
	is_int(fake_access_was_relayed(access_), c->origin == WIRE_RELAYED,
	    "access learns where the SEAL of a %s client came from", c->name);
	tear_down();
}

static void test_output(void)
{
	set_up();
	wire = relayed("7");
	oip_serve(&setup, wire, NULL);
	say("{\"type\":\"CONNECT\",\"session_id\":\"s\"}");
	while (fake_wire_next(wire))
		continue;
	struct session *s = fake_session_get(all, "s");
	fake_wire_stall(wire, true);
	fake_session_begin(s, NULL);
	char big[300 * 1024] = "";
	(void)snprintf(big, sizeof(big), "\"content\":\"%*s\"",
	    (int)sizeof(big) - 40, "x");
	(void)fake_session_emit(s, EV_THINKING, "1", big);
	(void)fake_session_emit(s, EV_THINKING, "2", "\"content\":\"small\"");
	fake_session_run(all);
	is_int((int)fake_wire_count(wire), 1,
	    "a wire that is full gets no further events");
	fake_wire_stall(wire, false);
	is_int((int)fake_wire_count(wire), 2,
	    "a wire that drains gets the events that waited");
	tear_down();
}

/* How many of ten messages of a client are answered. */
static int answered(struct wire *w)
{
	int n = 0;

	wire = w;
	oip_serve(&setup, wire, NULL);
	for (int i = 0; i < 10; i++) {
		say("{\"type\":\"PING\"}");
		n += hears("PONG") != NULL;
	}
	fake_wire_gone(&wire);
	return n;
}

static void test_messages(void)
{
	set_up();
	is_int(answered(remote()), MOST_MESSAGES,
	    "messages of a direct client count for its address");
	is_int(answered(remote()), 0,
	    "a second wire of one address shares its limit");
	is_int(answered(relayed("7")), 10,
	    "messages of a relayed client count for no address");
	tear_down();
}

static bool holds_socket(struct limits_held *held)
{
	struct limits_who who = {.peer = "192.0.2.1"};
	struct err err;

	return limits_hold(setup.limits, LIMITS_SOCKETS, &who, held, &err) == 0;
}

static void test_held(void)
{
	struct limits_held mine = {0}, other = {0};

	set_up();
	ok(holds_socket(&mine) && holds_socket(&other),
	    "an address may have some sockets");
	wire = remote();
	oip_serve(&setup, wire, &mine);
	mine = (struct limits_held){0};
	ok(!holds_socket(&mine), "a served wire keeps its socket counted");
	fake_wire_gone(&wire);
	ok(holds_socket(&mine), "a wire that is gone gives its socket back");
	limits_drop(setup.limits, &mine);
	limits_drop(setup.limits, &other);
	tear_down();
}

static void test_end(void)
{
	set_up();
	wire = relayed("7");
	oip_serve(&setup, wire, NULL);
	oip_door.close_all();
	is_int(fake_wire_closed(wire), 1012,
	    "close_all() closes relayed wires with 1012");
	tear_down();
}

int main(void)
{
	struct err err;

	log_threshold(LOG_ERROR);
	conf_init(&conf);
	conf.limit_peer_requests = MOST_MESSAGES;
	conf.limit_peer_sockets = MOST_SOCKETS;
	permit = permit_open("", &err);
	if (!permit || pipe2(console, O_NONBLOCK) != 0)
		fatal("set-up failed");
	console_to(console[1], false);
	for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		test_turn(&origins[i]);
		test_seal(&origins[i]);
	}
	test_output();
	test_messages();
	test_held();
	test_end();
	permit_close(&permit);
	conf_fini(&conf);
	return done();
}
