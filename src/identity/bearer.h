/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_BEARER_H
#define IDENTITY_BEARER_H

/*
 * The tokens of the environment that open /admin: CONNECTONION_ADMIN_TOKEN or,
 * if that is not set, OPENONION_API_KEY, which older hosts accepted. The
 * operator also pays with the latter, and the provider and agents know it: so
 * it can be disabled, is not accepted beside a token, and never counts under
 * the name of the first. An empty variable counts as not set.
 */
#include <stdbool.h>

/*
 * Whether the value of an Authorization header (NULL: none) is "Bearer " and
 * such a token. Takes the same time for all tokens.
 */
bool bearer_is_good(const char *authorization, bool is_api_key_taken);

#endif
