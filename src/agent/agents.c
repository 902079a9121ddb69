/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/agents.h"

#include <stdlib.h>
#include <string.h>

#include "agent/demo.h"
#include "agent/exec.h"
#include "agent/exec_check.h"
#include "agent/python.h"
#include "core/conf.h"

/* What follows the prefix, or NULL when the setting is of another kind. */
static const char *after(const char *setting, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(setting, prefix, n) == 0 ? setting + n : NULL;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

static const struct agent_kind *refuse(struct err *err, const char *why)
{
	(void)err_set(err, ERR_CONFIG, "%s", why);
	return NULL;
}

const struct agent_kind *agents_find(const char *setting, struct err *err)
{
	const char *command = after(setting, EXEC_PREFIX);
	const char *file = after(setting, PYTHON_PREFIX);

	if (strcmp(setting, demo_kind.name) == 0)
		return &demo_kind;
	if (command && !is_blank(command))
		return &exec_kind;
	if (file && !is_blank(file))
		return &python_kind;
	if (command)
		return refuse(err, "agent 'exec:' needs a command, such as "
				   "'exec:python3 agent.py'");
	if (file)
		return refuse(err, "agent 'python:' needs a file, such as "
				   "'python:agent.py'");
	(void)err_set(err, ERR_CONFIG,
	    "agent '%s' is not known: allowed are 'demo', 'exec:COMMAND "
	    "ARGUMENTS' and 'python:FILE.py'",
	    setting);
	return NULL;
}

int agents_check(const struct conf *conf, struct err *err)
{
	const char *agent = after(conf->agent, EXEC_PREFIX);
	const char *trust = after(conf->trust_agent, EXEC_PREFIX);

	if (agent && exec_check("agent", agent, conf->project_dir, err) != 0)
		return -1;
	return trust ? exec_check("trust_agent", trust, conf->project_dir, err)
		     : 0;
}

int agents_describe(
    const struct conf *conf, struct agent_about *about, struct err *err)
{
	static char *name; /* of the last call */
	static struct python_profile profile;
	const struct agent_kind *kind = agents_find(conf->agent, err);

	if (!kind)
		return -1;
	free(name);
	name = NULL;
	python_profile_free(&profile);
	if (kind == &demo_kind) {
		demo_describe(about);
	} else if (kind == &exec_kind) {
		name = exec_describe(conf->agent + strlen(EXEC_PREFIX), about);
	} else {
		python_profile_read(&profile, conf->agent, conf->agent_state,
		    conf->agent_profile, strlen(conf->agent_profile));
		*about = profile.about;
	}
	return 0;
}
