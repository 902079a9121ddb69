/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "limits/limits.h"

#include "base/mem.h"
#include "core/conf.h"
#include "core/stat.h"
#include "limits/network.h"
#include "limits/quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define HOUR_MS 3600000
#define MEBIBYTE ((int64_t)1024 * 1024)

/* What is full now may be free in a moment. */
#define GAUGE_RETRY_MS 1000

/* A rate limit; they are checked in this order. */
struct rate_rule {
	enum quota_kind kind;
	const char *name;
	const char *what; /* for people */
	const char *unit;
	int64_t period_ms;
	int64_t scale; /* unit of the setting */
	bool is_peer;
	bool is_bytes;
};

static const struct rate_rule rate_rules[] = {
    {QUOTA_PEER_REQUESTS, "peer-requests", "requests", "per minute", MINUTE_MS,
	1, true, false},
    {QUOTA_PEER_BYTES, "peer-bytes", "bytes", "MB per hour", HOUR_MS, MEBIBYTE,
	true, true},
    {QUOTA_REQUESTS, "requests", "requests", "per minute", MINUTE_MS, 1, false,
	false},
    {QUOTA_BYTES, "bytes", "bytes", "MB per hour", HOUR_MS, MEBIBYTE, false,
	true},
};

#define N_RATES (sizeof rate_rules / sizeof *rate_rules)

/* A limit on the number in use at the same time. */
struct gauge_rule {
	enum gauge_kind kind;
	enum gauge_kind peer_kind;
	const char *what;
};

static const struct gauge_rule gauge_rules[] = {
    [LIMITS_RUNS] = {GAUGE_RUNS, GAUGE_PEER_RUNS, "turns"},
    [LIMITS_SOCKETS] = {GAUGE_SOCKETS, GAUGE_PEER_SOCKETS, "WebSockets"},
};

struct limits {
	struct heritage *heritage;
	struct gauge gauge;
	int64_t rates[N_RATES];	   /* as set; 0: none */
	int64_t most[GAUGE_KINDS]; /* 0: none */
};

/* ---- the peer ---- */

void limits_network(char *out, const struct limits_who *who)
{
	out[0] = 0;
	if (who->peer && !who->peer_is_loopback &&
	    strcmp(who->peer, "unix") != 0)
		network_name(out, who->peer);
}

static const char *whose(bool is_peer)
{
	return is_peer ? "from one address" : "for one identity";
}

/* ---- rates ---- */

static void count_refusal(const struct rate_rule *rule)
{
	if (rule->is_bytes)
		stat_add(limited_bytes, 1);
	else
		stat_add(limited_requests, 1);
}

static int limits_refuse(struct limits_verdict *v, const struct rate_rule *rule,
    int64_t most, int64_t wait_ms)
{
	long long seconds = (wait_ms + 999) / 1000;
	count_refusal(rule);
	v->reset_ms = wait_ms;
	(void)err_set(&v->err, ERR_LIMIT,
	    "too many %s: %lld %s %s; retry in %lld s", rule->what,
	    (long long)most, rule->unit, whose(rule->is_peer), seconds);
	v->err.retry_after_ms = wait_ms;
	return -1;
}

static int take_rate(struct limits *l, size_t i, const char *who, int64_t bytes,
    struct limits_verdict *v)
{
	const struct rate_rule *rule = &rate_rules[i];
	struct quota quota = {l->rates[i] * rule->scale, rule->period_ms};
	struct quota_left left;
	bool is_taken = quota_take(l->heritage, rule->kind, who, &quota,
	    rule->is_bytes ? bytes : 1, &left);
	if (is_taken && rule->is_bytes)
		return 0; /* report on requests, not bytes */
	v->name = rule->name;
	v->most = quota.burst;
	v->window_ms = quota.period_ms;
	v->left = left.left;
	v->reset_ms = left.full_ms;
	return is_taken ? 0 : limits_refuse(v, rule, l->rates[i], left.wait_ms);
}

int limits_request(struct limits *l, const struct limits_who *who,
    int64_t bytes, struct limits_verdict *v)
{
	char peer[NETWORK_SIZE];
	*v = (struct limits_verdict){.name = NULL};
	if (!l)
		return 0;
	limits_network(peer, who);
	for (size_t i = 0; i < N_RATES; i++) {
		const char *name = rate_rules[i].is_peer ? peer : who->caller;
		if (l->rates[i] && name && *name &&
		    take_rate(l, i, name, bytes, v) != 0)
			return -1;
	}
	return 0;
}

