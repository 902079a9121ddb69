/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_owner.h"

#include "base/enc.h"
#include "identity/digest.h"

#include <string.h>

#define PREFIX "onsembl:"

/* Both may be longer than the names in the registry and the store. */
static void name_of(char out[ONS_OWNER_SIZE], const char *text, size_t len)
{
	uint8_t digest[DIGEST_SIZE];
	digest_of(digest, text, len);
	memcpy(out, PREFIX, sizeof PREFIX - 1);
	enc_hex(out + sizeof PREFIX - 1, digest, sizeof digest);
}

void ons_owner(char out[ONS_OWNER_SIZE], const char *user)
{
	name_of(out, user, strlen(user));
}

void ons_owner_session(char out[ONS_OWNER_SIZE], struct span command)
{
	name_of(out, command.text, command.len);
}
