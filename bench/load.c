/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The load generator: plays one scene against a server and prints what it
 * measured as NAME=NUMBER words, times in microseconds.
 *
 *   load get PORT PATH CONNECTIONS SECONDS
 *   load post PORT PATH BODY CONNECTIONS SECONDS
 *   load echo PORT PATH TEXT SOCKETS SECONDS a message, and one back
 *   load turn PORT PROMPT SOCKETS SECONDS TURNS
 *                                            INPUT, and its OUTPUT; after so
 *                                            many on a new socket, 0: never
 *   load stream PORT STEPS same|other PID... events of one turn per second, at
 *                                            a client of its worker or another
 *   load bell PORT EVENTS PID...             from an event's time stamp to the
 *                                            client of another worker
 *   load idle PORT SOCKETS [TEXT]            open them, say ready, hold them
 *   load sleep PORT CONNECTIONS MS           so many turns at once, and /health
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

static const char *text;
static const char *path;
static unsigned n_ready;
static unsigned n_wanted;
static unsigned n_turns;

/* ---- scenes that go round in circles ---- */

static void on_answer(struct peer *p, const char *body, size_t len)
{
	(void)body;
	(void)len;
	samples_round(p->sent_us);
	peer_request(p, path, text);
}

static void play_http(unsigned port, unsigned n, double seconds)
{
	for (unsigned i = 0; i < n; i++)
		peer_request(peer_open(port, NULL, i, on_answer), path, text);
	samples_measure(seconds);
}

static void on_echo(struct peer *p, const char *message, size_t len)
{
	(void)message;
	if (len)
		samples_round(p->sent_us);
	peer_say(p, text);
}

static bool is_type(const char *message, size_t len, const char *type)
{
	size_t n = strlen(type);
	return len > n + 11 && memcmp(message, "{\"type\":\"", 9) == 0 &&
	       memcmp(message + 9, type, n) == 0 && message[9 + n] == '"';
}

static void check(const char *message, size_t len)
{
	if (is_type(message, len, "ERROR"))
		die("the server says %.*s", (int)len, message);
}

static void next_turn(struct peer *p)
{
	if (n_turns && ++p->n % n_turns == 0)
		peer_renew(p);
	else
		peer_say(p, text);
}

static void on_turn(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len) {
		peer_say(p, "{\"type\":\"CONNECT\",\"session\":{}}");
	} else if (is_type(message, len, "CONNECTED")) {
		peer_say(p, text);
	} else if (is_type(message, len, "OUTPUT")) {
		samples_round(p->sent_us);
		next_turn(p);
	}
}

static const char *input_of(const char *prompt)
{
	static char frame[1024];
	(void)snprintf(frame, sizeof frame,
	    "{\"type\":\"INPUT\",\"prompt\":\"%s\"}", prompt);
	return frame;
}

static void play_sockets(unsigned port, const char *at, unsigned n,
    double seconds, void (*on_message)(struct peer *, const char *, size_t))
{
	for (unsigned i = 0; i < n; i++)
		(void)peer_open(port, at, i, on_message);
	samples_measure(seconds);
}

/* ---- two clients of one session ---- */

static struct {
	struct peer *owner;
	struct peer *watcher; /* the owner, or one of another worker */
	char connect[200];
	int64_t began_us;
	unsigned n_events;
	bool is_timing;
} duet;

static double stamp_of(const char *message, size_t len)
{
	const char *ts = memmem(message, len, "\"ts\":", 5);
	return ts ? strtod(ts + 5, NULL) : 0;
}

static void on_duet_event(struct peer *p, const char *message, size_t len)
{
	bool is_end = is_type(message, len, "OUTPUT");
	if (p != duet.watcher)
		return;
	if (is_end) {
		peers_stop();
		return;
	}
	duet.n_events++;
	if (duet.is_timing && is_type(message, len, "tool_call"))
		samples_add(
		    wall_us() - (int64_t)(stamp_of(message, len) * 1e6));
}

static void on_duet(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len)
		peer_say(p, duet.connect);
	else if (is_type(message, len, "CONNECTED"))
		peers_stop();
	else if (message[9] >= 'a' || is_type(message, len, "OUTPUT"))
		on_duet_event(p, message, len);
}

/* Connect to the session until the worker is, or is not, the owner's. */
static void find_watcher(
    unsigned port, bool is_other, const int *pids, int n_pids)
{
	duet.owner = peer_open(port, "/ws", 0, on_duet);
	peers_run(LONG_TIME);
	duet.watcher = duet.owner;
	int owner = peer_worker(duet.owner, port, pids, n_pids);
	if (!owner)
		die("cannot tell which worker has a connection");
	for (unsigned i = 1; is_other && i < 200; i++) {
		struct peer *p = peer_open(port, "/ws", i, on_duet);
		peers_run(LONG_TIME);
		if (peer_worker(p, port, pids, n_pids) == owner)
			continue;
		duet.watcher = p;
		return;
	}
	if (is_other)
		die("every connection came to one worker");
}

