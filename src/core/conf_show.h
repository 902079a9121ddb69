/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_CONF_SHOW_H
#define CORE_CONF_SHOW_H

/*
 * Settings as people see them: each with its value and where that came from.
 * What may be a secret is masked by "***": values in the environment and the
 * headers of MCP servers, members and options whose names say so, passwords in
 * URLs, and the codes in a policy.
 */
#include <stdbool.h>

struct buf;
struct conf;

/* Append the settings as the value of a JSON member: a list of objects. */
void conf_show_json(struct buf *out, const struct conf *c);

/*
 * Append the settings as a host.yaml with a comment about the source of each;
 * all is true for those with their default as well.
 */
void conf_show_yaml(struct buf *out, const struct conf *c, bool all);

/*
 * Append a line for each setting that a reload would change: its key, the value
 * that runs, and what it would be. What options, the environment and the agent
 * set is not compared, since another shell has another environment. Returns
 * how many there are.
 */
unsigned conf_show_difference(
    struct buf *out, const struct conf *runs, const struct conf *now);

#endif
