/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_DOORS_H
#define CORE_DOORS_H

/*
 * The doors of a server: which protocols for clients are on. Their list is the
 * text of the setting 'doors': "all", or names separated by commas. What
 * belongs to the server itself (DOOR_SERVER: probes, /info, /metrics, /admin)
 * is always on. Pure functions.
 */
#include <stdbool.h>

/* The doors of core/doors.tbl. */
enum door_id {
	DOOR_SERVER,
#define DOOR(NAME, name, what) DOOR_##NAME,
#include "core/doors.tbl"
#undef DOOR
	DOORS
};

/* What a list may be, for messages. */
extern const char doors_allowed[];

/* Whether a text is a list of doors. */
bool doors_are_valid(const char *list);

/* Whether a door is on. The list is valid. */
bool doors_have(const char *list, enum door_id door);

#endif
