/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/lines.h"

#include <stdbool.h>
#include <string.h>

static _Thread_local bool keeps;
static struct lines *kept; /* of the thread that keeps */

static void write_out(struct lines *l)
{
	if (l->len)
		l->write(l->bytes, l->len);
	l->len = 0;
}

void lines_add(struct lines *l, const char *line, size_t len)
{
	if (!keeps) {
		l->write(line, len);
		return;
	}
	if (l->len + len > sizeof l->bytes)
		write_out(l);
	if (len > sizeof l->bytes) {
		l->write(line, len);
		return;
	}
	if (!l->is_kept) {
		l->is_kept = true;
		l->next = kept;
		kept = l;
	}
	memcpy(l->bytes + l->len, line, len);
	l->len += len;
}

void lines_flush(void)
{
	if (!keeps)
		return;
	while (kept) {
		struct lines *l = kept;
		kept = l->next;
		l->is_kept = false;
		write_out(l);
	}
}

void lines_keep(bool is_keeping)
{
	lines_flush();
	keeps = is_keeping;
}
