/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/effect.h"

#include "access/policy.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/param.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What a rule looks at. */
struct look {
	const struct conf *conf;
	const struct policy *policy;
};

static bool is_python(const struct look *l)
{
	return strncmp(l->conf->agent, "python:", 7) == 0;
}

static bool is_exec(const struct look *l)
{
	return strncmp(l->conf->agent, "exec:", 5) == 0;
}

static bool is_native(const struct look *l)
{
	return strncmp(l->conf->agent, "c:", 2) == 0;
}

/* What is a program of its own. */
static bool is_program(const struct look *l)
{
	return is_python(l) || is_exec(l) || is_native(l);
}

static bool has_trust_agent(const struct look *l)
{
	return *l->conf->trust_agent;
}

static bool has_trust_model(const struct look *l)
{
	return strcmp(l->conf->trust_agent, "llm") == 0;
}

/* The trust agent has the same limits as the agent. */
static bool has_processes(const struct look *l)
{
	return is_program(l) || has_trust_agent(l);
}

static bool is_shared(const struct look *l)
{
	return is_python(l) && l->conf->agent_state != STATE_ISOLATED;
}

static bool is_not_python(const struct look *l)
{
	return !is_python(l);
}

static bool has_relay(const struct look *l)
{
	return *l->conf->relay_url;
}

/* What is said if an object decides is said where that is found out. */
static bool has_questions(const struct look *l)
{
	return policy_asks(l->policy) || *l->conf->trust_object;
}

#define FOR_PYTHON "it is for python: agents"
#define FOR_PROGRAMS "it is for exec:, python: and c: agents"

static const struct rule {
	enum conf_key key;
	bool (*has_effect)(const struct look *l);
	const char *needs;
} rules[] = {
    {CONF_trust_agent, has_questions, "trust never leaves a decision to it"},
    {CONF_trust_agent_persistent, has_trust_agent, "there is no trust_agent"},
    {CONF_trust_model, has_trust_model, "trust_agent is not llm"},
    {CONF_trust_sees_prompt, has_trust_agent, "there is no trust_agent"},
    {CONF_announce_loopback, has_relay, "there is no relay_url"},
    {CONF_reload, is_python,
	FOR_PYTHON "; send HUP when another program has changed"},
    {CONF_evals, is_not_python,
	"the package connectonion writes the evals of a python: agent"},
    {CONF_python, is_python, FOR_PYTHON},
    {CONF_agent_state, is_python, FOR_PYTHON},
    {CONF_agent_persistent, is_exec,
	"it is for exec: agents; a python: agent runs many turns in one "
	"process unless agent_state is isolated"},
    {CONF_agent_recycle_turns, is_shared,
	FOR_PYTHON " whose agent_state is not isolated; an exec: program "
		   "with agent_persistent can write RETIRE"},
    {CONF_agent_recycle_memory, is_shared,
	FOR_PYTHON " whose agent_state is not isolated; an exec: program "
		   "with agent_persistent can write RETIRE"},
    {CONF_agent_user, is_program, FOR_PROGRAMS},
    {CONF_agent_pool, is_program, FOR_PROGRAMS},
    {CONF_restart, is_program, FOR_PROGRAMS},
    {CONF_interrupt_grace, has_processes, FOR_PROGRAMS},
    {CONF_run_timeout, has_processes, FOR_PROGRAMS},
    {CONF_agent_memory, has_processes, FOR_PROGRAMS},
    {CONF_agent_address_space, has_processes, FOR_PROGRAMS},
    {CONF_agent_processes, has_processes, FOR_PROGRAMS},
    {CONF_agent_line, has_processes, FOR_PROGRAMS},
    {CONF_agent_rate, has_processes, FOR_PROGRAMS},
};

static bool is_given(const struct conf *c, enum conf_key key)
{
	return c->rank[key] >= RANK_FILE && !conf_is_default(c, key);
}

void effect_warn(const struct conf *c, const struct policy *policy)
{
	const struct look look = {c, policy};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct rule *r = &rules[i];
		if (is_given(c, r->key) && !r->has_effect(&look))
			log_warn("%s has no effect: %s", conf_key_name(r->key),
			    r->needs);
	}
}
