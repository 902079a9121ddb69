/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTLOOP_AGENTLOOP_H
#define AGENTLOOP_AGENTLOOP_H

/*
 * The kind llm: an agent that is a language model with tools, run by the worker
 * itself (doc/llm.txt). A turn asks the model, runs the tools that it calls,
 * gives it their results, and so on, until it calls none. Nothing blocks, and a
 * turn has no process and no thread. A turn whose worker dies goes on in another
 * one, from its own events.
 */
#include "core/agent.h"

extern const struct agent_kind agentloop_kind;

#endif
