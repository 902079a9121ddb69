/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_SETTINGS_H
#define MAIN_SETTINGS_H

/*
 * The sources of the settings: defaults, host.yaml, the environment, the agent,
 * and the command line. They are read at startup and again on each reload, for
 * the same project. These calls block; only the master's start makes them.
 */
struct buf;
struct conf;
struct err;
struct options;

/*
 * Set the command line and the program that runs us; both are borrowed for
 * good. Finds the project. Returns 0, or -1 with ERR_CONFIG.
 */
int settings_init(
    const struct options *o, const char *program, struct err *err);

/*
 * Fill in c, which was initialised by conf_init(), and check it. The first call
 * loads the .env files. Returns 0, or -1 with ERR_CONFIG naming what is wrong.
 */
int settings_read(struct conf *c, struct err *err);

/*
 * Ask the agent that c names about itself (agent/agents.h); a python: agent's
 * file is run once for this. What it gives to host() then counts among the
 * settings. Returns 0, or -1 with ERR_CONFIG after printing its traceback.
 */
int settings_ask_agent(struct conf *c, struct err *err);

/* Append one line for each .env file that was loaded. */
void settings_print_loaded(struct buf *out);

#endif
