/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/mem.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t n)
{
	/* malloc(0) may return NULL, which would look like a failure. */
	void *p = malloc(n ? n : 1);
	if (!p)
		fatal("memory: cannot get %zu bytes", n);
	return p;
}

void *mem_zero(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		fatal("memory: cannot get %zu bytes", n);
	return p;
}

void *mem_realloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);
	if (!q)
		fatal("memory: cannot get %zu bytes", n);
	return q;
}

char *mem_strndup(const char *s, size_t n)
{
	char *copy = mem_alloc(n + 1);
	if (n)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}
