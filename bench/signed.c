/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The load generator for signed requests, which bench/sign made: plays one
 * scene and prints what it measured as NAME=NUMBER words, times in
 * microseconds. FILE has one body, or one CONNECT frame, on each line, and
 * each is used once: a scene ends early when they are used up.
 *
 *   signed post PORT FILE CONNECTIONS SECONDS     POST /input
 *   signed turn PORT FILE PROMPT SOCKETS SECONDS TURNS
 *						   CONNECT; INPUT to OUTPUT
 *   signed first PORT FILE PROMPT TURNS	   INPUT to the first llm_call
 *   signed connect PORT FILE SOCKETS SECONDS	   CONNECT on new sockets
 *   signed again PORT FILE SOCKETS SECONDS	   CONNECT on open ones
 *   signed ping PORT FILE SECONDS		   PING and what is answered
 *   signed hold PORT FILE SOCKETS [PROMPT]	   connect, say ready, hold
 *   signed nap PORT FILE SOCKETS PROMPT MS	   turns at once; how many
 *						   were done within MS
 *   signed find PORT FILE TRIES PROMPT running|idle
 *						   come back so many times
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

static struct {
	char *text;
	char *at;
} lines;

static char input[1024];
static char session_id[200];
static unsigned n_ready;
static unsigned n_wanted;
static unsigned n_turns;

/* ---- lines ---- */

static void lines_open(const char *name)
{
	FILE *f = fopen(name, "r");
	if (!f || fseek(f, 0, SEEK_END) != 0)
		die("cannot read %s", name);
	size_t size = (size_t)ftell(f);
	rewind(f);
	lines.text = lines.at = calloc(1, size + 1);
	if (!lines.text || fread(lines.text, 1, size, f) != size)
		die("cannot read %s", name);
	(void)fclose(f);
}

/* The next line; NULL, and the scene ends, when there is none. */
static char *lines_next(void)
{
	char *line = lines.at, *end = strchr(line, '\n');
	if (!end) {
		peers_stop();
		return NULL;
	}
	*end = '\0';
	lines.at = end + 1;
	return line;
}

/* ---- messages ---- */

/* With or without a space after the colon. */
static bool is_type(const char *message, size_t len, const char *type)
{
	size_t n = strlen(type), at = 8;
	if (len < n + 11 || memcmp(message, "{\"type\":", at) != 0)
		return false;
	at += message[at] == ' ';
	return len > at + n + 1 && message[at] == '"' &&
	       memcmp(message + at + 1, type, n) == 0 &&
	       message[at + 1 + n] == '"';
}

static void check(const char *message, size_t len)
{
	if (is_type(message, len, "ERROR"))
		die("the server says %.*s", (int)len, message);
}

/* The text of a member, which must be there and short. */
static void copy_member(
    const char *message, size_t len, const char *name, char *out, size_t size)
{
	const char *at = memmem(message, len, name, strlen(name));
	const char *end = message + len;
	at = at ? memchr(at, ':', (size_t)(end - at)) : NULL;
	at = at ? memchr(at, '"', (size_t)(end - at)) : NULL;
	const char *stop =
	    at ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
	if (!stop || (size_t)(stop - at) > size)
		die("no %s in %.*s", name, (int)len, message);
	(void)snprintf(out, size, "%.*s", (int)(stop - at - 1), at + 1);
}

static void set_input(const char *prompt)
{
	(void)snprintf(input, sizeof input,
	    "{\"type\":\"INPUT\",\"prompt\":\"%s\"}", prompt);
}

/* Say the next CONNECT, of this session if there is one. */
static bool say_connect(struct peer *p, const char *session)
{
	char frame[2048];
	char *line = lines_next();
	if (!line)
		return false;
	size_t len = strlen(line);
	if (!session || !*session) {
		peer_say(p, line);
		return true;
	}
	(void)snprintf(frame, sizeof frame, "%.*s,\"session_id\":\"%s\"}",
	    (int)(len - 1), line, session);
	peer_say(p, frame);
	return true;
}

/* ---- scenes that go round in circles ---- */

static void next_post(struct peer *p)
{
	const char *line = lines_next();
	if (line)
		peer_request(p, "/input", line);
}

