/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "runner/secrets.h"

#include "base/mem.h"
#include "base/wild.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static bool is_in(const char *variable, char *const *more)
{
	size_t n = strcspn(variable, "=") + 1;

	for (; more && *more; more++)
		if (strncmp(*more, variable, n) == 0)
			return true;
	return false;
}

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

static bool is_named(const char *variable, const char *names)
{
	char *name = mem_strndup(variable, strcspn(variable, "="));
	char *list = mem_strdup(names), *rest = NULL;
	bool is_one = false;

	for (const char *pattern = strtok_r(list, ", ", &rest);
	     pattern && !is_one; pattern = strtok_r(NULL, ", ", &rest))
		is_one = wild_match(pattern, name);
	free(list);
	free(name);
	return is_one;
}

char **secrets_environ(const char *names, char *const *more)
{
	size_t n = 0, kept = 0, added = 0;

	while (environ && environ[n])
		n++;
	while (more && more[added])
		added++;
	char **list = mem_zero((n + added + 1) * sizeof *list);
	for (size_t i = 0; i < n; i++)
		if (!is_secret(environ[i]) && !is_in(environ[i], more) &&
		    is_named(environ[i], names))
			list[kept++] = environ[i];
	for (size_t i = 0; i < added; i++)
		list[kept++] = more[i];
	return list;
}
