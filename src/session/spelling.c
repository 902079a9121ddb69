/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/spelling.h"

/* The digits of a UUID. */
#define DIGITS 32

static void without_dashes(char *to, const char *id)
{
	for (size_t i = 0; i < ENC_UUID_SIZE - 1; i++)
		if (!enc_uuid_has_dash(i))
			*to++ = id[i];
	*to = 0;
}

static void with_dashes(char to[ENC_UUID_SIZE], const char *id)
{
	for (size_t i = 0; i < ENC_UUID_SIZE - 1; i++)
		to[i] = enc_uuid_has_dash(i) ? '-' : *id++;
	to[ENC_UUID_SIZE - 1] = 0;
}

bool spelling_other(char other[ENC_UUID_SIZE], const char *id, size_t len)
{
	if (enc_is_uuid(id, len)) {
		without_dashes(other, id);
		return true;
	}
	if (len != DIGITS)
		return false;
	with_dashes(other, id);
	return enc_is_uuid(other, ENC_UUID_SIZE - 1);
}
