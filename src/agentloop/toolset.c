/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentloop/toolset.h"

#include "base/buf.h"
#include "base/log.h"
#include "model/codec.h"

#include <stdbool.h>
#include <string.h>

/* A place in the walk through all tools. */
struct walk {
	size_t box;
	size_t tool;
};

static const struct tool *next(
    const struct toolset *s, struct walk *w, struct toolbox **box)
{
	for (; w->box < s->n; w->box++, w->tool = 0) {
		struct toolbox *b = s->boxes[w->box];
		if (b->ops->load && b->ops->load(b) != TOOLBOX_LOADED)
			continue;
		const struct tool *tool = b->ops->tool(b, w->tool);
		if (!tool)
			continue;
		w->tool++;
		*box = b;
		return tool;
	}
	return NULL;
}

void toolset_add(struct toolset *s, struct toolbox *box)
{
	if (s->n == TOOLSET_BOXES)
		fatal("an agent has at most %d toolboxes", TOOLSET_BOXES);
	s->boxes[s->n++] = box;
}

const struct tool *toolset_find(
    const struct toolset *s, const char *name, struct toolbox **box)
{
	struct walk w = {0};
	const struct tool *tool;

	while ((tool = next(s, &w, box)))
		if (strcmp(tool->name, name) == 0)
			return tool;
	return NULL;
}

static bool is_listed(const struct model_tool *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

size_t toolset_list(const struct toolset *s, struct model_tool *out, size_t max)
{
	struct walk w = {0};
	struct toolbox *box;
	const struct tool *tool;
	size_t n = 0;

	while (n < max && (tool = next(s, &w, &box)))
		if (!is_listed(out, n, tool->name))
			out[n++] = (struct model_tool){.name = tool->name,
			    .description = tool->description,
			    .schema = tool->schema};
	return n;
}

bool toolset_is_loading(const struct toolset *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct toolbox *b = s->boxes[i];
		if (b->ops->load && b->ops->load(b) == TOOLBOX_LOADING)
			return true;
	}
	return false;
}

void toolset_put_names(const struct toolset *s, struct buf *out)
{
	struct walk w = {0};
	struct toolbox *box;
	const struct tool *tool;
	const char *sep = "";

	while ((tool = next(s, &w, &box))) {
		buf_printf(out, "%s%s", sep, tool->name);
		sep = ", ";
	}
}

void toolset_close(struct toolset *s)
{
	while (s->n) {
		struct toolbox *b = s->boxes[--s->n];
		b->ops->close(&b);
	}
}
