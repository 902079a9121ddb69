/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_WITHDRAWN_H
#define ONSEMBL_ONS_WITHDRAWN_H

/*
 * Tokens that are no longer good before their time: they were withdrawn, alone
 * or with all of their login, or, to refresh, exchanged for others. All workers
 * know of it (access/once.h).
 */
#include "access/once.h"

#include <stddef.h>

struct door_setup;
struct ons_claims;
struct ons_token_keys;

/* Refuse such tokens wherever these keys verify one. */
void ons_withdrawn_watch(
    struct ons_token_keys *keys, const struct door_setup *setup);

/*
 * Withdraw a token with these claims, or the login in them. place: the same place may do so again for
 * USES_GRACE_MS, since a reply can be lost; NULL: nobody may. As once_claim().
 */
bool ons_withdrawn_add(const struct door_setup *setup, const char *token,
    size_t len, const struct ons_claims *claims, const char *place, once_fn *fn,
    void *arg);

#endif
