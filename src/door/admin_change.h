/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_ADMIN_CHANGE_H
#define DOOR_ADMIN_CHANGE_H

/*
 * What admins ask of the lists (access/lists.h), whichever door they come
 * through: who may ask, what they name, and the answer (spec 1.7). Pure.
 */
#include "access/lists.h"

#include <stddef.h>

struct buf;
struct caller;
struct err;
struct json;

/*
 * Whether this caller may: an admin, or for changes of the admins ourselves.
 * Returns 0, or -1 with ERR_FORBIDDEN.
 */
int admin_change_may(
    const struct caller *caller, enum lists_action action, struct err *err);

/*
 * Read whom a signed payload names, and why. Returns 0, or -1 with
 * ERR_BAD_REQUEST: the name is absent, or may not stand in a list.
 */
int admin_change_read(
    struct lists_change *change, const struct json *payload, struct err *err);

/* As above, for a name that came by itself. */
int admin_change_name(
    struct lists_change *change, const char *name, size_t len, struct err *err);

/* Append what became of it as members of an object: no braces. */
void admin_change_put(struct buf *out, const struct lists_change *change,
    const struct lists_result *result);

#endif
