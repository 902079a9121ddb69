/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/* The ids of sessions and callers: part of session.h and all.h. */
#include "session/all.h"

#include <string.h>

#include "identity/digest.h"

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

bool session_id_is_valid(const char *id, size_t len)
{
	if (!len || len > SESSION_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f)
			return false;
	return true;
}
