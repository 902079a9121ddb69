/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_BEARER_H
#define IDENTITY_BEARER_H

/*
 * The tokens of the environment that open /admin: CONNECTONION_ADMIN_TOKEN, or
 * where it is not set OPENONION_API_KEY, which older hosts took. The second one
 * is also what the operator pays with, and known to the provider and to agents:
 * so it need not be taken, opens nothing beside a token, and never counts under
 * the name of the first. A variable that is empty is not set.
 */
#include <stdbool.h>

/*
 * Whether the value of an Authorization header, NULL for none, is "Bearer " and
 * such a token. Takes the same time for all tokens.
 */
bool bearer_is_good(const char *authorization, bool is_api_key_taken);

#endif
