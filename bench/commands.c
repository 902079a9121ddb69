/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * The load generator for Onsembl: plays one scene against a server and prints
 * what it measured as NAME=NUMBER words, times in microseconds.
 *
 *   commands watch PORT TOKEN DASHBOARDS AGENTS LINES MS
 *                          each of the agents bench-0, bench-1, ... runs one
 *                          command, "commands print LINES MS", for one of the
 *                          dashboards: from a line's time stamp until its
 *                          bytes are read from the dashboard's socket
 *   commands print LINES MS
 *                          that command: time stamps, a line every MS
 *   commands agents PORT TOKEN AGENTS
 *                          connect them, say ready, hold them
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/peer.h"
#include "bench/samples.h"

#define SECOND 1000000LL

/* What a line begins with. */
#define MARK "at="

/* Beyond the time that a command takes, before it is given up. */
#define SPARE_US (60 * SECOND)

static struct {
	char program[PATH_MAX]; /* this one */
	unsigned n_dashboards;
	unsigned n_agents;
	unsigned n_lines; /* of each command */
	unsigned every_ms;
	unsigned n_ready;
	unsigned n_ended;
	uint64_t n_seen; /* lines of all */
} scene;

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

/* ---- dashboards ---- */

static void request(struct peer *p, unsigned agent)
{
	char text[PATH_MAX + 400];
	(void)snprintf(text, sizeof text,
	    "{\"type\":\"COMMAND_REQUEST\",\"id\":\"m%u\",\"timestamp\":%lld,"
	    "\"payload\":{\"agentId\":\"bench-%u\",\"commandId\":\"bench-%d-%"
	    "u\","
	    "\"command\":\"exec %s print %u %u\"}}",
	    agent, (long long)(wall_us() / 1000), agent, (int)getpid(), agent,
	    scene.program, scene.n_lines, scene.every_ms);
	peer_say(p, text);
}

/* Its first list has come: it may command. */
static void begin_commands(struct peer *p)
{
	for (unsigned i = p->n; i < scene.n_agents; i += scene.n_dashboards)
		request(p, i);
}

static void take_output(const char *message, size_t len)
{
	int64_t now = now_us();
	const char *end = message + len;
	const char *at = message;
	while ((at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1))) {
		at += sizeof MARK - 1;
		samples_add(now - strtoll(at, NULL, 10));
		scene.n_seen++;
	}
}

static void on_dashboard(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (is_type(message, len, "TERMINAL_STREAM"))
		take_output(message, len);
	else if (is_type(message, len, "DASHBOARD_CONNECTED") && !p->sent_us)
		begin_commands(p);
	else if (is_type(message, len, "COMMAND_COMPLETE") &&
		 ++scene.n_ended == scene.n_agents)
		peers_stop();
}

static void play_watch(unsigned port, const char *token)
{
	char path[4096];
	uint64_t n_lines = (uint64_t)scene.n_agents * scene.n_lines;
	if (!scene.n_dashboards)
		die("at least one dashboard is needed");
	(void)snprintf(path, sizeof path, "/ws/dashboard?token=%s", token);
	for (unsigned i = 0; i < scene.n_dashboards; i++)
		(void)peer_open(port, path, i, on_dashboard);
	peers_run((int64_t)scene.n_lines * scene.every_ms * 1000 + SPARE_US);
	if (scene.n_ended < scene.n_agents || scene.n_seen != n_lines)
		die("%u of %u commands have ended, and %llu of %llu lines came",
		    scene.n_ended, scene.n_agents,
		    (unsigned long long)scene.n_seen,
		    (unsigned long long)n_lines);
	samples_print();
}

/* ---- the command ---- */

static void wait_until(int64_t us)
{
	const struct timespec t = {us / SECOND, us % SECOND * 1000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
		continue;
}

/* Commands that begin together shall not write together. */
static int64_t some_of(int64_t period_us)
{
	return period_us ? (int64_t)getpid() * 7919 * 1000 % period_us : 0;
}

static void print_lines(unsigned n, unsigned every_ms)
{
	int64_t period = (int64_t)every_ms * 1000;
	int64_t next = now_us() + some_of(period);
	for (unsigned i = 0; i < n; i++, next += period) {
		char line[64];
		wait_until(next);
		int len = snprintf(
		    line, sizeof line, MARK "%lld\n", (long long)now_us());
		if (write(STDOUT_FILENO, line, (size_t)len) != len)
			die("the output takes nothing");
	}
}

/* ---- agents ---- */

static void introduce(struct peer *p)
{
	char text[400];
	(void)snprintf(text, sizeof text,
	    "{\"type\":\"AGENT_CONNECT\",\"id\":\"c%u\",\"timestamp\":%lld,"
	    "\"payload\":{\"agentId\":\"idle-%u\",\"agentType\":\"mock\","
	    "\"version\":\"1.0\",\"hostMachine\":\"bench\","
	    "\"capabilities\":{\"commands\":true},\"activeCommands\":[]}}",
	    p->n, (long long)(wall_us() / 1000), p->n);
	peer_say(p, text);
}

static void on_agent(struct peer *p, const char *message, size_t len)
{
	check(message, len);
	if (!len)
		introduce(p);
	else if (is_type(message, len, "ACK") &&
		 ++scene.n_ready == scene.n_agents)
		peers_stop();
}

static void play_agents(unsigned port, const char *token)
{
	char path[4096], byte;
	(void)snprintf(path, sizeof path, "/ws/agent?token=%s", token);
	for (unsigned i = 0; i < scene.n_agents; i++) {
		(void)peer_open(port, path, i, on_agent);
		if (i % 64 == 63)
			peers_run(SECOND / 200);
	}
	if (scene.n_ready < scene.n_agents)
		peers_run(SPARE_US);
	if (scene.n_ready < scene.n_agents)
		die("%u of %u agents are connected", scene.n_ready,
		    scene.n_agents);
	peers_run(SECOND);
	printf("ready=%u\n", scene.n_ready);
	(void)fflush(stdout);
	(void)!read(STDIN_FILENO, &byte, 1); /* until our parent has looked */
}

/* ---- what is asked for ---- */

static unsigned number(const char *word)
{
	return (unsigned)strtoul(word, NULL, 10);
}

static bool play(int n, char **w)
{
	if (n == 3 && !strcmp(w[0], "print")) {
		print_lines(number(w[1]), number(w[2]));
	} else if (n == 4 && !strcmp(w[0], "agents")) {
		scene.n_agents = number(w[3]);
		play_agents(number(w[1]), w[2]);
	} else if (n == 7 && !strcmp(w[0], "watch")) {
		scene.n_dashboards = number(w[3]);
		scene.n_agents = number(w[4]);
		scene.n_lines = number(w[5]);
		scene.every_ms = number(w[6]);
		play_watch(number(w[1]), w[2]);
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
	if (readlink(
		"/proc/self/exe", scene.program, sizeof scene.program - 1) < 0)
		die("cannot tell where this program is");
	if (!play(argc - 1, argv + 1))
		die("see the head of bench/commands.c for its scenes");
	return 0;
}
