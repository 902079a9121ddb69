/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The load generator for Socket.IO: plays one scene against a server and prints
 * what it measured, as bench/load does. Each client that connects has a
 * conversation of its own.
 *
 *   packets connect PORT CLIENTS SECONDS	connect by WebSocket, again and again
 *   packets polls PORT CLIENTS SECONDS		the same by polling, and leave
 *   packets stream PORT STEPS			events of one turn per second
 *   packets poll PORT SECONDS			from an event that a client posts to
 *						its ack, for which a poll waits
 *   packets idle PORT CLIENTS			connect, say ready, hold them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/samples.h"

#define SECOND 1000000LL
#define LONG_TIME (60 * SECOND)

#define PATH_BYTES 200
#define MAX_CLIENTS 10000

static char paths[MAX_CLIENTS][PATH_BYTES];
static unsigned n_conversations;
static unsigned n_ready;

static bool starts(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);
	return len >= n && memcmp(text, with, n) == 0;
}

static bool has(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what)) != NULL;
}

/* A path for a client that begins; it is good until its next one. */
static const char *new_path(unsigned n, const char *transport)
{
	if (n >= MAX_CLIENTS)
		die("there may be %d clients", MAX_CLIENTS);
	(void)snprintf(paths[n], PATH_BYTES,
	    "/socket.io/?EIO=4&transport=%s&latest_event_id=-1"
	    "&conversation_id=bench-%d-%u",
	    transport, (int)getpid(), n_conversations++);
	return paths[n];
}

/* ---- WebSockets ---- */

static void on_connect(struct peer *p, const char *text, size_t len)
{
	if (starts(text, len, "0{")) {
		peer_say(p, "40");
	} else if (starts(text, len, "40{")) {
		samples_round(p->sent_us);
		p->ws_path = new_path(p->n, "websocket");
		peer_renew(p);
	}
}

static void open_sockets(
    unsigned n, unsigned port, void (*fn)(struct peer *, const char *, size_t))
{
	for (unsigned i = 0; i < n; i++) {
		(void)peer_open(port, new_path(i, "websocket"), i, fn);
		if (i % 64 == 63)
			peers_run(SECOND / 100);
	}
}

static void on_idle(struct peer *p, const char *text, size_t len)
{
	if (starts(text, len, "0{"))
		peer_say(p, "40");
	else if (starts(text, len, "40{"))
		n_ready++;
}

static void play_idle(unsigned port, unsigned n)
{
	char byte;
	open_sockets(n, port, on_idle);
	for (int i = 0; n_ready < n && i < 100; i++)
		peers_run(SECOND / 5);
	if (n_ready < n)
		die("%u of %u clients came to be", n_ready, n);
	peers_run(2 * SECOND);
	printf("ready=%u\n", n_ready);
	(void)fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1); /* until our parent has looked */
}

static struct {
	char action[200];
	unsigned n_events;
	int64_t began_us;
} stream;

static void on_stream(struct peer *p, const char *text, size_t len)
{
	if (starts(text, len, "0{")) {
		peer_say(p, "40");
	} else if (starts(text, len, "40{")) {
		stream.began_us = now_us();
		peer_say(p, stream.action);
	} else if (starts(text, len, "42[\"oh_event\"")) {
		if (has(text, len, "\"observation\":\"run\"") ||
		    has(text, len, "\"observation\":\"mcp\""))
			stream.n_events += 2; /* and its action */
		else if (stream.n_events &&
			 has(text, len, "awaiting_user_input"))
			peers_stop();
	}
}

static void play_stream(unsigned port, const char *steps)
{
	(void)snprintf(stream.action, sizeof stream.action,
	    "42[\"oh_user_action\",{\"type\":\"message\",\"source\":\"user\","
	    "\"message\":\"stream %s\"}]",
	    steps);
	open_sockets(1, port, on_stream);
	peers_run(LONG_TIME);
	double took = (double)(now_us() - stream.began_us) / (double)SECOND;
	if (stream.n_events < 2 * strtoul(steps, NULL, 10))
		die("%u events came", stream.n_events);
	printf("rate=%.0f n=%u\n", stream.n_events / took, stream.n_events);
}

/* ---- polling ---- */

/* One client, or one of its two connections. */
struct poller {
	char path[PATH_BYTES]; /* with its sid */
	enum { BEGINS, POSTED, POLLED, LEAVES } stage;
};

