/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_AGENT_OPENING_H
#define CORE_AGENT_OPENING_H

/*
 * The events with which turns of every kind of agent open. Each call begins the
 * draft and fills it; the caller sets an id, if it wants a particular one, and
 * emits the draft.
 */
struct agent_input;
struct draft;

/* user_input: the prompt as the agent got it. */
void agent_opening_user_input(struct draft *d, const struct agent_input *in);

/* files_received: names and paths of the files that came with the prompt. */
void agent_opening_files_received(
    struct draft *d, const struct agent_input *in);

#endif
