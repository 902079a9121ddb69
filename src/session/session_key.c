/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* The keys of sessions and callers: part of session_int.h. */
#include "session/session_int.h"

#include "identity/digest.h"

#include <string.h>

void session_key(uint8_t key[REGISTRY_KEY], const char *id, size_t len)
{
	digest_of(key, id, len);
}

void session_caller_key(
    uint8_t key[REGISTRY_KEY], const char *caller, size_t len)
{
	memset(key, 0, REGISTRY_KEY);
	if (len)
		digest_of(key, caller, len);
}