static struct poller pollers[MAX_CLIENTS];

static void take_sid(struct poller *poller, unsigned n, const char *text)
{
	const char *sid = strstr(text, "\"sid\":\"");
	if (!sid)
		die("no sid: %.60s", text);
	(void)snprintf(poller->path, PATH_BYTES, "%s&sid=%.*s", paths[n],
	    (int)strcspn(sid + 7, "\""), sid + 7);
}

/* The body of an answer as a string. */
static const char *string_of(const char *text, size_t len)
{
	static char copy[400];
	(void)snprintf(copy, sizeof copy, "%.*s", (int)len, text);
	return copy;
}

static void on_polls(struct peer *p, const char *text, size_t len)
{
	struct poller *poller = &pollers[p->n];
	switch (poller->stage) {
	case BEGINS:
		take_sid(poller, p->n, string_of(text, len));
		poller->stage = POSTED;
		peer_request(p, poller->path, "40");
		break;
	case POSTED:
		poller->stage = POLLED;
		peer_request(p, poller->path, NULL);
		break;
	case POLLED:
		if (!has(text, len, "40{"))
			die("no 40: %s", string_of(text, len));
		samples_round(p->sent_us);
		poller->stage = LEAVES;
		peer_request(p, poller->path, "1");
		break;
	case LEAVES:
		poller->stage = BEGINS;
		peer_request(p, new_path(p->n, "polling"), NULL);
		break;
	}
}

static void play_polls(unsigned port, unsigned n, double seconds)
{
	for (unsigned i = 0; i < n; i++)
		peer_request(peer_open(port, NULL, i, on_polls),
		    new_path(i, "polling"), NULL);
	samples_measure(seconds);
}

/* A client has one connection for its GET and one for its POST. */
static struct {
	struct peer *get;
	struct peer *post;
	int n_answers; /* of the two */
	int64_t sent_us;
} pair;

static void next_round(void)
{
	pair.n_answers = 0;
	peer_request(pair.get, pollers[0].path, NULL);
	pair.sent_us = now_us();
	peer_request(pair.post, pollers[0].path, "421[\"other\"]");
}

static void on_post(struct peer *p, const char *text, size_t len)
{
	(void)p;
	(void)text;
	(void)len;
	if (++pair.n_answers == 2)
		next_round();
}

static void on_get(struct peer *p, const char *text, size_t len)
{
	if (!has(text, len, "431[]")) { /* a ping, or the events of a start */
		peer_request(p, pollers[0].path, NULL);
		return;
	}
	samples_round(pair.sent_us);
	if (++pair.n_answers == 2)
		next_round();
}

static void on_pair_begins(struct peer *p, const char *text, size_t len)
{
	struct poller *poller = &pollers[0];
	if (poller->stage == BEGINS) {
		take_sid(poller, 0, string_of(text, len));
		poller->stage = POSTED;
		peer_request(p, poller->path, "40");
	} else if (poller->stage == POSTED) {
		poller->stage = POLLED;
		peer_request(p, poller->path, NULL);
	} else {
		p->on_message = on_get;
		next_round();
	}
}

static void play_poll(unsigned port, double seconds)
{
	pair.get = peer_open(port, NULL, 0, on_pair_begins);
	pair.post = peer_open(port, NULL, 0, on_post);
	peer_request(pair.get, new_path(0, "polling"), NULL);
	samples_measure(seconds);
}

/* ---- what is asked for ---- */

static unsigned number(const char *word)
{
	return (unsigned)strtoul(word, NULL, 10);
}

static bool play(const char *scene, unsigned port, int n, char **w)
{
	if (!strcmp(scene, "connect") && n == 2) {
		open_sockets(number(w[0]), port, on_connect);
		samples_measure(atof(w[1]));
	} else if (!strcmp(scene, "polls") && n == 2) {
		play_polls(port, number(w[0]), atof(w[1]));
	} else if (!strcmp(scene, "stream") && n == 1) {
		play_stream(port, w[0]);
	} else if (!strcmp(scene, "poll") && n == 1) {
		play_poll(port, atof(w[0]));
	} else if (!strcmp(scene, "idle") && n == 1) {
		play_idle(port, number(w[0]));
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (argc < 4 || !play(argv[1], number(argv[2]), argc - 3, argv + 3))
		die("see the head of bench/packets.c for its scenes");
	return 0;
}
