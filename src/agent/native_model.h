/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_NATIVE_MODEL_H
#define AGENT_NATIVE_MODEL_H

/*
 * The variant of an agent in C that has tools and no function for turns: the
 * agent loop of the worker (agentloop/) runs them, with the model of the
 * settings, and calls the tools in processes of their own.
 */
#include "core/agent.h"

/* Returns the variant. */
const struct agent_kind *native_model_kind(void);

#endif
