/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/agents.h"

#include <stdlib.h>
#include <string.h>

#include "agent/child.h"
#include "agent/demo.h"
#include "core/conf.h"

static bool is_child(const char *setting)
{
	return strncmp(setting, CHILD_PREFIX, strlen(CHILD_PREFIX)) == 0;
}

const struct agent_kind *agents_find(const char *setting, struct err *err)
{
	if (strcmp(setting, demo_kind.name) == 0)
		return &demo_kind;
	if (!is_child(setting)) {
		(void)err_set(err, ERR_CONFIG,
		    "agent '%s' is not known: allowed are 'demo' and "
		    "'exec:COMMAND ARGUMENTS'",
		    setting);
		return NULL;
	}
	const char *command = setting + strlen(CHILD_PREFIX);
	if (!command[strspn(command, " \t")]) {
		(void)err_set(err, ERR_CONFIG,
		    "agent 'exec:' needs a command, such as "
		    "'exec:python3 agent.py'");
		return NULL;
	}
	return &child_kind;
}

int agents_describe(
    const struct conf *conf, struct agent_about *about, struct err *err)
{
	static char *name; /* of the last call */
	const struct agent_kind *kind = agents_find(conf->agent, err);

	if (!kind)
		return -1;
	free(name);
	name = NULL;
	if (kind == &demo_kind)
		demo_describe(about);
	else
		name =
		    child_describe(conf->agent + strlen(CHILD_PREFIX), about);
	return 0;
}
