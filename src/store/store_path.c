/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The paths of a store's files. */
#include "store/store_int.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((format(printf, 1, 2))) struct store_path store_path(
    const char *fmt, ...)
{
	struct store_path p;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(p.text, sizeof p.text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof p.text)
		fatal("store: a path is longer than %d bytes", PATH_MAX);
	return p;
}

struct store_path store_file(const char *dir, enum store_part part)
{
	return store_path("%s/%s", dir, store_file_name(part));
}

void store_remove_lock(const char *path)
{
	(void)unlink(store_path("%s-lock", path).text);
}
