/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_PYTHON_H
#define AGENT_PYTHON_H

/*
 * The agent "python:FILE[:NAME]": a ConnectOnion file, unmodified. Each worker
 * has a zygote (src/co-agent-python) that has run the file; a turn is a fork
 * of it, or a thread in it when the agent's state is shared.
 */
#include "core/agent.h"

struct buf;

/* What comes before the file in the setting 'agent'. */
#define PYTHON_PREFIX "python:"

extern const struct agent_kind python_kind;

/* What is known of an agent; it lives in its owner. */
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
 * Read what co-agent-python --describe printed; without it (len 0, or text that
 * is not such a thing) the profile names the file alone. *p must be {0}. state
 * is the setting agent_state.
 */
void python_profile_read(struct python_profile *p, const char *setting,
    int state, const char *json, size_t len);

/* Free what it holds. */
void python_profile_free(struct python_profile *p);

#endif
