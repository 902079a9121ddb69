/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/native_model.h"

#include "agent/native_profile.h"
#include "agent/native_source.h"
#include "agent/native_tools.h"
#include "agent/profile.h"
#include "agentloop/agentloop.h"
#include "core/tool.h"

/* What the object says of itself, and the model of the settings. */
static void describe(const struct agent_spec *spec, struct agent_about *about)
{
	static struct profile profile; /* of the last call */

	profile_free(&profile);
	native_profile_read(&profile, spec);
	*about = profile.about;
	about->model = spec->model.name;
}

static struct agent *open_model(
    const struct agent_setup *setup, struct err *err)
{
	static struct profile ours; /* lives as long as the agent */
	struct agent_setup loop = *setup;

	profile_free(&ours);
	native_profile_read(&ours, &setup->spec);
	ours.about.model = setup->spec.model.name;
	loop.about = &ours.about;
	loop.tools = native_tools_open(setup);
	if (!*loop.spec.model.system && ours.system_prompt)
		loop.spec.model.system = ours.system_prompt;
	struct agent *agent = agentloop_kind.open(&loop, err);
	if (!agent)
		loop.tools->ops->close(&loop.tools);
	return agent;
}

const struct agent_kind *native_model_kind(void)
{
	static struct agent_kind kind; /* set once, before there are threads */

	if (kind.name)
		return &kind;
	kind = agentloop_kind;
	kind.name = "c";
	kind.prefix = NATIVE_PREFIX;
	kind.describe = describe;
	kind.open = open_model;
	return &kind;
}
