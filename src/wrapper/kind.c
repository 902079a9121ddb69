/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/kind.h"

#include "wrapper/shell.h"

#include <stddef.h>
#include <string.h>

static struct doer *make_shell(struct loop *loop,
    const struct agent_settings *s, char *why, unsigned long size)
{
	(void)s;
	(void)why;
	(void)size;
	return shell_new(loop);
}

static const struct kind kinds[] = {
    {"mock", "mock", make_shell},
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}
