/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Clients behind a relay as wires: the test is the process with the relay, at
 * the other end of the trunk, and the user of the wires.
 */
#include "link/relayed.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "link/trunk.h"
#include "net/loop.h"
#include "net/wire.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/unit/loop_until.h"

#define PATIENCE_MS 20000
#define MOST_WIRES 3
#define MOST_MESSAGE ((size_t)1024 * 1024)
#define MOST_OUTPUT ((size_t)64 * 1024)

/* A client as its user has it. */
struct client {
	struct wire *wire; /* NULL: gone */
	struct buf heard;
	unsigned drains;
	bool closes_on_text;
};

static struct test {
	struct loop *loop;
	struct relayed *relayed;
	struct trunk *trunk; /* the end of the link */
	struct buf heard;    /* there: a line for each message */
	unsigned n_heard, want;
	unsigned n_clients;
	struct client clients[8];
	struct trunk_lane lane;
	uint64_t slow;
	bool refuses_large;
} x;

/* ---- the user ---- */

static void on_text(void *arg, const char *text, size_t len)
{
	struct client *c = arg;

	buf_printf(&c->heard, "%.*s\n", (int)(len < 20 ? len : 20), text);
	if (c->closes_on_text)
		wire_close(c->wire, 1000, "enough");
}

static size_t may_grow(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	return x.refuses_large ? len : SIZE_MAX;
}

static void on_drain(void *arg)
{
	struct client *c = arg;

	c->drains++;
}

static void on_gone(void *arg)
{
	struct client *c = arg;

	c->wire = NULL;
}

