/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

/*
 * The toolbox of a project: the built-in tools and the commands that the
 * setting tools declares (core/tool_spec.h). All work in the project's folder,
 * as the user of the agent and with its limits (doc/tools.txt).
 */
#include "core/agent.h"
#include "core/tool.h"

#include <stdint.h>

/* Open it: with the spec, loop and crew of an agent. NULL with ERR_CONFIG. */
struct toolbox *tools_open(const struct agent_setup *setup, struct err *err);

/* Returns how many descriptors its calls may need in a worker. */
int64_t tools_descriptors(const struct agent_spec *spec);

#endif
