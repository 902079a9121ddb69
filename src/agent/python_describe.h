/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_PYTHON_DESCRIBE_H
#define AGENT_PYTHON_DESCRIBE_H

/*
 * Asks a python: agent to describe itself, before there are workers: its file
 * is run once in a separate process, which is gone with all its children after
 * the call.
 */
struct buf;
struct conf;
struct err;

/* How long the file may take. */
#define PYTHON_DESCRIBE_MS 60000

/*
 * Run co-agent-python --describe for conf->agent, which must be a python:
 * agent, and wait for it. Appends its output to *out: a JSON object with name,
 * model, tools, system_prompt, host_args (the arguments passed to host()), kind
 * ("factory" or "instance"), threads and, if there are any, skills. Returns 0,
 * or -1 with ERR_CONFIG; then *out has what the process wrote to its standard
 * error instead, such as a traceback (the last 64 KiB).
 */
int python_describe(const struct conf *conf, struct buf *out, struct err *err);

#endif
