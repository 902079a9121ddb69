/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_NATIVE_PROFILE_H
#define AGENT_NATIVE_PROFILE_H

/* The profile of an agent in C, from what co-agent-c --describe said. */
struct agent_spec;
struct profile;

/* Read it; without one, the agent is named for its file. *p must be {0}. */
void native_profile_read(struct profile *p, const struct agent_spec *spec);

#endif
