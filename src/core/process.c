/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/process.h"

#include "core/conf.h"

#include <assert.h>

static unsigned count_none(const struct conf *c)
{
	(void)c;
	return 0;
}

#define PROCESS(NAME, name, main, count, flags, stage)     \
	static unsigned count_##NAME(const struct conf *c) \
	{                                                  \
		(void)c;                                   \
		return (unsigned)(count);                  \
	}                                                  \
	static_assert((stage) >= 1 && (stage) <= PROCESS_STAGES, name);
#include "core/processes.tbl"
#undef PROCESS

static const struct process rows[KINDS] = {
    [KIND_NONE] = {.name = "none", .count = count_none},
#define PROCESS(NAME, name, main, count, flags, stage) \
	[KIND_##NAME] = {name, flags, stage, count_##NAME},
#include "core/processes.tbl"
#undef PROCESS
};

const struct process *process_of(enum heritage_kind kind)
{
	return &rows[kind];
}
