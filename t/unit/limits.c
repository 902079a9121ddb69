/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <sys/mman.h>

#include "core/conf.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "proc/shm.h"
#include "limits/limits.h"

static struct conf conf;
static struct heritage *heritage;
static size_t heritage_size;
static struct limits *limits;

static void begin(void)
{
	int fd = shm_create("limits-test", sizeof(struct heritage));

	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	atomic_store(&heritage->slots[0].generation, 1);
	conf_init(&conf);
	conf.limit_requests = 3;
	conf.limit_peer_requests = 5;
	conf.limit_bytes = 1;
	conf.limit_peer_bytes = 2;
	conf.limit_runs = 1;
	conf.limit_peer_runs = 2;
	conf.limit_sockets = 2;
	conf.limit_peer_sockets = 3;
	limits = limits_new(&conf, heritage, 0, 1);
}

static void end(void)
{
	limits_free(&limits);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

/* How many of n requests are let through. */
static int request(const char *caller, const char *peer, int n)
{
	struct limits_who who = {.caller = caller, .peer = peer};
	struct limits_verdict v;
	int taken = 0;

	for (int i = 0; i < n; i++)
		taken += limits_request(limits, &who, 0, &v) == 0;
	return taken;
}

static const struct who_case {
	const char *name;
	const char *caller;
	const char *peer;
	int taken; /* of 9 */
} who_cases[] = {
    {"an identity has its limit", "0xa", "", 3},
    {"an address has its own", "", "192.0.2.1", 5},
    {"both count, and the smaller one decides", "0xb", "192.0.2.2", 3},
    {"what the identity was refused counts for the address", "", "192.0.2.2",
	0},
    {"nobody from nowhere has none", "", NULL, 9},
    {"a Unix socket has none", "", "unix", 9},
    {"an identity behind a Unix socket has", "0xc", "unix", 3},
    {"an IPv6 address has one", "", "2001:db8:1:2::1", 5},
    {"all of its network has the same", "", "2001:db8:1:2:3:4:5:6", 0},
    {"another network has its own", "", "2001:db8:1:3::1", 5},
    {"an address that is none is one", "", "unknown", 5},
};

static void test_who(void)
{
	begin();
	for (size_t i = 0; i < sizeof(who_cases) / sizeof(*who_cases); i++) {
		const struct who_case *c = &who_cases[i];
		is_int(request(c->caller, c->peer, 9), c->taken, "%s", c->name);
	}
	end();
}

static void test_loopback(void)
{
	struct limits_who local = {
	    .caller = "", .peer = "127.0.0.1", .peer_is_loopback = true};
	struct limits_verdict v;
	int refused = 0;

	begin();
	for (int i = 0; i < 9; i++)
		refused += limits_request(limits, &local, 9 << 20, &v) != 0;
	is_int(refused, 0, "unsigned requests of this machine have no limit");
	ok(!v.name, "unsigned requests of this machine are told of no limit");
	is_int(request("", "127.0.0.1", 9), 5,
	    "requests of this machine through a proxy have a limit");
	end();
}

static void test_verdict(void)
{
	struct limits_who anna = {.caller = "0xa"};
	struct limits_verdict v;

	begin();
	(void)limits_request(limits, &anna, 0, &v);
	is_str(v.name, "requests", "an accepted request is told of the limit");
	is_int(v.most, 3, "an accepted request is told how many are allowed");
	is_int(v.window_ms, 60000, "an accepted request is told the window");
	is_int(v.left, 2, "an accepted request is told how many are left");
	is_int(v.err.code, ERR_OK, "an accepted request has no error");
	(void)request("0xa", "", 2);
	uint64_t counted = stat_mine()->limited_requests;
	is_int(limits_request(limits, &anna, 0, &v), -1,
	    "a fourth request of three is refused");
	is_int(v.err.code, ERR_LIMIT,
	    "a refused request has the error of a limit");
	is_int(v.left, 0, "a refused request has nothing left");
	ok(v.err.retry_after_ms > 0 && v.err.retry_after_ms <= 20000,
	    "a refused request may be repeated after a third of a minute");
	ok(strncmp(v.err.text,
	       "too many requests: 3 per minute for one identity; retry in ",
	       59) == 0,
	    "the text has the number: %s", v.err.text);
	ok(stat_mine()->limited_requests == counted + 1,
	    "a refused request is counted");
	end();
}

static void test_bytes(void)
{
	struct limits_who anna = {.caller = "0xa"};
	struct limits_verdict v;

	begin();
	is_int(limits_request(limits, &anna, 1 << 19, &v), 0,
	    "half of the bytes are accepted");
	is_int(limits_request(limits, &anna, 1 << 20, &v), -1,
	    "more bytes than are left are refused");
	is_str(v.name, "bytes", "a refusal for bytes names the limit of bytes");
	is_str(v.err.text,
	    "too many bytes: 1 MB per hour for one identity; retry in 1800 s",
	    "a refusal for bytes says when to retry");
	is_int(limits_request(limits, &anna, 1 << 18, &v), 0,
	    "the rest of the bytes can be taken");
	is_str(v.name, "requests",
	    "an accepted request is told of the limit of requests");
	end();
}

static void test_held(void)
{
	struct limits_who anna = {.caller = "0xa", .peer = "192.0.2.1"};
	struct limits_who bert = {.caller = "0xb", .peer = "192.0.2.1"};
	struct limits_who carl = {.caller = "0xc", .peer = "192.0.2.1"};
	struct limits_held a = {0}, b = {0}, c = {0};
	struct err err;

	begin();
	is_int(limits_hold(limits, LIMITS_RUNS, &anna, &a, &err), 0,
	    "a turn may begin");
	is_int(limits_hold(limits, LIMITS_RUNS, &anna, &b, &err), -1,
	    "a second turn of the same identity is refused");
	is_str(err.text,
	    "too many turns at once: 1 for one identity; retry when one has "
	    "ended",
	    "the refusal of a turn names the limit of the identity");
	ok(err.retry_after_ms > 0, "the refusal of a turn says when to retry");
	ok(!b.caller && !b.peer, "a refused turn holds nothing");
	is_int(limits_hold(limits, LIMITS_RUNS, &bert, &b, &err), 0,
	    "a turn of another identity may begin");
	is_int(limits_hold(limits, LIMITS_RUNS, &carl, &c, &err), -1,
	    "a third turn of the same address is refused");
	is_str(err.text,
	    "too many turns at once: 2 from one address; retry when one has "
	    "ended",
	    "the refusal of a turn names the limit of the address");
	limits_drop(limits, &a);
	limits_drop(limits, &a);
	is_int(limits_hold(limits, LIMITS_RUNS, &carl, &c, &err), 0,
	    "a turn may begin when another has ended");
	is_int(limits_hold(limits, LIMITS_RUNS, &carl, &a, NULL), 0,
	    "a turn that runs already is counted without a limit");
	end();
}

/* A socket is counted for its address, and later for an identity. */
static void test_later(void)
{
	struct limits_who peer = {.peer = "192.0.2.1"};
	struct limits_who anna = {.caller = "0xa"};
	struct limits_held held[3] = {{0}};
	struct err err;

	begin();
	for (int i = 0; i < 3; i++)
		(void)limits_hold(
		    limits, LIMITS_SOCKETS, &peer, &held[i], &err);
	for (int i = 0; i < 2; i++)
		(void)limits_hold(
		    limits, LIMITS_SOCKETS, &anna, &held[i], &err);
	is_int(limits_hold(limits, LIMITS_SOCKETS, &anna, &held[0], &err), 0,
	    "a socket is not counted twice for its identity");
	is_int(limits_hold(limits, LIMITS_SOCKETS, &anna, &held[2], &err), -1,
	    "a third socket of the same identity is refused");
	ok(held[2].peer && !held[2].caller,
	    "a socket refused for its identity still counts for its address");
	limits_drop(limits, &held[2]);
	is_int(limits_hold(limits, LIMITS_SOCKETS, &peer, &held[2], &err), 0,
	    "a closed socket makes room for another of its address");
	end();
}

static void test_off(void)
{
	struct limits_held held = {0};
	struct limits_who anna = {.caller = "0xa", .peer = "192.0.2.1"};
	struct limits_verdict v;
	struct err err;

	begin();
	limits_free(&limits);
	conf.limit_requests = conf.limit_peer_requests = 0;
	conf.limit_bytes = conf.limit_peer_bytes = 0;
	limits = limits_new(&conf, heritage, 0, 1);
	is_int(request("0xa", "192.0.2.1", 1000), 1000, "0 is no limit");
	limits_free(&limits);
	is_int(limits_request(NULL, &anna, 0, &v), 0,
	    "a request is accepted where there are no limits");
	is_int(limits_hold(NULL, LIMITS_RUNS, &anna, &held, &err), 0,
	    "a turn is not counted where there are no limits");
	limits_drop(NULL, &held);
	end();
}

int main(void)
{
	test_who();
	test_loopback();
	test_verdict();
	test_bytes();
	test_held();
	test_later();
	test_off();
	return done();
}
