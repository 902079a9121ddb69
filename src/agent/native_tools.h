/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_NATIVE_TOOLS_H
#define AGENT_NATIVE_TOOLS_H

/*
 * The tools of an agent in C as a toolbox (core/tool.h), for an agent loop that
 * calls them. Each call has a process of its own, so that a crash in a tool is
 * an error that the model reads.
 */
struct agent_setup;
struct toolbox;

/*
 * Open the toolbox of the object that the spec names, with the tools of its
 * profile. It runs no process before the first call.
 */
struct toolbox *native_tools_open(const struct agent_setup *setup);

#endif