static const struct wire_handlers wire_handlers = {
    .on_text = on_text,
    .may_grow = may_grow,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

static void serve(struct wire *w, void *arg)
{
	struct client *c = &x.clients[x.n_clients++];

	(void)arg;
	c->wire = w;
	wire_take(w, &wire_handlers, c);
}

/* ---- the link ---- */

static void on_message(void *arg, const struct trunk_message *m)
{
	(void)arg;
	x.n_heard++;
	buf_printf(&x.heard, "%u:%u:%u:%.*s\n", m->type, m->wire, m->value,
	    (int)(m->len < 60 ? m->len : 60), m->text);
}

static void on_room(void *arg)
{
	(void)arg;
}

static const struct trunk_handlers handlers = {on_message, on_room, on_room};

static void set_up(void)
{
	struct relayed_setup setup = {
	    .loop = x.loop,
	    .max_wires = MOST_WIRES,
	    .max_message_bytes = MOST_MESSAGE,
	    .max_output_bytes = MOST_OUTPUT,
	    .slow_readers_total = &x.slow,
	    .serve = serve,
	};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	x.relayed = relayed_new(&setup);
	relayed_connect(x.relayed, fds[0]);
	x.trunk = trunk_open(x.loop, fds[1], 1 << 30, &handlers, NULL);
	trunk_lane_init(&x.lane, 0);
}

static void tear_down(void)
{
	struct loop *loop = x.loop;

	relayed_free(&x.relayed);
	trunk_close(&x.trunk);
	buf_fini(&x.heard);
	for (unsigned i = 0; i < x.n_clients; i++)
		buf_fini(&x.clients[i].heard);
	x = (struct test){.loop = loop};
}

static void tell(
    enum trunk_type type, uint32_t wire, const char *text, size_t len)
{
	struct trunk_message m = {type, wire, 0, text, len};

	trunk_send(x.trunk, &x.lane, &m);
}

static void open_client(uint32_t number)
{
	tell(TRUNK_OPEN, number, "sess\0conn", 9);
}

static void say(uint32_t wire, const char *text)
{
	tell(TRUNK_TEXT, wire, text, strlen(text));
}

static bool has_enough(struct test *t)
{
	return t->n_heard >= t->want;
}

/* All that the link heard, once it is so many messages. */
static const char *heard(unsigned n)
{
	x.want = n;
	(void)loop_until(x.loop, PATIENCE_MS, &x, has_enough);
	loop_a_little(x.loop);
	return buf_cstr(&x.heard);
}

/* ---- tests ---- */

static void test_talk(void)
{
	set_up();
	open_client(7);
	say(7, "{\"type\":\"CONNECT\"}");
	is_str(heard(1), "3:7:18:\n", "the link learns what was taken");
	const struct wire *w = x.clients[0].wire;
	ok(w && w->origin == WIRE_RELAYED && !*w->peer && *w->place &&
		!w->peer_is_loopback,
	    "a client is a relayed wire without an address");
	is_str(buf_cstr(&x.clients[0].heard), "{\"type\":\"CONNECT\"}\n",
	    "a message reaches the user as it came");
	is_int((int64_t)relayed_count(x.relayed), 1, "wires are counted");
	wire_send(x.clients[0].wire, "{\"type\":\"PING\"}", 15);
	is_str(heard(2),
	    "3:7:18:\n1:7:0:{\"session_id\":\"sess\",\"conn_id\":\"conn\","
	    "\"type\":\"PING\"}\n",
	    "an answer carries the route of its client");
	tell(TRUNK_CLOSE, 7, "", 0);
	loop_a_little(x.loop);
	ok(x.clients[0].wire == NULL, "a client that left is reported gone");
	is_int((int64_t)relayed_count(x.relayed), 0,
	    "a wire that ended is not counted");
	tear_down();
}

static void test_close(void)
{
	set_up();
	open_client(1);
	open_client(2);
	loop_a_little(x.loop);
	wire_send(x.clients[0].wire, "{}", 2);
	wire_close(x.clients[0].wire, 4003, "bye");
	wire_send(x.clients[0].wire, "{}", 2);
	wire_close(x.clients[0].wire, 1000, "again");
	is_str(heard(2),
	    "1:1:0:{\"session_id\":\"sess\",\"conn_id\":\"conn\"}\n"
	    "2:1:4003:bye\n",
	    "a wire sends what is queued, its close, and nothing more");
	ok(x.clients[0].wire == NULL, "a closed wire is reported gone");
	ok(x.clients[1].wire != NULL, "another wire stays");
	say(1, "late");
	loop_a_little(x.loop);
	is_str(buf_cstr(&x.clients[0].heard), "",
	    "a closed wire delivers nothing");
	x.clients[1].closes_on_text = true;
	say(2, "one");
	say(2, "two");
	loop_a_little(x.loop);
	is_str(buf_cstr(&x.clients[1].heard), "one\n",
	    "a wire closed by a message delivers no other");
	ok(x.clients[1].wire == NULL, "a wire may be closed by a message");
	tear_down();
}

static void test_pause(void)
{
	set_up();
	open_client(1);
	loop_a_little(x.loop);
	wire_pause(x.clients[0].wire, true);
	say(1, "one");
	say(1, "two");
	tell(TRUNK_CLOSE, 1, "", 0);
	loop_a_little(x.loop);
	is_str(buf_cstr(&x.clients[0].heard), "",
	    "a paused wire delivers nothing");
	is_int((int)x.n_heard, 0, "what a paused wire holds is not taken");
	ok(x.clients[0].wire != NULL,
	    "a client that left is there until its messages are read");
	wire_pause(x.clients[0].wire, false);
	is_str(heard(2), "3:1:3:\n3:1:3:\n", "a wire goes on after its pause");
	is_str(buf_cstr(&x.clients[0].heard), "one\ntwo\n",
	    "messages that waited arrive in order");
	ok(x.clients[0].wire == NULL, "the end comes after the messages");
	tear_down();
}

static void test_limits(void)
{
	char *text = mem_zero(MOST_MESSAGE + 1);

	memset(text, 'x', WIRE_FIRST_BYTES + 1);
	set_up();
	for (uint32_t i = 1; i <= MOST_WIRES + 1; i++)
		open_client(i);
	is_str(heard(1), "2:4:1013:server is full\n",
	    "a client over the limit is refused");
	x.refuses_large = true;
	say(1, text);
	x.clients[1].wire->is_admitted = true;
	say(2, text);
	loop_a_little(x.loop);
	ok(x.clients[0].wire == NULL && strstr(buf_cstr(&x.heard), "2:1:1009:"),
	    "a client that is not admitted may not send as much as its user "
	    "forbids");
	is_str(buf_cstr(&x.clients[1].heard), "xxxxxxxxxxxxxxxxxxxx\n",
	    "an admitted client may send large messages");
	relayed_drain(x.relayed);
	open_client(9);
	loop_a_little(x.loop);
	ok(strstr(buf_cstr(&x.heard), "2:9:1012:server restarts\n") != NULL,
	    "a draining worker refuses clients");
	ok(x.clients[1].wire != NULL, "a draining worker keeps its clients");
	free(text);
	tear_down();
}

static void test_admitted(void)
{
	set_up();
	open_client(1);
	loop_a_little(x.loop);
	wire_send(x.clients[0].wire, "{}", 2);
	x.clients[0].wire->is_admitted = true;
	wire_send(x.clients[0].wire, "{}", 2);
	wire_send(x.clients[0].wire, "{}", 2);
	x.clients[0].wire->is_proven = true;
	wire_send(x.clients[0].wire, "{}", 2);
	loop_a_little(x.loop);
	const char *all = buf_cstr(&x.heard);
	const char *first = strstr(all, "4:1:0:");
	const char *second = first ? strstr(first + 1, "4:1:") : NULL;
	ok(first != NULL, "the link learns that a client was admitted");
	ok(second && strncmp(second, "4:1:1:", 6) == 0 &&
		!strstr(second + 1, "4:1:"),
	    "the link learns once that a client has signed");
	tear_down();
}

/* An object of n bytes. */
static char *object(size_t n)
{
	char *text = mem_alloc(n + 1);

	memset(text, 'x', n);
	memcpy(text, "{\"x\":\"", 6);
	memcpy(text + n - 2, "\"}", 2);
	text[n] = '\0';
	return text;
}

/* The kernel takes some hundred kilobytes, and the trunk as much. */
static void test_output(void)
{
	char *large = object(1024 * 1024), *small = object(20000);

	set_up();
	open_client(1);
	open_client(2);
	loop_a_little(x.loop);
	trunk_pause(x.trunk, true);
	wire_send(x.clients[0].wire, large, 1024 * 1024);
	loop_a_little(x.loop);
	for (int i = 0; i < 5; i++)
		wire_send(x.clients[0].wire, small, 20000);
	for (int i = 0; i < 2; i++)
		wire_send(x.clients[1].wire, small, 20000);
	loop_a_little(x.loop);
	ok(x.clients[0].wire == NULL, "a wire over its limit is cut");
	is_int((int64_t)x.slow, 1, "a wire over its limit is counted as slow");
	ok(wire_is_full(x.clients[1].wire),
	    "a wire that is not read gets full");
	is_int((int)x.clients[1].drains, 0, "a full wire reports no room");
	say(2, "more");
	loop_a_little(x.loop);
	is_str(buf_cstr(&x.clients[1].heard), "",
	    "a client that takes nothing may not ask for more");
	trunk_pause(x.trunk, false);
	(void)heard(4);
	is_int((int)x.clients[1].drains, 1, "a wire that is read reports room");
	is_str(buf_cstr(&x.clients[1].heard), "more\n",
	    "a client whose output was taken is heard again");
	free(large);
	free(small);
	tear_down();
}

static void test_end(void)
{
	set_up();
	open_client(1);
	open_client(2);
	loop_a_little(x.loop);
	trunk_close(&x.trunk);
	loop_a_little(x.loop);
	ok(!x.clients[0].wire && !x.clients[1].wire,
	    "wires end with the process that has the relay");
	is_int((int64_t)relayed_count(x.relayed), 0,
	    "wires that ended with it are not counted");
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	relayed_connect(x.relayed, fds[0]);
	x.trunk = trunk_open(x.loop, fds[1], 1 << 30, &handlers, NULL);
	open_client(1);
	loop_a_little(x.loop);
	is_int((int64_t)relayed_count(x.relayed), 1,
	    "another process may bring clients");
	tear_down();
}

int main(void)
{
	x.loop = loop_new();
	test_talk();
	test_close();
	test_pause();
	test_limits();
	test_admitted();
	test_output();
	test_end();
	return done();
}
