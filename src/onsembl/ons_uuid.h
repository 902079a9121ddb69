/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_UUID_H
#define ONSEMBL_ONS_UUID_H

/*
 * Names as UUIDs, for programs that take nothing else for an id: a name that is
 * one stays as it is, and any other has one that follows from it, which is the
 * same on every server. Pure.
 */
#include "base/span.h"

#include <stdbool.h>

/* Room for a UUID with its NUL. */
#define ONS_UUID 37

/* Write the UUID of a name; kind ("agent", "user") separates names. */
void ons_uuid_of(char out[ONS_UUID], const char *kind, const char *name);

/* Whether a text is a name, or its UUID. */
bool ons_uuid_is(struct span text, const char *kind, const char *name);

#endif
