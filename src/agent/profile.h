/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_PROFILE_H
#define AGENT_PROFILE_H

/*
 * A profile is what a program says about the agent that it is: a JSON object
 * with name, model, tools, system_prompt, skills, routes and states. It may
 * change while the agent runs, when its program is loaded again.
 */
#include "core/agent.h"

#include <stdbool.h>
#include <stddef.h>

/* A parsed profile; lives in its owner. */
struct profile {
	struct agent_about about;
	char *name;
	char *model;
	char *system_prompt;
	char *skills;
	char *state;
	char **tools; /* NULL-terminated */
	char **routes;
};

/* What is assumed where a profile says nothing. */
struct profile_usual {
	const char *name;
	const char *model;
	int state; /* agent_state */
};

/*
 * Parse a profile. If it is missing (len 0) or unusable, it has no more than
 * what is usual. *p must be {0}.
 */
void profile_read(struct profile *p, const struct profile_usual *usual,
    const char *json, size_t len);

/* Free the contents. */
void profile_free(struct profile *p);

/*
 * The present profile of an agent, and earlier ones: callers may keep pointers
 * into these as long as the agent exists. Lives in the agent; {0} is empty.
 */
struct profile_history {
	struct profile now;
	char *json; /* from which it was read */
	struct profile_past *past;
};

/* Replace the present profile. Returns whether it differs from the last. */
bool profile_renew(struct profile_history *h, const struct profile_usual *usual,
    const char *json, size_t len);

/* Free the contents. */
void profile_forget(struct profile_history *h);

#endif