static void play_duet(unsigned port, bool is_other, const char *prompt,
    const int *pids, int n_pids)
{
	(void)snprintf(duet.connect, sizeof duet.connect,
	    "{\"type\":\"CONNECT\",\"session_id\":\"bench-%d\"}",
	    (int)getpid());
	find_watcher(port, is_other, pids, n_pids);
	duet.began_us = now_us();
	peer_say(duet.owner, input_of(prompt));
	peers_run(LONG_TIME);
}

static void play_stream(unsigned port, const char *steps, bool is_other,
    const int *pids, int n_pids)
{
	char prompt[64];
	(void)snprintf(prompt, sizeof prompt, "stream %s", steps);
	play_duet(port, is_other, prompt, pids, n_pids);
	double took = (double)(now_us() - duet.began_us) / (double)SECOND;
	printf("rate=%.0f n=%u\n", duet.n_events / took, duet.n_events);
}

static void play_bell(
    unsigned port, const char *events, const int *pids, int n_pids)
{
	char prompt[64];
	(void)snprintf(prompt, sizeof prompt, "stream %s 5", events);
	duet.is_timing = true;
	play_duet(port, true, prompt, pids, n_pids);
	samples_print();
}

/* ---- many at once ---- */

static void on_idle(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len && text)
		peer_say(p, text);
	else if (!text || is_type(message, len, "CONNECTED"))
		if (++n_ready == n_wanted)
			peers_stop();
}

static void play_idle(unsigned port, unsigned n)
{
	char byte;
	n_wanted = n;
	for (unsigned i = 0; i < n; i++) {
		(void)peer_open(port, "/ws", i, on_idle);
		if (i % 64 == 63)
			peers_run(SECOND / 200);
	}
	if (n_ready < n)
		peers_run(LONG_TIME);
	if (n_ready < n)
		die("%u of %u sockets came to be", n_ready, n);
	peers_run(SECOND);
	printf("ready=%u\n", n_ready);
	(void)fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1); /* until our parent has looked */
}

static void on_health(struct peer *p, const char *body, size_t len)
{
	(void)body;
	(void)len;
	samples_add(now_us() - p->sent_us);
	p->sent_us = 0;
}

static void on_slept(struct peer *p, const char *body, size_t len)
{
	(void)p;
	(void)body;
	(void)len;
	if (++n_ready == n_wanted)
		peers_stop();
}

static void play_sleep(unsigned port, unsigned n, const char *ms)
{
	char body[100];
	struct peer **all = calloc(n, sizeof *all);
	struct peer *health = peer_open(port, NULL, n, on_health);
	if (!all)
		die("out of memory");
	n_wanted = n;
	(void)snprintf(body, sizeof body, "{\"prompt\":\"sleep %s\"}", ms);
	for (unsigned i = 0; i < n; i++)
		all[i] = peer_open(port, NULL, i, on_slept);
	int64_t begin = now_us();
	for (unsigned i = 0; i < n; i++)
		peer_request(all[i], "/input", body);
	while (n_ready < n) {
		if (!health->sent_us)
			peer_request(health, "/health", NULL);
		peers_run(SECOND / 200);
	}
	printf("wall=%lld ", (long long)(now_us() - begin));
	samples_print();
	free(all);
}

/* ---- what is asked for ---- */

static unsigned number(const char *word)
{
	return (unsigned)strtoul(word, NULL, 10);
}

static int read_pids(char **words, int n, int *pids)
{
	int i;
	for (i = 0; i < n && i < 64; i++)
		pids[i] = (int)number(words[i]);
	return i;
}

static bool play(const char *scene, unsigned port, int n, char **w)
{
	int pids[64];
	path = w[0];
	if (!strcmp(scene, "get") && n == 3) {
		play_http(port, number(w[1]), atof(w[2]));
	} else if (!strcmp(scene, "post") && n == 4) {
		text = w[1];
		play_http(port, number(w[2]), atof(w[3]));
	} else if (!strcmp(scene, "echo") && n == 4) {
		text = w[1];
		play_sockets(port, path, number(w[2]), atof(w[3]), on_echo);
	} else if (!strcmp(scene, "turn") && n == 4) {
		text = input_of(w[0]);
		n_turns = number(w[3]);
		play_sockets(port, "/ws", number(w[1]), atof(w[2]), on_turn);
	} else if (!strcmp(scene, "stream") && n > 2) {
		play_stream(port, w[0], !strcmp(w[1], "other"), pids,
		    read_pids(w + 2, n - 2, pids));
	} else if (!strcmp(scene, "bell") && n > 1) {
		play_bell(port, w[0], pids, read_pids(w + 1, n - 1, pids));
	} else if (!strcmp(scene, "idle") && (n == 1 || n == 2)) {
		text = n == 2 ? w[1] : NULL;
		play_idle(port, number(w[0]));
	} else if (!strcmp(scene, "sleep") && n == 2) {
		play_sleep(port, number(w[0]), w[1]);
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
		die("see the head of bench/load.c for its scenes");
	return 0;
}
