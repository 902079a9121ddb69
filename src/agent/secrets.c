/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/secrets.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

extern char **environ;

static bool is_secret(const char *variable)
{
	size_t len = strcspn(variable, "=");
	const char *name = SECRETS_NAMES;

	for (;;) {
		size_t n = strcspn(name, ",");
		if (n == len && memcmp(name, variable, n) == 0)
			return true;
		if (!name[n])
			return false;
		name += n + 1;
	}
}

char **secrets_environ(void)
{
	size_t n = 0, kept = 0;

	while (environ && environ[n])
		n++;
	char **list = mem_zero((n + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++)
		if (!is_secret(environ[i]))
			list[kept++] = environ[i];
	return list;
}