/* ---- numbers in use ---- */

static int refuse_hold(const struct limits *l, enum limits_kind kind,
    enum gauge_kind gauge, struct err *err)
{
	if (kind == LIMITS_RUNS)
		stat_add(limited_runs, 1);
	else
		stat_add(limited_sockets, 1);
	(void)err_set(err, ERR_LIMIT,
	    "too many %s at once: %lld %s; retry when one has ended",
	    gauge_rules[kind].what, (long long)l->most[gauge],
	    whose(gauge == gauge_rules[kind].peer_kind));
	err->retry_after_ms = GAUGE_RETRY_MS;
	return -1;
}

static int hold_one(struct limits *l, enum gauge_kind gauge, const char *who,
    gauge_hold *hold, bool is_forced)
{
	int64_t most = is_forced ? 0 : l->most[gauge];
	if (!who || !*who)
		return 0;
	gauge_drop(&l->gauge, hold);
	return gauge_take(&l->gauge, gauge, who, most, hold) ? 0 : -1;
}

int limits_hold(struct limits *l, enum limits_kind kind,
    const struct limits_who *who, struct limits_held *held, struct err *err)
{
	const struct gauge_rule *rule;
	char peer[NETWORK_SIZE];
	if (!l)
		return 0;
	rule = &gauge_rules[kind];
	limits_network(peer, who);
	if (hold_one(l, rule->peer_kind, peer, &held->peer, !err) != 0)
		return refuse_hold(l, kind, rule->peer_kind, err);
	if (hold_one(l, rule->kind, who->caller, &held->caller, !err) == 0)
		return 0;
	if (*peer)
		gauge_drop(&l->gauge, &held->peer);
	return refuse_hold(l, kind, rule->kind, err);
}

void limits_drop(struct limits *l, struct limits_held *held)
{
	if (!l)
		return;
	gauge_drop(&l->gauge, &held->caller);
	gauge_drop(&l->gauge, &held->peer);
}

bool limits_connect(
    struct limits *l, const struct limits_who *who, gauge_hold *hold)
{
	char peer[NETWORK_SIZE];
	if (!l->most[GAUGE_PEER_CONNECTIONS])
		return true;
	limits_network(peer, who);
	if (hold_one(l, GAUGE_PEER_CONNECTIONS, peer, hold, false) == 0)
		return true;
	stat_add(limited_connections, 1);
	return false;
}

void limits_disconnect(struct limits *l, gauge_hold *hold)
{
	gauge_drop(&l->gauge, hold);
}

/* ---- life cycle ---- */

static int64_t setting(const struct conf *conf, enum quota_kind kind)
{
	switch (kind) {
	case QUOTA_REQUESTS:
		return conf->limit_requests;
	case QUOTA_PEER_REQUESTS:
		return conf->limit_peer_requests;
	case QUOTA_BYTES:
		return conf->limit_bytes;
	case QUOTA_PEER_BYTES:
		return conf->limit_peer_bytes;
	case QUOTA_GUESSES:
	case QUOTA_PEER_GUESSES:
	case QUOTA_ALL_GUESSES:
		break;
	}
	return 0;
}

struct limits *limits_new(const struct conf *conf, struct heritage *h,
    unsigned slot, uint32_t generation)
{
	struct limits *l = mem_zero(sizeof *l);
	l->heritage = h;
	l->gauge = gauge_open(h, slot, generation);
	for (size_t i = 0; i < N_RATES; i++)
		l->rates[i] = setting(conf, rate_rules[i].kind);
	l->most[GAUGE_RUNS] = conf->limit_runs;
	l->most[GAUGE_PEER_RUNS] = conf->limit_peer_runs;
	l->most[GAUGE_SOCKETS] = conf->limit_sockets;
	l->most[GAUGE_PEER_SOCKETS] = conf->limit_peer_sockets;
	l->most[GAUGE_PEER_CONNECTIONS] = conf->limit_peer_connections;
	return l;
}

void limits_free(struct limits **l)
{
	free(*l);
	*l = NULL;
}
