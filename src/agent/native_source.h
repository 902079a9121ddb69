/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_NATIVE_SOURCE_H
#define AGENT_NATIVE_SOURCE_H

/* The source of the processes of an agent in C: co-agent-c with its object. */
#include "runner/source.h"

struct agent_spec;

#define NATIVE_PREFIX "c:"

/* Returns the file that the setting of a spec names. */
const char *native_source_file(const struct agent_spec *spec);

/* Initialise the source. option: of co-agent-c, or NULL. */
void native_source_init(struct source_exec *source,
    const struct agent_spec *spec, const char *option);

#endif
