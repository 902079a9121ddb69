/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_OBJECT_H
#define NATIVE_OBJECT_H

/*
 * A shared object with an agent in C (co_agent(3)): loaded, created and checked.
 * It is never unloaded: its process exits.
 */
#include "core/err.h"

#include <co_agent.h>

/* Lives in its owner. */
struct object {
	struct co_agent agent; /* a copy; members that it lacks are 0 */
};

/*
 * Load the file, which needs a slash in its path, and create its agent. Returns
 * 0, or -1 with ERR_CONFIG, which says what to do about it.
 */
int object_open(struct object *o, const char *path, const struct co_host *host,
    struct err *err);

/* Returns the i-th tool, from 0. */
const struct co_tool *object_tool(const struct object *o, size_t i);

/* Returns the tool of this name, or NULL. */
const struct co_tool *object_find(const struct object *o, const char *name);

/* Returns a description of the agent, a JSON object and a newline; free() it. */
char *object_describe(const struct object *o, size_t *len);

#endif
