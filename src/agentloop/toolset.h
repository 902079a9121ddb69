/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTLOOP_TOOLSET_H
#define AGENTLOOP_TOOLSET_H

/*
 * All tools of an agent: its toolboxes (core/tool.h), in the order in which
 * they were added. Of two tools with one name the first counts. Toolboxes that
 * are still loading, or broken, have no tools at the moment.
 */
#include "core/tool.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct model_tool;

#define TOOLSET_BOXES 64

/* The maximum number of tools that a model is offered. */
#define TOOLSET_TOOLS 512

/* Lives in its owner's memory: {0}, toolset_add(), toolset_close(). */
struct toolset {
	struct toolbox *boxes[TOOLSET_BOXES];
	size_t n;
};

/* Add a toolbox, which the set then owns. */
void toolset_add(struct toolset *s, struct toolbox *box);

/*
 * Returns the tool of this name and its toolbox, or NULL. Valid until the
 * loop's next round.
 */
const struct tool *toolset_find(
    const struct toolset *s, const char *name, struct toolbox **box);

/*
 * Write what a model is told of each tool, at most max. Returns how many.
 */
size_t toolset_list(
    const struct toolset *s, struct model_tool *out, size_t max);

/*
 * Whether the tools of a toolbox are not known yet. Those of a broken one may be
 * known later, which nobody waits for.
 */
bool toolset_is_loading(const struct toolset *s);

/* Append the names, "a, b". */
void toolset_put_names(const struct toolset *s, struct buf *out);

/* Close all toolboxes; no call may run. */
void toolset_close(struct toolset *s);

#endif
