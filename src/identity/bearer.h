/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_BEARER_H
#define IDENTITY_BEARER_H

/*
 * Tokens that clients show as "Authorization: Bearer TOKEN", and those of the
 * environment that open /admin: CONNECTONION_ADMIN_TOKEN or, if that is not set,
 * OPENONION_API_KEY, which older hosts accepted. The operator also pays with the
 * latter, and the provider and agents know it: so it can be disabled, is not
 * accepted beside a token, and never counts under the name of the first. An
 * empty variable counts as not set.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * Returns the token in the value of an Authorization header (NULL: none), or
 * NULL.
 */
const char *bearer_token(const char *authorization);

/* Whether a text is this token. The time tells nothing about the token. */
bool bearer_is_same(const char *text, size_t len, const char *token);

/* Whether the value of an Authorization header has a token that opens /admin.
 */
bool bearer_is_good(const char *authorization, bool is_api_key_taken);

#endif
