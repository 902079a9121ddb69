/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/doors.h"

#include "base/span.h"

#include <stddef.h>

static const char *const names[DOORS] = {
    [DOOR_SERVER] = "",
#define DOOR(NAME, name, what) [DOOR_##NAME] = (name),
#include "core/doors.tbl"
#undef DOOR
};

const char doors_allowed[] = "all, or a list of these:"
#define DOOR(NAME, name, what) " " name
#include "core/doors.tbl"
#undef DOOR
    ;

/* Take the next name of a list. Returns false at its end. */
static bool next_name(const char **list, struct span *name)
{
	if (!*list)
		return false;
	const char *comma = strchr(*list, ',');
	size_t len = comma ? (size_t)(comma - *list) : strlen(*list);
	*name = span_trim((struct span){*list, len});
	*list = comma ? comma + 1 : NULL;
	return true;
}

static bool is_name(struct span s, const char *name)
{
	return s.len == strlen(name) && memcmp(s.text, name, s.len) == 0;
}

static bool is_known(struct span name)
{
	for (int door = DOOR_SERVER + 1; door < DOORS; door++)
		if (is_name(name, names[door]))
			return true;
	return is_name(name, "all");
}

bool doors_are_valid(const char *list)
{
	struct span name;
	while (next_name(&list, &name))
		if (!is_known(name))
			return false;
	return true;
}

bool doors_have(const char *list, enum door_id door)
{
	struct span name;
	if (door == DOOR_SERVER)
		return true;
	while (next_name(&list, &name))
		if (is_name(name, names[door]) || is_name(name, "all"))
			return true;
	return false;
}
