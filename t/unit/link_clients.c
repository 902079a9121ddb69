/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Clients behind a relay and the workers that serve them: the test is the relay
 * on one side, and at the ends of trunks it is the workers.
 */
#include "link/link_clients.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/stat.h"
#include "link/link_frame.h"
#include "link/relayed.h"
#include "link/trunk.h"
#include "net/loop.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/unit/loop_until.h"

#define MOST_CLIENTS 4
#define MOST_OF_ONE ((size_t)600 * 1024)
#define MOST_OF_ALL ((size_t)1000 * 1024)
#define MOST_MESSAGE ((size_t)2000 * 1024)
#define MOST_FIRST ((size_t)650 * 1024)
#define IDLE_MS 300000

struct worker {
	struct trunk *trunk;
	struct buf heard; /* a line for each message */
	unsigned ends;
};

static struct test {
	struct loop *loop;
	struct link_clients *clients;
	struct worker workers[3];
	struct buf sent; /* to the relay, a line for each frame */
	struct json_doc doc;
	struct link_frame frame;
	unsigned rooms;
} x;

/* ---- the relay ---- */

static void on_send(void *arg, const char *text, size_t len)
{
	(void)arg;
	buf_append(&x.sent, text, len);
	buf_char(&x.sent, '\n');
}

static void on_link_room(void *arg)
{
	(void)arg;
	x.rooms++;
}

static void relay_says(const char *text, size_t len)
{
	link_frame_read(&x.frame, &x.doc, text, len);
	if (x.frame.kind != LINK_FRAME_CLIENT &&
	    x.frame.kind != LINK_FRAME_CLOSE)
		abort();
	link_clients_take(x.clients, &x.frame, text, len);
}

static void says(const char *text)
{
	relay_says(text, strlen(text));
}

/* A client with this connection sends something. */
static void client_says(const char *conn, const char *what)
{
	struct buf text = {0};

	buf_printf(&text,
	    "{\"session_id\":\"s\",\"conn_id\":\"%s\",\"type\":\"%s\"}", conn,
	    what);
	relay_says(text.data, text.len);
	buf_fini(&text);
}

/* ---- workers ---- */

static void on_message(void *arg, const struct trunk_message *m)
{
	struct worker *w = arg;
	const char *names[] = {"open", "text", "close", "taken"};

	buf_printf(&w->heard, "%s %u", names[m->type], m->wire);
	for (size_t i = 0; i < m->len && i < 70; i++)
		buf_char(&w->heard, m->text[i] ? m->text[i] : ' ');
	buf_char(&w->heard, '\n');
}

static void on_room(void *arg)
{
	(void)arg;
}

static void on_end(void *arg)
{
	struct worker *w = arg;

	w->ends++;
}

static const struct trunk_handlers handlers = {on_message, on_room, on_end};

static void add_worker(unsigned i)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	x.workers[i].trunk =
	    trunk_open(x.loop, fds[1], 1 << 30, &handlers, &x.workers[i]);
	link_clients_add_worker(x.clients, fds[0]);
}

static void worker_says(unsigned i, enum trunk_type type, uint32_t wire,
    uint32_t value, const char *text)
{
	struct trunk_message m = {
	    type, wire, value, text, text ? strlen(text) : 0};

	trunk_send(x.workers[i].trunk, NULL, &m);
}

static void set_up(unsigned n_workers)
{
	struct link_clients_setup setup = {
	    .loop = x.loop,
	    .max_clients = MOST_CLIENTS,
	    .max_message_bytes = MOST_MESSAGE,
	    .max_first_bytes = MOST_FIRST,
	    .max_client_bytes = MOST_OF_ONE,
	    .max_bytes = MOST_OF_ALL,
	    .idle_timeout_ms = IDLE_MS,
	    .send = on_send,
	    .on_room = on_link_room,
	};

	x.clients = link_clients_new(&setup);
	for (unsigned i = 0; i < n_workers; i++)
		add_worker(i);
}

static void tear_down(void)
{
	struct loop *loop = x.loop;

	link_clients_free(&x.clients);
	for (unsigned i = 0; i < 3; i++) {
		trunk_close(&x.workers[i].trunk);
		buf_fini(&x.workers[i].heard);
	}
	buf_fini(&x.sent);
	json_fini(&x.doc);
	link_frame_fini(&x.frame);
	x = (struct test){.loop = loop};
}

