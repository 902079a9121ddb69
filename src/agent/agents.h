/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_AGENTS_H
#define AGENT_AGENTS_H

/*
 * The kinds of agents there are, by what the setting 'agent' says. A new kind
 * is a struct agent_kind and its name in the list in agents.c.
 */
#include "core/agent.h"

/*
 * Returns the kind for a value of the setting 'agent', such as "demo", "llm" or
 * "exec:COMMAND". NULL with ERR_CONFIG, which names the allowed forms.
 */
const struct agent_kind *agents_find(const char *setting, struct err *err);

/*
 * Returns the kind that runs the agent of a spec, which may depend on its
 * profile. NULL as above.
 */
const struct agent_kind *agents_of(
    const struct agent_spec *spec, struct err *err);

/*
 * Check whether the programs of 'agent' and 'trust_agent' can be executed, as
 * far as that can be told in advance (agent/exec_check.h). Returns 0, or -1
 * with ERR_CONFIG.
 */
int agents_check(const struct conf *conf, struct err *err);

/*
 * Describe the configured agent without opening it. What *about points to lives
 * as long as the process, or until the next call. Returns 0, or -1 with
 * ERR_CONFIG.
 */
int agents_describe(
    const struct conf *conf, struct agent_about *about, struct err *err);

#endif
