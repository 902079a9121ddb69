/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/process.h"

#include "core/conf.h"
#include "core/doors.h"

#include <assert.h>

static_assert((int)KINDS <= PROCESS_KINDS, "the master has room for all kinds");
#define PROCESS(NAME, name, main, count, flags, stage) \
	static_assert((stage) >= 1 && (stage) <= PROCESS_STAGES, name);
#include "core/processes.tbl"
#undef PROCESS

const struct process process_kinds[KINDS] = {
    [KIND_NONE] = {.name = "none"},
#define PROCESS(NAME, name, main, count, flags, stage) \
	[KIND_##NAME] = {name, flags, stage},
#include "core/processes.tbl"
#undef PROCESS
};

/* Clients of the relay speak the protocol of one door. */
static unsigned process_has_link(const struct conf *c)
{
	return *c->relay_url && doors_have(c->doors, DOOR_CONNECTONION);
}

unsigned process_count(enum heritage_kind kind, const struct conf *c)
{
	switch (kind) {
#define PROCESS(NAME, name, main, count, flags, stage) \
	case KIND_##NAME:                              \
		return (unsigned)(count);
#include "core/processes.tbl"
#undef PROCESS
	case KIND_NONE:
	case KINDS:
		break;
	}
	return 0;
}
