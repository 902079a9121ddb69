/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/snapshot_int.h"

#include <stdarg.h>

void snapshot_fault(struct snapshot *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&s->damage, fmt, ap);
	va_end(ap);
	buf_char(&s->damage, '\n');
}