static void on_answer(struct peer *p, const char *body, size_t len)
{
	(void)body;
	(void)len;
	samples_round(p->sent_us);
	next_post(p);
}

static void play_post(unsigned port, unsigned n, double seconds)
{
	for (unsigned i = 0; i < n; i++)
		next_post(peer_open(port, NULL, i, on_answer));
	samples_measure(seconds);
}

static void on_turn(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		peer_say(p, input);
	} else if (is_type(message, len, "OUTPUT")) {
		samples_round(p->sent_us);
		if (n_turns && ++p->n % n_turns == 0)
			peer_renew(p);
		else
			peer_say(p, input);
	}
}

static void on_first(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		peer_say(p, input);
	} else if (is_type(message, len, "llm_call") && p->sent_us) {
		if (++n_ready > 3) /* the first ones are not warm */
			samples_add(now_us() - p->sent_us);
		p->sent_us = 0;
	} else if (is_type(message, len, "OUTPUT")) {
		if (n_ready >= n_turns)
			peers_stop();
		else
			peer_say(p, input);
	}
}

static void play_first(unsigned port)
{
	(void)peer_open(port, "/ws", 0, on_first);
	peers_run(LONG_TIME);
	samples_print();
}

static void on_connect(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		samples_round(p->sent_us);
		peer_renew(p);
	}
}

static void on_again(struct peer *p, const char *message, size_t len)
{
	char name[64];
	check(message, len);
	(void)snprintf(name, sizeof name, "again-%d-%u", (int)getpid(), p->n);
	if (len && !is_type(message, len, "CONNECTED"))
		return;
	if (len)
		samples_round(p->sent_us);
	(void)say_connect(p, name);
}

static void play_sockets(unsigned port, unsigned n, double seconds,
    void (*on_message)(struct peer *, const char *, size_t))
{
	for (unsigned i = 0; i < n; i++)
		(void)peer_open(port, "/ws", i, on_message);
	samples_measure(seconds);
}

/* ---- one that is patient ---- */

static void on_pong(struct peer *p, const char *message, size_t len)
{
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		n_ready = 1;
	} else if (p->n && (is_type(message, len, "PONG") ||
			       is_type(message, len, "ERROR"))) {
		samples_add(now_us() - p->sent_us);
		p->n = 0;
	}
}

static void play_ping(unsigned port, double seconds)
{
	struct peer *p = peer_open(port, "/ws", 0, on_pong);
	int64_t end = now_us() + (int64_t)(seconds * (double)SECOND);
	while (now_us() < end) {
		if (n_ready && !p->n) {
			p->n = 1;
			peer_say(p, "{\"type\":\"PING\"}");
		}
		peers_run(SECOND / 200);
	}
	samples_print();
}

/* ---- many at once ---- */

static void on_hold(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len)
		(void)say_connect(p, NULL);
	else if (is_type(message, len, "CONNECTED") && ++n_ready == n_wanted)
		peers_stop();
	else if (is_type(message, len, "OUTPUT"))
		die("a turn ended too early");
}

static struct peer **connect_all(unsigned port, unsigned n,
    void (*on_message)(struct peer *, const char *, size_t))
{
	struct peer **all = calloc(n, sizeof *all);
	if (!all)
		die("out of memory");
	n_wanted = n;
	for (unsigned i = 0; i < n; i++) {
		all[i] = peer_open(port, "/ws", i, on_message);
		if (i % 64 == 63)
			peers_run(SECOND / 20);
	}
	if (n_ready < n)
		peers_run(LONG_TIME);
	if (n_ready < n)
		die("%u of %u sockets came to be", n_ready, n);
	return all;
}

static void play_hold(unsigned port, unsigned n, bool is_busy)
{
	char byte;
	struct peer **all = connect_all(port, n, on_hold);
	for (unsigned i = 0; is_busy && i < n; i++)
		peer_say(all[i], input);
	peers_run(2 * SECOND);
	printf("ready=%u\n", n_ready);
	(void)fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1); /* until our parent has looked */
	free(all);
}

