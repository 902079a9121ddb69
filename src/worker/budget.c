/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/budget.h"

#include "agent/agents.h"
#include "base/log.h"
#include "child/inherit.h"
#include "core/conf.h"
#include "core/heritage.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* For the store, logs, mailboxes, files and threads. */
#define OWN 128

/* The number of connections that are always allowed. */
#define LEAST 8

static int64_t wanted_by(const struct agent_spec *spec)
{
	struct err err;
	const struct agent_kind *kind = agents_of(spec, &err);

	return kind && kind->descriptors ? kind->descriptors(spec) : 0;
}

/*
 * At most half is reserved for agents. A trust agent that is started for each
 * question has no room of its own: few are asked at the same time.
 */
static int64_t kept_for_agents(const struct conf *conf, int64_t limit)
{
	struct agent_spec spec = agent_spec_of(conf);
	int64_t want = wanted_by(&spec);

	spec = agent_spec_of_trust(conf);
	if (*spec.setting && spec.is_persistent)
		want += wanted_by(&spec);
	return want < limit / 2 ? want : limit / 2;
}

/* Nobody asked for the default, so a small loss of it concerns nobody. */
static bool is_worth_telling(const struct conf *conf, int64_t most)
{
	return most < conf->max_connections - conf->max_connections / 10 ||
	       !conf_is_default(conf, CONF_max_connections);
}

/* Whether no worker of this generation has told the operator yet. */
static bool is_first_to_tell(struct inherited *in)
{
	uint32_t epoch = in->heritage->slots[in->slot].epoch;
	return atomic_exchange(&in->heritage->warned, epoch) != epoch;
}

size_t budget_connections(struct inherited *in, const struct conf *conf)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur > INT32_MAX)
		return (size_t)conf->max_connections;
	int64_t limit = (int64_t)r.rlim_cur;
	int64_t kept = kept_for_agents(conf, limit);
	int64_t most = limit - kept - OWN;
	if (most >= conf->max_connections)
		return (size_t)conf->max_connections;
	if (most < LEAST)
		most = LEAST;
	if (is_worth_telling(conf, most) && is_first_to_tell(in))
		log_warn("each worker can hold %lld connections, not "
			 "max_connections=%lld: the limit on open files "
			 "(ulimit -n) is %lld, of which %lld are kept for "
			 "agents; raise it, or lower max_connections",
		    (long long)most, (long long)conf->max_connections,
		    (long long)limit, (long long)kept);
	return (size_t)most;
}
