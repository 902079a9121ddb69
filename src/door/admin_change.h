/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_ADMIN_CHANGE_H
#define DOOR_ADMIN_CHANGE_H

/*
 * Changes that admins make to the lists (access/lists.h), the same for every
 * door: who may make them, how a request names its subject, and the answer
 * (spec 1.7). Pure functions.
 */
#include "access/lists.h"

#include <stddef.h>

struct buf;
struct caller;
struct err;
struct json;

/*
 * Check whether this caller may make the change: an admin may, but changes of
 * the admins themselves are reserved for the agent's own address. Returns 0, or
 * -1 with ERR_FORBIDDEN.
 */
int admin_change_may(
    const struct caller *caller, enum lists_action action, struct err *err);

/*
 * Read the subject and the reason of a change from a signed payload. Returns 0,
 * or -1 with ERR_BAD_REQUEST: the name is missing, or not allowed in a list.
 */
int admin_change_read(
    struct lists_change *change, const struct json *payload, struct err *err);

/*
 * As admin_change_read(), for a name that is not in a payload; the reason stays
 * empty.
 */
int admin_change_name(
    struct lists_change *change, const char *name, size_t len, struct err *err);

/* Append the result as the members of a JSON object, without braces. */
void admin_change_put(struct buf *out, const struct lists_change *change,
    const struct lists_result *result);

#endif
