/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H

/*
 * Where the settings come from: defaults, host.yaml, the environment, the
 * command line. They are read at the start and again at each reload, from the
 * same project.
 */
struct buf;
struct conf;
struct err;
struct options;

/*
 * Say what the command line is and which file runs us; both are borrowed for
 * good. Finds the project. Returns 0, or -1 with ERR_CONFIG.
 */
int settings_init(
    const struct options *o, const char *program, struct err *err);

/*
 * Fill c, which conf_init() made, and check it. The first call loads the files
 * of the environment. Returns 0, or -1 with ERR_CONFIG naming what is wrong.
 */
int settings_read(struct conf *c, struct err *err);

/*
 * Ask the agent that c names who it is (agent/agents.h), which for a python: one
 * runs its file once; what it gives to host() then counts among the settings.
 * Returns 0, or -1 with ERR_CONFIG after its traceback was printed.
 */
int settings_ask_agent(struct conf *c, struct err *err);

/* Append one line for each file of the environment that was loaded. */
void settings_print_loaded(struct buf *out);

#endif
