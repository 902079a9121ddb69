/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_OPENING_H
#define CORE_AGENT_OPENING_H

/*
 * The events that a turn of every kind of agent opens with. Each call begins
 * the draft and fills it; the caller gives it an id, if it wants one of its
 * own, and emits it.
 */
struct agent_input;
struct draft;

/* user_input: the prompt as the agent was given it. */
void agent_opening_user_input(struct draft *d, const struct agent_input *in);

/* files_received: names and places of the files that came with it. */
void agent_opening_files_received(
    struct draft *d, const struct agent_input *in);

#endif
