/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_OWNER_H
#define ONSEMBL_ONS_OWNER_H

/*
 * The names by which commands of Onsembl are sessions: a user owns the sessions
 * of its commands under a name that no address of ConnectOnion has, and the id
 * of a command decides about that of its session. So a command's id is unique in
 * a server, and that of another user's command cannot be used. Pure.
 */
#include "base/span.h"

/* Room for the names, with their NUL. */
#define ONS_OWNER_SIZE 48

/* Write the owner of a user's sessions. */
void ons_owner(char out[ONS_OWNER_SIZE], const char *user);

/* Write the id of a command's session. */
void ons_owner_session(char out[ONS_OWNER_SIZE], struct span command);

#endif
