/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_SCRATCH_H
#define T_UNIT_SCRATCH_H

/* A folder of the test's own, removed when the test ends. */
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_top[64];
static pid_t scratch_owner;

static inline int scratch_remove_one(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

/* Remove a folder and all in it. */
static inline void scratch_remove(const char *path)
{
	(void)nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_end(void)
{
	if (getpid() == scratch_owner) /* not in a child */
		scratch_remove(scratch_top);
}

/* The folder; made by the first call. */
static inline const char *scratch_dir(void)
{
	if (*scratch_top)
		return scratch_top;
	memcpy(scratch_top, "/tmp/co-unit-XXXXXX", 20);
	if (!mkdtemp(scratch_top))
		abort();
	scratch_owner = getpid();
	(void)atexit(scratch_end);
	return scratch_top;
}

/* A path in the folder; free() it. */
static inline char *__attribute__((format(printf, 1, 2)))
scratch_path(const char *fmt, ...)
{
	char name[256], *path;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (asprintf(&path, "%s/%s", scratch_dir(), name) < 0)
		abort();
	return path;
}

/* Write a whole file. */
static inline void scratch_write(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
}

/* All of a file with a NUL behind it (free()), "" when it is not there. */
static inline char *scratch_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1);

	*len = 0;
	if (f && text) {
		struct stat st;
		if (fstat(fileno(f), &st) != 0)
			abort();
		text = realloc(text, (size_t)st.st_size + 1);
		if (!text)
			abort();
		*len = fread(text, 1, (size_t)st.st_size, f);
		text[*len] = '\0';
	}
	if (f)
		(void)fclose(f); /* only read */
	return text;
}

#endif