/* What a worker, or the relay, got since the last call. */
static const char *fresh(struct buf *b)
{
	static struct buf out;

	loop_a_little(x.loop);
	buf_reset(&out);
	buf_append(&out, b->data, b->len);
	buf_reset(b);
	return buf_cstr(&out);
}

static const char *heard(unsigned i)
{
	return fresh(&x.workers[i].heard);
}

static const char *sent(void)
{
	return fresh(&x.sent);
}

/* ---- tests ---- */

static void test_talk(void)
{
	set_up(1);
	client_says("a", "SEAL");
	client_says("a", "SEALED");
	is_str(heard(0),
	    "open 1s a\n"
	    "text 1{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"SEAL\"}\n"
	    "text 1{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"SEALED\"}"
	    "\n",
	    "frames of a client reach its worker as they came");
	worker_says(0, TRUNK_TEXT, 1, 0, "{\"conn_id\":\"a\"}");
	is_str(sent(), "{\"conn_id\":\"a\"}\n",
	    "an answer reaches the relay as it is");
	is_int(
	    (int64_t)link_clients_count(x.clients), 1, "clients are counted");
	client_says("a", "close");
	is_str(heard(0), "close 1\n", "a worker learns that a client left");
	is_int((int64_t)link_clients_count(x.clients), 0,
	    "a client that left is not counted");
	worker_says(0, TRUNK_TEXT, 1, 0, "{}");
	is_str(sent(), "", "an answer to a client that left is dropped");
	client_says("a", "close");
	is_str(heard(0), "", "the end of an unknown client is ignored");
	client_says("a", "CONNECT");
	ok(strncmp(heard(0), "open 2", 6) == 0,
	    "a client that comes back is another one");
	tear_down();
}

static void test_routes(void)
{
	set_up(2);
	client_says("a", "CONNECT");
	client_says("b", "CONNECT");
	says("{\"session_id\":\"a\",\"type\":\"CONNECT\"}");
	is_int((int64_t)link_clients_count(x.clients), 3,
	    "connections and sessions of one name are different clients");
	const char *first = heard(0);
	ok(strstr(first, "open 1") && strstr(first, "open 3"),
	    "a client goes to the worker with the fewest");
	ok(strstr(heard(1), "open 2") != NULL, "each worker gets clients");
	client_says("c", "CONNECT");
	client_says("d", "CONNECT");
	ok(strstr(sent(), "\"conn_id\":\"d\",\"type\":\"ERROR\",\"message\":"
			  "\"server is full") != NULL,
	    "a client over the limit is told that the server is full");
	is_int((int64_t)stat_mine()->relay_refused, 1,
	    "a client over the limit is counted");
	tear_down();
}

static void test_refusals(void)
{
	set_up(1);
	client_says("a", "CONNECT");
	(void)heard(0);
	worker_says(0, TRUNK_CLOSE, 1, 1012, "server restarts");
	is_str(sent(),
	    "{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"ERROR\","
	    "\"message\":\"server restarts\"}\n"
	    "{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"close\","
	    "\"code\":1012,\"reason\":\"server restarts\"}\n",
	    "a client that is refused before any answer is told why");
	client_says("a", "CONNECT");
	(void)heard(0);
	worker_says(0, TRUNK_TEXT, 2, 0, "{}");
	worker_says(0, TRUNK_CLOSE, 2, 4003, "seal");
	is_str(sent(),
	    "{}\n{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"close\","
	    "\"code\":4003,\"reason\":\"seal\"}\n",
	    "the end of an answered client has its code");
	is_int((int64_t)link_clients_count(x.clients), 0,
	    "a client that its worker ended is gone");
	link_clients_drain(x.clients);
	client_says("b", "SEAL");
	ok(strstr(sent(), "server is restarting; retry") != NULL,
	    "a draining link refuses clients");
	tear_down();
}

