/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/budget.h"

#include "agent/agents.h"
#include "base/log.h"
#include "core/conf.h"

#include <stdint.h>
#include <sys/resource.h>

/* For the store, logs, mailboxes, files and threads. */
#define OWN 128

/* Per turn: three pipes and a socket; while it starts, both ends of them. */
#define OF_TURN 4

/* The number of connections that are always allowed. */
#define LEAST 8

/* At most half is reserved for turns. */
static int64_t kept_for_turns(const struct conf *conf, int64_t limit)
{
	int64_t want = conf->max_runs * OF_TURN;
	struct err err;
	const struct agent_kind *kind = agents_find(conf->agent, &err);

	if (kind && !(kind->flags & AGENT_HAS_PROCESSES))
		return 0;
	return want < limit / 2 ? want : limit / 2;
}

size_t budget_connections(const struct conf *conf)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur > INT32_MAX)
		return (size_t)conf->max_connections;
	int64_t limit = (int64_t)r.rlim_cur;
	int64_t kept = kept_for_turns(conf, limit);
	int64_t most = limit - kept - OWN;
	if (most >= conf->max_connections)
		return (size_t)conf->max_connections;
	if (most < LEAST)
		most = LEAST;
	log_warn("%lld connections at once, and not max_connections=%lld: "
		 "the limit on open files (ulimit -n) is %lld, of which %lld "
		 "are kept for agents; raise it, or lower max_connections",
	    (long long)most, (long long)conf->max_connections, (long long)limit,
	    (long long)kept);
	return (size_t)most;
}
