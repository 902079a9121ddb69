/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_PYTHON_H
#define AGENT_PYTHON_H

/*
 * The agent "python:FILE[:NAME]": an unmodified ConnectOnion file. It is run by
 * src/python/co-agent-python: by long-lived processes with many turns each
 * (agent/fleet.h), or, if its state is isolated, by a fork server whose forks
 * are turns (agent/zygote.h).
 */
#include "core/agent.h"

struct buf;

/* The prefix of the file in the setting 'agent'. */
#define PYTHON_PREFIX "python:"

extern const struct agent_kind python_kind;

/* What is known about an agent; lives in its owner. */
struct python_profile {
	struct agent_about about;
	char *name;
	char *model;
	char *system_prompt;
	char *skills;
	char *state;
	char **tools; /* NULL-terminated */
	char **routes;
};

/*
 * Parse the output of co-agent-python --describe. If it is missing (len 0) or
 * unusable, the profile only names the file. *p must be {0}. state is the
 * setting agent_state.
 */
void python_profile_read(struct python_profile *p, const char *setting,
    int state, const char *json, size_t len);

/* Free the contents. */
void python_profile_free(struct python_profile *p);

#endif