static void test_worker_ends(void)
{
	set_up(2);
	client_says("a", "CONNECT");
	client_says("b", "CONNECT");
	loop_a_little(x.loop);
	trunk_close(&x.workers[0].trunk);
	is_str(sent(),
	    "{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"close\","
	    "\"code\":1012,\"reason\":\"worker ended\"}\n",
	    "a client whose worker ended has to connect again");
	is_int((int64_t)link_clients_count(x.clients), 1,
	    "clients of other workers stay");
	trunk_close(&x.workers[1].trunk);
	loop_a_little(x.loop);
	(void)sent();
	is_int((int64_t)link_clients_workers(x.clients), 0,
	    "workers that ended are forgotten");
	client_says("c", "CONNECT");
	is_str(sent(), "", "a client waits while there is no worker");
	add_worker(2);
	ok(strncmp(heard(2), "open 3s c\ntext 3", 16) == 0,
	    "a client that waited goes to the next worker");
	tear_down();
}

static void test_lost(void)
{
	set_up(1);
	client_says("a", "CONNECT");
	client_says("b", "CONNECT");
	(void)heard(0);
	link_clients_lose(x.clients);
	is_str(heard(0), "close 1\nclose 2\n",
	    "workers learn that the relay was lost");
	is_str(sent(), "", "the relay that was lost is told nothing");
	is_int((int64_t)link_clients_count(x.clients), 0,
	    "clients of a relay that was lost are gone");
	tear_down();
}

static void test_silent(void)
{
	set_up(1);
	client_says("a", "CONNECT");
	pass_ms(IDLE_MS / 2);
	client_says("b", "CONNECT");
	(void)heard(0);
	pass_ms(IDLE_MS / 2 + 6000);
	is_str(sent(),
	    "{\"session_id\":\"s\",\"conn_id\":\"a\",\"type\":\"close\","
	    "\"code\":1000,\"reason\":\"silent\"}\n",
	    "a client that is silent for long is taken for gone");
	is_str(heard(0), "close 1\n", "a worker learns of a silent client");
	tear_down();
}

/* A frame of about n bytes. */
static void client_floods(const char *conn, size_t n)
{
	struct buf text = {0};

	buf_printf(
	    &text, "{\"session_id\":\"s\",\"conn_id\":\"%s\",\"x\":\"", conn);
	memset(buf_reserve(&text, n), 'x', n);
	text.len += n;
	buf_str(&text, "\"}");
	relay_says(text.data, text.len);
	buf_fini(&text);
}

static void test_waiting(void)
{
	set_up(1);
	client_floods("a", RELAYED_WINDOW);
	client_floods("a", 100);
	client_says("b", "CONNECT");
	const char *got = heard(0);
	ok(strstr(got, "text 1") &&
		!strstr(strstr(got, "text 1") + 1, "text 1"),
	    "a client whose window is used up waits");
	ok(strstr(got, "text 2") != NULL,
	    "another client does not wait for it");
	worker_says(0, TRUNK_TAKEN, 1, RELAYED_WINDOW, NULL);
	ok(strstr(heard(0), "text 1") != NULL,
	    "a client goes on when something of it was taken");
	client_floods("a", RELAYED_WINDOW);
	client_floods("a", MOST_OF_ONE + 1);
	ok(strstr(sent(),
	       "\"conn_id\":\"a\",\"type\":\"close\",\"code\":1008") != NULL,
	    "a client over its limit is ended");
	is_int((int64_t)stat_mine()->relay_dropped, 1,
	    "a client that was ended for its input is counted");
	ok(strstr(heard(0), "close 1") != NULL,
	    "the worker learns of a client that was ended");
	is_int((int64_t)link_clients_count(x.clients), 1,
	    "clients within the limit stay");
	tear_down();
}

static void test_all_waiting(void)
{
	set_up(1);
	for (const char *conn = "abc"; *conn; conn++) {
		char name[2] = {*conn, '\0'};
		client_floods(name, RELAYED_WINDOW);
		client_floods(name, *conn == 'b' ? 200000 : 100000);
	}
	ok(strstr(sent(),
	       "\"conn_id\":\"b\",\"type\":\"close\",\"code\":1013") != NULL,
	    "when too much waits of all, the one with the most is ended");
	is_int((int64_t)link_clients_count(x.clients), 2,
	    "clients with less waiting stay");
	tear_down();
}