static int64_t nap_began_us;
static unsigned n_in_time;
static int64_t nap_limit_us;

static void on_nap(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		if (++n_ready == n_wanted)
			peers_stop();
	} else if (is_type(message, len, "OUTPUT")) {
		int64_t took = now_us() - nap_began_us;
		samples_add(took);
		n_in_time += took <= nap_limit_us;
		if (++n_ready == 2 * n_wanted)
			peers_stop();
	}
}

static void play_nap(unsigned port, unsigned n, double ms)
{
	struct peer **all = connect_all(port, n, on_nap);
	peers_run(SECOND); /* what comes after CONNECTED */
	nap_limit_us = (int64_t)(ms * 1000);
	nap_began_us = now_us();
	for (unsigned i = 0; i < n; i++)
		peer_say(all[i], input);
	printf("began=%u ", n);
	(void)fflush(stdout);
	peers_run(LONG_TIME);
	printf("within=%u ", n_in_time);
	samples_print();
	free(all);
}

/* ---- one that comes back ---- */

static unsigned n_found;

static void on_owner(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		(void)say_connect(p, NULL);
	} else if (is_type(message, len, "CONNECTED")) {
		copy_member(
		    message, len, "session_id", session_id, sizeof session_id);
		peer_say(p, input);
	} else if (n_wanted ? is_type(message, len, "llm_call")
			    : is_type(message, len, "OUTPUT")) {
		peers_stop();
	}
}

static void on_found(struct peer *p, const char *message, size_t len)
{
	char status[64];
	check(message, len);
	if (!len) {
		(void)say_connect(p, session_id);
	} else if (is_type(message, len, "CONNECTED")) {
		copy_member(message, len, "\"status\"", status, sizeof status);
		n_found += !strcmp(status, n_wanted ? "running" : "connected");
		n_ready++;
		peers_stop();
	}
}

/* The owner stays where it is; each other client is a new connection. */
static void play_find(unsigned port, unsigned tries, bool is_running)
{
	n_wanted = is_running;
	(void)peer_open(port, "/ws", 0, on_owner);
	peers_run(LONG_TIME);
	for (unsigned i = 0; i < tries; i++) {
		(void)peer_open(port, "/ws", i, on_found);
		peers_run(LONG_TIME);
	}
	printf("found=%u tries=%u\n", n_found, n_ready);
}

/* ---- what is asked for ---- */

static unsigned number(const char *word)
{
	return (unsigned)strtoul(word, NULL, 10);
}

static bool play(const char *scene, unsigned port, int n, char **w)
{
	if (!strcmp(scene, "post") && n == 2) {
		play_post(port, number(w[0]), atof(w[1]));
	} else if (!strcmp(scene, "turn") && n == 4) {
		set_input(w[0]);
		n_turns = number(w[3]);
		play_sockets(port, number(w[1]), atof(w[2]), on_turn);
	} else if (!strcmp(scene, "first") && n == 2) {
		set_input(w[0]);
		n_turns = number(w[1]);
		play_first(port);
	} else if (!strcmp(scene, "connect") && n == 2) {
		play_sockets(port, number(w[0]), atof(w[1]), on_connect);
	} else if (!strcmp(scene, "again") && n == 2) {
		play_sockets(port, number(w[0]), atof(w[1]), on_again);
	} else if (!strcmp(scene, "ping") && n == 1) {
		play_ping(port, atof(w[0]));
	} else if (!strcmp(scene, "hold") && (n == 1 || n == 2)) {
		set_input(n == 2 ? w[1] : "");
		play_hold(port, number(w[0]), n == 2);
	} else if (!strcmp(scene, "nap") && n == 3) {
		set_input(w[1]);
		play_nap(port, number(w[0]), atof(w[2]));
	} else if (!strcmp(scene, "find") && n == 3) {
		set_input(w[1]);
		play_find(port, number(w[0]), !strcmp(w[2], "running"));
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
	if (argc < 5)
		die("see the head of bench/signed.c for its scenes");
	lines_open(argv[3]);
	if (!play(argv[1], number(argv[2]), argc - 4, argv + 4))
		die("see the head of bench/signed.c for its scenes");
	return 0;
}