static void test_crowded(void)
{
	set_up(1);
	trunk_pause(x.workers[0].trunk, true);
	for (const char *conn = "abc"; *conn; conn++) {
		char name[2] = {*conn, '\0'};
		for (int i = 0; i < 10; i++)
			client_floods(name, 20000);
	}
	loop_a_little(x.loop);
	is_int(link_clients_is_crowded(x.clients), true,
	    "a worker that reads nothing makes the link crowded");
	x.rooms = 0;
	trunk_pause(x.workers[0].trunk, false);
	loop_a_little(x.loop);
	loop_a_little(x.loop);
	is_int(link_clients_is_crowded(x.clients), false,
	    "a worker that reads makes room");
	ok(x.rooms > 0, "room is reported");
	tear_down();
}

/* Returns how many bytes a message may have that begins like this. */
static size_t most(const char *text)
{
	link_frame_peek(&x.frame, text, strlen(text));
	return link_clients_most(x.clients, &x.frame);
}

static void refuse(const char *text)
{
	link_frame_peek(&x.frame, text, strlen(text));
	link_clients_refuse(x.clients, &x.frame);
}

static void test_large(void)
{
	set_up(1);
	is_int((int64_t)most("{\"conn_id\":\"a\",\"p\":"), MOST_FIRST,
	    "a message of a new client may have the size of a first one");
	is_int((int64_t)most("{\"p\":"), MOST_FIRST,
	    "where no client is admitted, nobody's message may be large");
	client_says("a", "CONNECT");
	client_says("b", "CONNECT");
	worker_says(0, TRUNK_ADMITTED, 1, 1, NULL);
	(void)heard(0);
	is_int((int64_t)most("{\"conn_id\":\"a\",\"p\":"), MOST_MESSAGE,
	    "a message of an admitted client may be large");
	is_int((int64_t)most("{\"conn_id\":\"b\",\"p\":"), MOST_FIRST,
	    "admitting one client admits no other");
	is_int((int64_t)most("{\"p\":"), MOST_MESSAGE,
	    "a large message whose client is not known yet is read");
	client_floods("b", MOST_FIRST + 1);
	is_str(sent(),
	    "{\"session_id\":\"s\",\"conn_id\":\"b\",\"type\":\"ERROR\","
	    "\"message\":\"message too large: 665600 bytes are the limit "
	    "before CONNECT\"}\n"
	    "{\"session_id\":\"s\",\"conn_id\":\"b\",\"type\":\"close\","
	    "\"code\":1009,\"reason\":\"message too large: 665600 bytes are "
	    "the limit before CONNECT\"}\n",
	    "a complete message above the limit ends its client");
	refuse("{\"conn_id\":\"a\",\"p\":");
	ok(strstr(sent(), "message too large: 2048000 bytes are the limit\"") !=
		NULL,
	    "an admitted client may not send more than its limit");
	ok(strstr(heard(0), "close 1") != NULL,
	    "the worker learns of a client whose message was too large");
	is_int((int64_t)most("{\"p\":"), MOST_FIRST,
	    "when the last admitted client has gone, no message may be large");
	refuse("{\"session_id\":\"s\",\"conn_id\":\"z\",\"p\":");
	ok(strstr(sent(), "\"conn_id\":\"z\",\"type\":\"close\",\"code\":1009"),
	    "a client that was not known yet is told");
	refuse("{\"conn_id\":\"y\",\"p\":");
	ok(strstr(sent(), "\"conn_id\":\"y\",\"type\":\"close\",\"code\":1009"),
	    "the id of a connection is enough to tell a client");
	refuse("{\"p\":");
	is_str(sent(), "", "a message without an id is nobody's");
	is_int((int64_t)stat_mine()->relay_oversized, 5,
	    "messages above the limit are counted");
	tear_down();
}

static void test_pause(void)
{
	set_up(1);
	client_says("a", "CONNECT");
	link_clients_pause(x.clients, true);
	worker_says(0, TRUNK_TEXT, 1, 0, "{}");
	is_str(sent(), "", "a paused link reads nothing from workers");
	link_clients_pause(x.clients, false);
	is_str(
	    sent(), "{}\n", "a link reads from workers again after its pause");
	tear_down();
}

int main(void)
{
	log_threshold(LOG_ERROR);
	follow_clock();
	x.loop = loop_new();
	test_talk();
	test_routes();
	test_refusals();
	test_worker_ends();
	test_lost();
	test_silent();
	test_waiting();
	test_all_waiting();
	test_crowded();
	test_large();
	test_pause();
	return done();
}
